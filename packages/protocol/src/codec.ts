import { codecOf } from "./compile.ts";
import { codeOf } from "./error-codes.ts";
import { DecodeError, isCodecError } from "./errors.ts";
import {
  apiVersionsKey,
  type RequestHeader,
  readRequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeRequestHeader,
} from "./header.ts";
import { Reader } from "./reader.ts";
import type { Api, Fields, Input, Message, Output } from "./schema.ts";
import { Writer } from "./writer.ts";

/** A whole frame, length first, as chunks for one `writev`. Large payloads in it are the caller's own buffers. */
export interface Frame {
  readonly chunks: readonly Buffer[];
  /** Of all chunks together. */
  readonly bytes: number;
}

export interface FrameHeader {
  readonly correlationId: number;
  readonly clientId: string | null;
}

/**
 * Encodes a request as one frame.
 *
 * @throws EncodeError where a value does not fit its field, naming the field
 * @throws UnsupportedVersionError where `api` has no such version
 */
export function encodeRequest<Req extends Fields>(
  api: Api<Req, Fields>,
  version: number,
  header: FrameHeader,
  body: Input<Req>,
): Frame {
  return frame((writer) =>
    about(api.request, version, () => {
      const { correlationId, clientId } = header;
      const headerVersion = requestHeaderVersion(api, version);
      writeRequestHeader(writer, headerVersion, { apiKey: api.key, apiVersion: version, correlationId, clientId });
      writeMessage(writer, api.request, version, body);
    }),
  );
}

/** Encodes a response as one frame: the broker's side of the protocol. */
export function encodeResponse<Res extends Fields>(
  api: Api<Fields, Res>,
  version: number,
  correlationId: number,
  body: Input<Res>,
): Frame {
  return frame((writer) => {
    writer.int32(correlationId);
    if (responseHeaderVersion(api, version) === 1) writer.uvarint(0);
    writeMessage(writer, api.response, version, body);
  });
}

/** The correlation id of a response, readable before it is known what the response is. */
export function correlationIdOf(payload: Buffer): number {
  return new Reader(payload).int32();
}

/**
 * Decodes the payload of a response frame, that is without its length. What it gives shares memory with `payload`.
 * Bytes behind the body are ignored, as Kafka's own clients do.
 *
 * @param maxItems what the frame may become, in items of 100 bytes of memory; default 1,000,000
 * @throws DecodeError naming api, version, field and offset
 */
export function decodeResponse<Res extends Fields>(
  api: Api<Fields, Res>,
  version: number,
  payload: Buffer,
  maxItems?: number,
): Output<Res> {
  const answered = isRefusedHandshake(api, payload) ? 0 : version;
  return about(api.response, answered, () => {
    const reader = new Reader(payload, 0, payload.length, maxItems);
    reader.take(4);
    if (responseHeaderVersion(api, version) === 1) reader.tags();
    return readMessage(reader, api.response, answered);
  });
}

/** A broker that does not know our version of ApiVersions says so in the form of version 0 (KIP-511). */
function isRefusedHandshake(api: Api, payload: Buffer): boolean {
  return api.key === apiVersionsKey && payload.length >= 6 && payload.readInt16BE(4) === codeOf("UNSUPPORTED_VERSION");
}

/** Decodes the header of a request frame: who asks what, in which version. */
export function decodeRequestHeader(payload: Buffer): RequestHeader {
  return readRequestHeader(new Reader(payload));
}

/** Decodes the payload of a request frame: the broker's side of the protocol. */
export function decodeRequest<Req extends Fields>(
  api: Api<Req, Fields>,
  version: number,
  payload: Buffer,
): Output<Req> {
  return about(api.request, version, () => {
    const reader = new Reader(payload);
    readRequestHeader(reader);
    if (requestHeaderVersion(api, version) === 2) reader.tags();
    return readMessage(reader, api.request, version);
  });
}

/** Encodes a blob: its version as int16, then its fields. */
export function encodeBlob<F extends Fields>(message: Message<F>, version: number, value: Input<F>): Buffer {
  const writer = new Writer();
  writer.int16(version);
  writeMessage(writer, message, version, value);
  return Buffer.concat(writer.finish());
}

/**
 * Decodes a blob. A newer version than ours is read as our newest one, because versions only add at the end.
 *
 * @throws DecodeError also where the version is older than any we know
 */
export function decodeBlob<F extends Fields>(message: Message<F>, bytes: Buffer): { version: number } & Output<F> {
  const reader = new Reader(bytes);
  const [first, last] = message.versions;
  const version = about(message, last, () => reader.int16());
  if (version < first) throw new DecodeError(`version ${version} is unknown`, 0).of(message.name);
  return { version, ...readMessage(reader, message, Math.min(version, last)) };
}

/** Writes the body of a message without a header. */
export function writeMessage<F extends Fields>(
  writer: Writer,
  message: Message<F>,
  version: number,
  value: Input<F>,
): void {
  about(message, version, () => codecOf(message, version).write(writer, value));
}

/** Reads the body of a message without a header. */
export function readMessage<F extends Fields>(reader: Reader, message: Message<F>, version: number): Output<F> {
  // The one place where what the closures read takes on the type that the declaration inferred.
  return about(message, version, () => codecOf(message, version).read(reader) as Output<F>);
}

/** Runs a part of the codec whose errors are about `message`, its header included. */
function about<T>(message: Message, version: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw isCodecError(error) ? error.of(`${message.name} v${version}`) : error;
  }
}

function frame(write: (writer: Writer) => void): Frame {
  const writer = new Writer();
  writer.int32(0);
  write(writer);
  const bytes = writer.length;
  const chunks = writer.finish();
  // The first chunk holds at least the length itself: a reference never comes before it.
  chunks[0]?.writeInt32BE(bytes - 4, 0);
  return { chunks, bytes };
}
