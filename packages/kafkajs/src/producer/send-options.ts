import type { CompressionType, SendOptions } from "odradek";
import { CompressionTypes } from "../constants.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { protocolErrorOfCode } from "../errors/protocol-errors.ts";
import type { SendSettings } from "./message.ts";

const compressionTypes: ReadonlyMap<unknown, CompressionType> = new Map([
  [CompressionTypes.None, "none"],
  [CompressionTypes.GZIP, "gzip"],
  [CompressionTypes.Snappy, "snappy"],
  [CompressionTypes.LZ4, "lz4"],
  [CompressionTypes.ZSTD, "zstd"],
]);

const invalidRequiredAcks = 21;

/** @returns `undefined` where nothing is asked for but what the producer does: most sends say nothing */
export function sendOptionsOf({ acks, timeout, compression }: SendSettings): SendOptions | undefined {
  if (acks === undefined && timeout === undefined && compression === undefined) return undefined;
  return {
    acks: acksOf(acks),
    ackTimeoutMs: timeout,
    compressionType: compression === undefined ? undefined : compressionTypeOf(compression),
  };
}

function compressionTypeOf(compression: unknown): CompressionType {
  const type = compressionTypes.get(compression);
  if (type !== undefined) return type;
  throw new KafkaJSNonRetriableError(`Invalid compression ${String(compression)}: use one of CompressionTypes`);
}

/** @throws KafkaJSProtocolError as a broker would answer */
function acksOf(acks: number | undefined): -1 | 0 | 1 | undefined {
  if (acks === undefined || acks === -1 || acks === 0 || acks === 1) return acks;
  throw protocolErrorOfCode(invalidRequiredAcks);
}
