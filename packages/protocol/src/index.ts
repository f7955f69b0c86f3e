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
export {
  type CodecName,
  type CompressionCodec,
  type CompressionLevels,
  type CompressionType,
  compressionTypes,
} from "./compression/codec.ts";
export { type CompressionCodecs, codecsWith, defaultCodecs } from "./compression/codecs.ts";
export { type BrokerErrorName, type BrokerErrorRow, brokerErrorByCode, brokerErrors, codeOf } from "./error-codes.ts";
export {
  BrokerError,
  type ClientErrorCode,
  DecodeError,
  EncodeError,
  inOneLine,
  KafkaError,
  type KafkaErrorCode,
  type KafkaErrorOptions,
  UnsupportedVersionError,
} from "./errors.ts";
export type { RequestHeader } from "./header.ts";
export { Reader } from "./reader.ts";
export { compactedBatch } from "./records/compacted-batch.ts";
export { CorruptRecordError } from "./records/corrupt-record-error.ts";
export { crc32c } from "./records/crc32c.ts";
export {
  type RecordData,
  type RecordHeader,
  recordSizeInBytes,
  sizeInBytesUpperBound,
  sizeOfData,
} from "./records/record.ts";
export {
  type ControlRecordType,
  defaultRecordBatchesOptions,
  type RecordBatch,
  type RecordBatchesOptions,
  type TimestampType,
} from "./records/record-batch.ts";
export {
  type BatchCompression,
  type BatchMemory,
  noProducerState,
  type ProducerState,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
} from "./records/record-batch-builder.ts";
export { RecordBatches } from "./records/record-batches.ts";
export type { RecordView } from "./records/record-view.ts";
export type {
  Api,
  ArrayShape,
  Fields,
  Input,
  Message,
  Output,
  RequestOf,
  RequestReadOf,
  ResponseOf,
  ResponseWrittenOf,
  StructShape,
  Type,
} from "./schema.ts";
export { zeroUuid } from "./schema.ts";
export { usableVersion, type VersionBounds, type VersionRange } from "./versions.ts";
export { Writer } from "./writer.ts";
