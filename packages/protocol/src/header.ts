import { EncodeError } from "./errors.ts";
import { maxTextBytes, type Reader } from "./reader.ts";
import type { Api } from "./schema.ts";
import type { Writer } from "./writer.ts";

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** The one API that must be understood before anything was negotiated. */
export const apiVersionsKey = 18;

/** 2 for flexible versions, else 1. */
export const requestHeaderVersion = (api: Api, version: number): 1 | 2 => (version >= api.flexible ? 2 : 1);

/** 1 for flexible versions, else 0; always 0 for ApiVersions, which is read before anything was negotiated (KIP-511). */
export const responseHeaderVersion = (api: Api, version: number): 0 | 1 =>
  version >= api.flexible && api.key !== apiVersionsKey ? 1 : 0;

/** The client id keeps its int16 length in version 2 too. */
export function writeRequestHeader(writer: Writer, headerVersion: 1 | 2, header: RequestHeader): void {
  writer.int16(header.apiKey);
  writer.int16(header.apiVersion);
  writer.int32(header.correlationId);
  const { clientId } = header;
  if (clientId === null) {
    writer.int16(-1);
  } else {
    const byteLength = Buffer.byteLength(clientId);
    if (byteLength > maxTextBytes) {
      throw new EncodeError(`${byteLength} bytes of text, ${maxTextBytes} at most`).within("clientId");
    }
    writer.int16(byteLength);
    writer.text(clientId, byteLength);
  }
  if (headerVersion === 2) writer.uvarint(0);
}

/** Reads what does not depend on the version of the header; version 2 has a tag section behind it. */
export function readRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const start = reader.offset;
  const length = reader.nullableLength(reader.int16(), start);
  return { apiKey, apiVersion, correlationId, clientId: length < 0 ? null : reader.text(length) };
}
