/** One peer's way of doing one kind of work. */
export interface Task {
  /** Does it once. A promise is awaited; what it gives is kept, so that no compiler can leave the work out. */
  run(): unknown;
  /** What comes out of it, as a value in which all peers must agree. */
  outcome(): unknown;
}

/** A record to encode. */
export interface SourceRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** The same record before its key and value were made bytes. */
export interface SourceText {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

/** Records of one partition of one topic. */
export interface SourcePartition {
  readonly partition: number;
  readonly records: readonly SourceRecord[];
}

/**
 * The insides of a client that turn records and messages into bytes and back. Preparing a task is not measured, so that
 * each peer gets its input in the form that it takes. `null` stands for work that a peer cannot do.
 */
export interface PeerCodec {
  /** Encodes one record batch, CRC included, into one buffer. */
  encodeRecords(records: readonly SourceRecord[]): Task;
  encodeTexts(records: readonly SourceText[]): Task;
  /** Goes over the records of the batches in `bytes` and adds up the size of their values. */
  iterateRecords(bytes: Buffer): Task;
  /** Takes key, value and offset of each record. */
  readRecords(bytes: Buffer): Task;
  /** The same, and compares the checksum of the batch with its bytes. */
  readCheckedRecords(bytes: Buffer): Task | null;
  /** Decodes a response, from its header on. */
  decodeMetadata(payload: Buffer, version: number): Task | null;
  decodeProduce(payload: Buffer, version: number): Task | null;
  /** Encodes records as batches, and those as the body of a Produce request of version 7. */
  encodeProduce(topic: string, partitions: readonly SourcePartition[]): Task;
  crc32c(bytes: Buffer): Task;
}

/** The outcome of reading records. */
export type RecordOutcome = readonly [offset: string, timestamp: string, key: string, value: string];

/** The outcome of decoding a Metadata response. */
export type TopicOutcome = readonly [name: string, partitions: readonly PartitionOutcome[]];
export type PartitionOutcome = readonly [
  index: number,
  leader: number,
  replicas: readonly number[],
  isr: readonly number[],
];

/** The outcome of decoding a Produce response. */
export type ProducedOutcome = readonly [partition: number, errorCode: number, baseOffset: string];
