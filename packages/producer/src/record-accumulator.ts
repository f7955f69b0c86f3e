import { type Backoff, type ClusterSnapshot, exponentialBackoff, leaderOf, type TopicSnapshot } from "@odradek/network";
import type { BatchCompression, BatchMemory, CodecName, KafkaError } from "@odradek/protocol";
import { BrokerAvailability } from "./broker-availability.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { BuiltInPartitioner } from "./built-in-partitioner.ts";
import { CompressionRatio } from "./compression-ratio.ts";
import { ProducerBatch } from "./producer-batch.ts";
import type { SerializedRecord } from "./producer-record.ts";
import { type Compression, mayShareRequest, type SendSettings } from "./send-settings.ts";

/** The settings are those of records that ask for nothing else. */
export interface AccumulatorOptions extends SendSettings {
  readonly batchSize: number;
  readonly lingerMs: number;
  readonly deliveryTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly partitionerAdaptivePartitioningEnable: boolean;
  readonly partitionerAvailabilityTimeoutMs: number;
}

/** What an append means for the sender, who is to be woken for either. */
export interface Appended {
  /** A batch of the partition takes no more records, and can go. */
  readonly full: boolean;
  /** A batch was begun, whose linger time runs. */
  readonly opened: boolean;
}

/** Who decides which batches may be sent, and numbers those that are. */
export interface DrainGuard {
  mayDrain(batch: ProducerBatch): boolean;
  /** The batch takes no more records, and goes into a request. */
  number(batch: ProducerBatch): void;
}

/** What can be sent at a moment. */
export interface Ready {
  /** Brokers that lead a partition with a batch to be sent. */
  readonly nodeIds: Set<number>;
  /** When more becomes ready without any append or answer; `Infinity` for never. */
  readonly nextCheckAtMs: number;
}

/** The batches of one partition, oldest first. Records join the last one, requests take the first. */
interface PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly batches: ProducerBatch[];
  /** Whether nothing may be sent, because a batch is under way and must not be overtaken. */
  isMuted: boolean;
}

/** What is kept for a topic once something was sent to it. */
interface TopicQueues {
  /** By partition; holes where nothing was sent yet. */
  readonly partitions: (PartitionQueue | undefined)[];
  readonly sticky: BuiltInPartitioner;
  /** Codecs do not compress equally well. */
  readonly compressionRatios: Map<CodecName, CompressionRatio>;
}

// One append in a hundred opens or fills a batch; the results need no objects of their own.
const appended: Appended = Object.freeze({ full: false, opened: false });
const appendedFull: Appended = Object.freeze({ full: true, opened: false });
const opened: Appended = Object.freeze({ full: false, opened: true });
const openedFull: Appended = Object.freeze({ full: true, opened: true });

/**
 * Collects records into batches, one open batch a partition, and says which can be sent when. It knows neither sender
 * nor sockets nor the time, which is passed in. Source: Kafka's `RecordAccumulator`.
 */
export class RecordAccumulator {
  readonly memory: BufferPool;
  /** Told by the sender which brokers take what is ready for them. */
  readonly availability: BrokerAvailability;
  readonly #options: AccumulatorOptions;
  readonly #retryBackoff: Backoff;
  readonly #random: () => number;
  readonly #topics = new Map<string, TopicQueues>();
  /** Queues that are not empty. Who was drained goes to the end, so that nobody starves where a request has no room for all. */
  readonly #waiting = new Set<PartitionQueue>();
  /** Batches whose records were not told yet, in the order in which they were opened: the first expires first. */
  readonly #incomplete = new Set<ProducerBatch>();
  #serial = 0;
  /** Calls of `flush` under way. */
  #flushCount = 0;
  #isClosed = false;

  /** @param random a number from 0 up to 1 */
  constructor(options: AccumulatorOptions, memory: BufferPool, random: () => number = Math.random) {
    this.#options = options;
    this.memory = memory;
    this.availability = new BrokerAvailability(options.partitionerAvailabilityTimeoutMs);
    this.#retryBackoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs, random);
    this.#random = random;
  }

  /** When the oldest batch runs out of time, `Infinity` where there is none. */
  get nextExpiryAtMs(): number {
    for (const { createdAtMs } of this.#incomplete) return createdAtMs + this.#options.deliveryTimeoutMs;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Adds a record to the open batch of its partition.
   *
   * @returns `null` where no open batch has room: `open` one, with memory for `batchBytes`
   */
  append(record: SerializedRecord, topic: TopicSnapshot): Appended | null {
    const queues = this.#queuesOf(topic.name);
    const queue = queueOf(queues, record, topic);
    const batch = queue.batches.at(-1);
    if (batch === undefined || batch.state !== "open") return null;
    const before = batch.estimatedBytes;
    if (!batch.tryAppend(record)) {
      batch.close();
      return null;
    }
    const { isFull } = batch;
    if (record.partition === null) queues.sticky.produced(batch.estimatedBytes - before, isFull, topic);
    return isFull || queue.batches.length > 1 ? appendedFull : appended;
  }

  /** Memory for a batch that begins with this record. */
  batchBytes({ boundBytes }: SerializedRecord): number {
    return Math.max(this.#options.batchSize, boundBytes);
  }

  /**
   * Begins a batch with a record, in memory that was taken for it.
   *
   * @param buffer belongs to the accumulator from here on, also where this throws
   */
  open(record: SerializedRecord, topic: TopicSnapshot, buffer: Buffer, nowMs: number): Appended {
    try {
      // The sticky partition may have changed since, to one whose batch has room.
      const joined = this.append(record, topic);
      if (joined !== null) {
        this.memory.release(buffer);
        return joined;
      }
      const queues = this.#queuesOf(topic.name);
      const queue = queueOf(queues, record, topic);
      const batch = new ProducerBatch({
        topic: topic.name,
        partition: queue.partition,
        buffer,
        batchSize: this.#options.batchSize,
        compression: this.#compressionOf(queues, record),
        settings: record.settings,
        memory: this.memory,
        createdAtMs: nowMs,
        serial: this.#serial++,
      });
      batch.tryAppend(record);
      queue.batches.push(batch);
      this.#waiting.add(queue);
      this.#incomplete.add(batch);
      const { isFull } = batch;
      if (record.partition === null) queues.sticky.produced(batch.estimatedBytes, isFull, topic);
      return isFull || queue.batches.length > 1 ? openedFull : opened;
    } catch (error) {
      this.memory.release(buffer);
      throw error;
    }
  }

  /**
   * Which brokers have a batch to be sent: one that is full or has lingered; any, when memory is short, or when
   * flushing or closing; and none that backs off before another attempt.
   */
  ready(cluster: ClusterSnapshot, nowMs: number): Ready {
    const nodeIds = new Set<number>();
    let nextCheckAtMs = Number.POSITIVE_INFINITY;
    const isHurried = this.memory.waiterCount > 0 || this.#flushCount > 0 || this.#isClosed;
    for (const queue of this.#waiting) {
      const [first, second] = queue.batches;
      if (first === undefined) continue;
      const leader = leaderOf(cluster, queue.topic, queue.partition);
      // Metadata asks for a topic until all of its partitions have a leader.
      if (leader === null || queue.isMuted || nodeIds.has(leader.id)) continue;
      const isWhole = isHurried || second !== undefined || first.isFull;
      const sendableAtMs = Math.max(first.retryAtMs, isWhole ? nowMs : first.createdAtMs + this.#options.lingerMs);
      if (sendableAtMs <= nowMs) nodeIds.add(leader.id);
      else nextCheckAtMs = Math.min(nextCheckAtMs, sendableAtMs);
    }
    return { nodeIds, nextCheckAtMs };
  }

  /**
   * Takes what goes into one request for each of the brokers: at most one batch a partition, together at most
   * `maxBytes` unless one alone is larger, and all with the same acks and time for them. The batches are in flight afterwards.
   *
   * @param guard `null` for a producer that numbers nothing
   */
  drain(
    cluster: ClusterSnapshot,
    nodeIds: ReadonlySet<number>,
    maxBytes: number,
    nowMs: number,
    guard: DrainGuard | null = null,
  ): Map<number, ProducerBatch[]> {
    const drained = new Map<number, { readonly batches: ProducerBatch[]; bytes: number; isWhole: boolean }>();
    for (const queue of [...this.#waiting]) {
      const [first] = queue.batches;
      const leader = leaderOf(cluster, queue.topic, queue.partition);
      if (first === undefined || leader === null || !nodeIds.has(leader.id)) continue;
      if (queue.isMuted || first.retryAtMs > nowMs || guard?.mayDrain(first) === false) continue;
      let request = drained.get(leader.id);
      if (request === undefined) {
        request = { batches: [], bytes: 0, isWhole: false };
        drained.set(leader.id, request);
      }
      const [other = first] = request.batches;
      // What waits is ahead of what was drained, and so begins the next request.
      if (!mayShareRequest(first.settings ?? this.#options, other.settings ?? this.#options)) continue;
      // What does not fit ends the request, as it would else be passed by smaller ones for ever.
      request.isWhole ||= request.batches.length > 0 && request.bytes + first.estimatedBytes > maxBytes;
      if (request.isWhole) continue;
      request.bytes += first.estimatedBytes;
      request.batches.push(first);
      queue.batches.shift();
      this.#waiting.delete(queue);
      if (queue.batches.length > 0) this.#waiting.add(queue);
      first.send();
      guard?.number(first);
    }
    return new Map([...drained].map(([nodeId, { batches }]) => [nodeId, batches]));
  }

  /** Keeps a partition out of `ready` and `drain`, so that nothing overtakes the batch that is under way. */
  mute({ topic, partition }: ProducerBatch): void {
    this.#queueOf(topic, partition).isMuted = true;
  }

  unmute({ topic, partition }: ProducerBatch): void {
    this.#queueOf(topic, partition).isMuted = false;
  }

  /**
   * Takes back a batch whose attempt failed; it has its place in its partition again, once its back-off has passed.
   *
   * @param error why it failed
   * @param mayBeInLog false where a broker said that it does not have it
   */
  reenqueue(batch: ProducerBatch, nowMs: number, error: KafkaError, mayBeInLog: boolean): void {
    batch.retry(nowMs + this.#retryBackoff(batch.attempts), error, mayBeInLog);
    this.#putBack(batch);
  }

  /** Takes back a batch of a request that was never written. */
  takeBack(batch: ProducerBatch): void {
    batch.takeBack();
    this.#putBack(batch);
  }

  /** Takes out the batches whose `deliveryTimeoutMs` is over, be they waiting or in flight; the caller tells their records. */
  expired(nowMs: number): ProducerBatch[] {
    const expired: ProducerBatch[] = [];
    for (const batch of this.#incomplete) {
      if (batch.createdAtMs + this.#options.deliveryTimeoutMs > nowMs) break;
      expired.push(batch);
      this.#takeOut(batch);
    }
    return expired;
  }

  /** Ends the life of a batch to which no request points any more: its memory is for others. */
  release(batch: ProducerBatch): void {
    this.#incomplete.delete(batch);
    batch.release();
    if (!batch.isPart) this.memory.release(batch.buffer);
  }

  /**
   * Begins a part of a batch that a broker found too large, in memory of its own: that of the batch is taken until the parts are
   * whole. A part that is too large again is halved.
   */
  openPart(large: ProducerBatch, leastBytes: number): ProducerBatch {
    const { topic, partition, createdAtMs, serial, isPart, estimatedBytes, settings } = large;
    const { batchSize } = this.#options;
    const limitBytes = isPart ? Math.ceil(estimatedBytes / 2) : batchSize;
    return new ProducerBatch({
      topic,
      partition,
      buffer: Buffer.allocUnsafe(Math.max(limitBytes, leastBytes)),
      batchSize: limitBytes,
      compression: this.#compressionOf(this.#queuesOf(topic), large),
      settings,
      memory: unpooled,
      createdAtMs,
      serial,
      partOf: large,
    });
  }

  /** Puts parts where the batch was that they are of. */
  replace(large: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.#compressionRatioOf(large)?.reset(large.compressionRatio);
    this.release(large);
    for (const part of parts) this.#putBack(part);
    // The parts are as old as the batch, and the first to expire goes first.
    const incomplete = [...this.#incomplete, ...parts].sort((a, b) => a.createdAtMs - b.createdAtMs);
    this.#incomplete.clear();
    for (const batch of incomplete) this.#incomplete.add(batch);
    large.splitInto(parts);
  }

  /** What a batch was compressed to tells how much the next one of its topic can take in. */
  observeCompression(batch: ProducerBatch): void {
    this.#compressionRatioOf(batch)?.observe(batch.compressionRatio);
  }

  /** Makes everything that is here ready, and resolves when its records were told. What comes later is not waited for. */
  async flush(): Promise<void> {
    this.#flushCount += 1;
    await Promise.all(Array.from(this.#incomplete, (batch) => batch.whenTold()));
    this.#flushCount -= 1;
  }

  /** From here on nothing lingers. */
  close(): void {
    this.#isClosed = true;
  }

  /** Takes out the batches that were never sent; the caller tells their records. */
  takeUnsent(): ProducerBatch[] {
    const unsent = [...this.#incomplete].filter(
      ({ state, hasSequence, attempts }) => (state === "open" || state === "closed") && !hasSequence && attempts === 0,
    );
    for (const batch of unsent) this.#takeOut(batch);
    return unsent;
  }

  /** Takes out every batch; the caller tells their records. */
  abort(): ProducerBatch[] {
    const aborted = [...this.#incomplete];
    for (const batch of aborted) this.#takeOut(batch);
    return aborted;
  }

  #takeOut(batch: ProducerBatch): void {
    this.#incomplete.delete(batch);
    const queue = this.#queueOf(batch.topic, batch.partition);
    const index = queue.batches.indexOf(batch);
    if (index >= 0) queue.batches.splice(index, 1);
    if (queue.batches.length === 0) this.#waiting.delete(queue);
  }

  /** Several may have been in flight, and come back in any order. */
  #putBack(batch: ProducerBatch): void {
    const queue = this.#queueOf(batch.topic, batch.partition);
    const behind = queue.batches.findIndex(({ serial }) => serial > batch.serial);
    queue.batches.splice(behind < 0 ? queue.batches.length : behind, 0, batch);
    this.#waiting.add(queue);
  }

  #queueOf(topic: string, partition: number): PartitionQueue {
    return partitionQueue(this.#queuesOf(topic), topic, partition);
  }

  #queuesOf(topic: string): TopicQueues {
    let queues = this.#topics.get(topic);
    if (queues === undefined) {
      const partitions: TopicQueues["partitions"] = [];
      queues = { partitions, sticky: this.#stickyOf(partitions), compressionRatios: new Map() };
      this.#topics.set(topic, queues);
    }
    return queues;
  }

  #stickyOf(partitions: TopicQueues["partitions"]): BuiltInPartitioner {
    const { batchSize, partitionerAdaptivePartitioningEnable } = this.#options;
    const loads = {
      queueSize: (partition: number) => partitions[partition]?.batches.length ?? null,
      isAvailable: (brokerId: number) => this.availability.isAvailable(brokerId),
    };
    return new BuiltInPartitioner(batchSize, partitionerAdaptivePartitioningEnable ? loads : null, this.#random);
  }

  #compressionOf(queues: TopicQueues, { settings }: Sendable): BatchCompression | null {
    const { compression } = settings ?? this.#options;
    return compression === null ? null : { ...compression, ratio: ratioOf(queues, compression).estimate };
  }

  /** `null` for what is not compressed. */
  #compressionRatioOf({ topic, settings }: ProducerBatch): CompressionRatio | null {
    const { compression } = settings ?? this.#options;
    return compression === null ? null : ratioOf(this.#queuesOf(topic), compression);
  }
}

/** A record, or a batch of such. */
interface Sendable {
  readonly settings: SendSettings | null;
}

function ratioOf({ compressionRatios }: TopicQueues, { codec }: Compression): CompressionRatio {
  let ratio = compressionRatios.get(codec.name);
  if (ratio === undefined) {
    ratio = new CompressionRatio();
    compressionRatios.set(codec.name, ratio);
  }
  return ratio;
}

/** Memory that nobody counts. */
const unpooled: BatchMemory = Object.freeze({ take: (bytes: number) => Buffer.allocUnsafe(bytes), release: () => {} });

/** Where a record goes. */
const queueOf = (queues: TopicQueues, { partition }: SerializedRecord, topic: TopicSnapshot): PartitionQueue =>
  partitionQueue(queues, topic.name, partition ?? queues.sticky.current(topic));

function partitionQueue(queues: TopicQueues, topic: string, partition: number): PartitionQueue {
  let queue = queues.partitions[partition];
  if (queue === undefined) {
    queue = { topic, partition, batches: [], isMuted: false };
    queues.partitions[partition] = queue;
  }
  return queue;
}
