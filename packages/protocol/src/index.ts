export {
  correlationIdOf,
  decodeBlob,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeBlob,
  encodeRequest,
  encodeResponse,
  type Frame,
  type FrameHeader,
  readMessage,
  writeMessage,
} from "./codec.ts";
export { type BrokerErrorName, type BrokerErrorRow, brokerErrorByCode, brokerErrors, codeOf } from "./error-codes.ts";
export {
  BrokerError,
  type ClientErrorCode,
  DecodeError,
  EncodeError,
  KafkaError,
  type KafkaErrorCode,
  type KafkaErrorOptions,
  UnsupportedVersionError,
} from "./errors.ts";
export type { RequestHeader } from "./header.ts";
export { Reader } from "./reader.ts";
export type {
  Api,
  Fields,
  Input,
  Message,
  Output,
  RequestOf,
  RequestReadOf,
  ResponseOf,
  ResponseWrittenOf,
} from "./schema.ts";
export { zeroUuid } from "./schema.ts";
export { usableVersion, type VersionBounds, type VersionRange } from "./versions.ts";
export { Writer } from "./writer.ts";
