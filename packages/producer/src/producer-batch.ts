import { type Encoded, State } from "@odradek/network";
import {
  type BatchCompression,
  type BatchMemory,
  type KafkaError,
  noProducerState,
  type ProducerState,
  RecordBatchBuilder,
} from "@odradek/protocol";
import type { Delivery } from "./delivery.ts";
import { DeliveryError, type Persisted } from "./delivery-error.ts";
import type { SerializedRecord } from "./producer-record.ts";
import { type BatchOutcome, RecordMetadata } from "./record-metadata.ts";
import { areAlike, type SendSettings } from "./send-settings.ts";
import { sequenceAfter } from "./sequence.ts";

const batchMoves = {
  open: ["closed", "done"], // takes records
  closed: ["inFlight", "done"], // takes none; waits to be sent, or to be sent again
  inFlight: ["closed", "abandoned", "done"], // belongs to a request, which may point at its buffer
  abandoned: ["done"], // its records were told that they failed, but a request may still point at its buffer
  done: [], // its records were told, its buffer is free
} as const;

export type BatchState = keyof typeof batchMoves;

export interface ProducerBatchOptions {
  readonly topic: string;
  readonly partition: number;
  /** Where the records are written. It is the batch's own until it is done. */
  readonly buffer: Buffer;
  /** Bytes at which the batch is full. A first record that is larger has the batch for itself. */
  readonly batchSize: number;
  readonly compression: BatchCompression | null;
  /** What its records have in common; `null` for what the producer does. */
  readonly settings: SendSettings | null;
  /** Where records grow that wait to be compressed. */
  readonly memory: BatchMemory;
  readonly createdAtMs: number;
  /** Its place among the batches of its partition; the parts of one that was split share it. */
  readonly serial: number;
  /** Of which too large batch it is a part, in memory that belongs to nobody else; a split gives no new retries. @default none */
  readonly partOf?: Pick<ProducerBatch, "attempts" | "lastError">;
}

/** Who is told what became of a record, and which of theirs it is. */
export type Recipient = Pick<SerializedRecord, "delivery" | "position">;

/** What a batch takes of a record. */
export type BatchRecord = Recipient & Pick<SerializedRecord, "timestampMs" | "key" | "value" | "headers" | "settings">;

/** Records of one partition that travel together, and who waits for which of them. */
export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly buffer: Buffer;
  readonly createdAtMs: number;
  readonly serial: number;
  readonly isPart: boolean;
  readonly settings: SendSettings | null;
  readonly #state = new State<BatchState>("open", batchMoves);
  readonly #builder: RecordBatchBuilder;
  readonly #outcome: BatchOutcome;
  // Three arrays of the same length, one entry a record: cheaper than an object for each.
  #metadata: RecordMetadata[] = [];
  #deliveries: Delivery[] = [];
  #positions: number[] = [];
  #largestRecordBytes = 0;
  #attempts = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #lastError: KafkaError | null = null;
  #producerState: ProducerState | null = null;
  #isRenumbered = false;
  /** Whether an attempt ended without an answer that rules out that the batch is in the log. */
  #mayBeInLog = false;
  #onTold: (() => void)[] = [];

  constructor(options: ProducerBatchOptions) {
    const { topic, partition, buffer, batchSize, compression, memory, createdAtMs, serial } = options;
    this.serial = serial;
    this.settings = options.settings;
    this.isPart = options.partOf !== undefined;
    this.#attempts = options.partOf?.attempts ?? 0;
    this.#lastError = options.partOf?.lastError ?? null;
    this.topic = topic;
    this.partition = partition;
    this.buffer = buffer;
    this.createdAtMs = createdAtMs;
    this.#builder = new RecordBatchBuilder(buffer, { writeLimit: batchSize, compression, memory });
    this.#outcome = { topic, partition, baseOffset: -1n, logAppendTimeMs: -1, logStartOffset: -1n };
  }

  get state(): BatchState {
    return this.#state.now;
  }

  get recordCount(): number {
    return this.#builder.recordCount;
  }

  /** Bytes of its largest record before compression. */
  get largestRecordBytes(): number {
    return this.#largestRecordBytes;
  }

  /** Whether it takes no more records. */
  get isFull(): boolean {
    return this.#builder.isFull;
  }

  /** Bytes of the batch when it is sent; a careful guess while it is not compressed yet. */
  get estimatedBytes(): number {
    return this.#builder.estimatedBytes;
  }

  /** Times that it came back to be sent again, as a part those of the whole included. */
  get attempts(): number {
    return this.#attempts;
  }

  /** When it may be sent again; long ago for one that never was. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Why the last attempt failed, `null` where none did. */
  get lastError(): KafkaError | null {
    return this.#lastError;
  }

  /** Who sent it first and under which number, for all of its attempts; `null` before the first. */
  get producerState(): ProducerState | null {
    return this.#producerState;
  }

  get hasSequence(): boolean {
    return this.#producerState !== null;
  }

  /** Of its first record; -1 without one. */
  get baseSequence(): number {
    return this.#producerState?.baseSequence ?? -1;
  }

  /** Of its last record. */
  get lastSequence(): number {
    return this.#producerState === null ? -1 : sequenceAfter(this.baseSequence, this.recordCount - 1);
  }

  /** Whether it has other numbers by now than those it was first sent under. */
  get isRenumbered(): boolean {
    return this.#isRenumbered;
  }

  /** Whether an attempt ended without an answer that rules out that it is in the log. */
  get mayBeInLog(): boolean {
    return this.#mayBeInLog;
  }

  /** Whether `build` needs no `compress` before it. */
  get canBuild(): boolean {
    return this.#builder.canCompressSync;
  }

  /** Compressed by uncompressed bytes, once it was built. */
  get compressionRatio(): number {
    return this.#builder.compressionRatio;
  }

  /** Takes one more record; false where there is no room for it, or it is to be sent in another way. */
  tryAppend({ timestampMs, key, value, headers, settings, delivery, position }: BatchRecord): boolean {
    if (!areAlike(settings, this.settings)) return false;
    const before = this.#builder.uncompressedBytes;
    if (!this.#builder.append(timestampMs, key, value, headers)) return false;
    this.#largestRecordBytes = Math.max(this.#largestRecordBytes, this.#builder.uncompressedBytes - before);
    const index = this.#metadata.length;
    const { isAscii } = this.#builder;
    this.#metadata.push(
      new RecordMetadata(this.#outcome, index, timestampMs, sizeOf(key, isAscii), sizeOf(value, isAscii)),
    );
    this.#deliveries.push(delivery);
    this.#positions.push(position);
    return true;
  }

  /** Takes no more records. */
  close(): void {
    if (!this.#state.is("open")) return;
    this.#builder.seal();
    this.#state.to("closed");
  }

  /** Goes into a request. */
  send(): void {
    this.close();
    this.#state.to("inFlight");
  }

  /** Compresses in the background, for a codec that can do no other. */
  compress(): Promise<void> {
    return this.#builder.compress();
  }

  /** Gets its numbers, before it is first sent. */
  identify(state: ProducerState): void {
    this.#producerState = state;
  }

  /** Gets other numbers. They are written when it is built again, so that no request points at the bytes meanwhile. */
  renumber(state: Omit<ProducerState, "isTransactional">): void {
    const isTransactional = this.#producerState?.isTransactional ?? false;
    this.#producerState = { ...state, isTransactional };
    this.#isRenumbered = true;
  }

  /** The bytes to send, the same for every attempt but for new numbers. @throws KafkaError, and what a codec throws */
  build(): Buffer {
    return this.#builder.close(this.#producerState ?? noProducerState);
  }

  /**
   * Comes out of a request, to be sent again.
   *
   * @param error why the attempt failed
   * @param mayBeInLog false where a broker said that it does not have it
   */
  retry(retryAtMs: number, error: KafkaError, mayBeInLog: boolean): void {
    this.#state.to("closed");
    this.#attempts += 1;
    this.#retryAtMs = retryAtMs;
    this.#lastError = error;
    this.#mayBeInLog ||= mayBeInLog;
  }

  /** Needs no back-off: another broker is asked next. */
  hurry(): void {
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Comes out of a request that was never written. */
  takeBack(): void {
    this.#state.to("closed");
  }

  /** Ends well: tells every record, in the order of the appends, where it is. */
  complete(baseOffset: bigint, logAppendTimeMs: number, logStartOffset = -1n): void {
    this.#state.to("done");
    this.#outcome.baseOffset = baseOffset;
    this.#outcome.logAppendTimeMs = logAppendTimeMs;
    this.#outcome.logStartOffset = logStartOffset;
    for (let index = 0; index < this.#metadata.length; index++) {
      const metadata = this.#metadata[index];
      if (metadata !== undefined) this.#deliveries[index]?.delivered(metadata, this.#positions[index] ?? 0);
    }
    this.#told();
  }

  /**
   * Ends badly, with no request under way: tells every record, in the order of the appends.
   *
   * @param isInLog of the last attempt: `no` where there was none, or a broker said that it does not have it; `yes` where
   *   what came behind it is there
   * @param causes by their place in the batch, the records whose own reason differs
   */
  fail(cause: KafkaError, isInLog: Persisted, causes: ReadonlyMap<number, KafkaError> = noCauses): void {
    this.#state.to("done");
    const persisted = isInLog === "no" && this.#mayBeInLog ? "maybe" : isInLog;
    this.#tell(cause, persisted, causes);
  }

  /**
   * Ends badly while a request is under way: tells every record. The buffer stays taken until `letGo`.
   *
   * @param isInLog `yes` where what came behind it is there
   */
  abandon(cause: KafkaError, isInLog: "maybe" | "yes" = "maybe"): void {
    this.#state.to("abandoned");
    this.#mayBeInLog = true;
    this.#tell(cause, isInLog, noCauses);
  }

  /** Who waits for a record, by its place. */
  recipientOf(index: number): Recipient {
    const delivery = this.#deliveries[index];
    if (delivery === undefined) throw new Error(`the batch has no record ${index}`);
    return { delivery, position: this.#positions[index] ?? 0 };
  }

  /** Hands its records over to smaller batches, which tell them. */
  splitInto(parts: readonly ProducerBatch[]): void {
    this.#state.to("done");
    const told = Promise.all(parts.map((part) => part.whenTold()));
    for (const resolve of this.#onTold.splice(0)) void told.then(resolve);
    this.#told();
  }

  /** Comes out of its last request, after it was abandoned. */
  letGo(): void {
    this.#state.to("done");
  }

  /** Gives back what its records took beyond `buffer`. No request may point at it any more. */
  release(): void {
    this.#builder.release();
  }

  /** Resolves when every record was told what became of it, be it good or bad. */
  whenTold(): Promise<void> {
    if (this.#state.is("abandoned", "done")) return Promise.resolve();
    return new Promise((resolve) => this.#onTold.push(resolve));
  }

  #tell(cause: KafkaError, persisted: Persisted, causes: ReadonlyMap<number, KafkaError>): void {
    const error = new DeliveryError(this.topic, this.partition, persisted, cause);
    for (let index = 0; index < this.#deliveries.length; index++) {
      const own = causes.get(index);
      const told = own === undefined ? error : new DeliveryError(this.topic, this.partition, persisted, own);
      this.#deliveries[index]?.failed(told, this.#positions[index] ?? 0);
    }
    this.#told();
  }

  /**
   * Lets go of everything that was told. A batch may have grown old enough to be collected late, and would keep its
   * promises until then: 1.6 against 2.5 us CPU a record with 1,000 of them outstanding.
   */
  #told(): void {
    this.#metadata = [];
    this.#deliveries = [];
    this.#positions = [];
    for (const resolve of this.#onTold.splice(0)) resolve();
  }
}

const noCauses: ReadonlyMap<number, KafkaError> = new Map();

/** Bytes of a key or value, -1 for `null`. What is all ASCII needs no counting. */
function sizeOf(data: Encoded, isAscii: boolean): number {
  if (data === null) return -1;
  return typeof data === "string" && !isAscii ? Buffer.byteLength(data) : data.length;
}
