import {
  type Clock,
  ClosedError,
  type Deadline,
  type NetworkClient,
  TimeoutError,
  type TopicSnapshot,
} from "@odradek/network";
import type { BufferPool } from "./buffer-pool.ts";
import type { PartitionChoice } from "./partition-choice.ts";
import type { ProducerMetrics } from "./producer-metrics.ts";
import type { SerializedRecord } from "./producer-record.ts";
import type { Appended, RecordAccumulator } from "./record-accumulator.ts";
import type { TransactionManager } from "./transaction-manager.ts";

/** What takes part when a record is appended. */
export interface RecordAppenderParts<K, V> {
  readonly client: NetworkClient;
  readonly memory: BufferPool;
  readonly accumulator: RecordAccumulator;
  readonly partitions: PartitionChoice<K, V>;
  /** `null` for a producer that numbers nothing. */
  readonly transactions: TransactionManager | null;
  readonly metrics: ProducerMetrics;
  readonly clock: Clock;
  /** There may be something to send. */
  readonly wake: () => void;
}

/** Takes records into batches: at once where their topic is known and there is memory, else when that is so. */
export class RecordAppender<K, V> {
  readonly #parts: RecordAppenderParts<K, V>;
  #isClosed = false;

  constructor(parts: RecordAppenderParts<K, V>) {
    this.#parts = parts;
  }

  /**
   * Appends a record if metadata and memory allow it now.
   *
   * @throws ClosedError; TransactionError where its transaction takes none; what the partitioner throws
   */
  appendNow(record: SerializedRecord<K, V>): boolean {
    const { accumulator, client, clock, memory, partitions } = this.#parts;
    this.#requireAppendable();
    const topic = client.metadata.snapshot.topics.get(record.topic);
    if (topic === undefined || !((record.partition ?? 0) < topic.partitions.length)) return false;
    const isChosenNow = partitions.choose(record, topic);
    let appended = accumulator.append(record, topic);
    if (appended === null && isChosenNow && partitions.chooseForNewBatch(record, topic)) {
      appended = accumulator.append(record, topic);
    }
    if (appended === null) {
      const buffer = memory.take(accumulator.batchBytes(record));
      if (buffer === null) return false;
      appended = accumulator.open(record, topic, buffer, clock.now());
    }
    this.#wakeFor(appended);
    return true;
  }

  /**
   * Waits for metadata and memory, and appends the record.
   *
   * @returns false where the topic turns out to lack the partition
   * @throws TimeoutError after the deadline, the reason of the signal, the same as `appendNow`
   */
  async appendLater(
    record: SerializedRecord<K, V>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { accumulator, clock, memory, partitions, wake } = this.#parts;
    const awaited = this.lacksPartition(record) ? (record.partition ?? 0) : 0;
    const topic = await this.awaitTopic(record.topic, awaited, deadline, signal);
    if (this.lacksPartition(record)) return false;
    if (this.appendNow(record)) return true;
    partitions.choose(record, topic);
    const free = this.#awaitMemory(accumulator.batchBytes(record), deadline, signal);
    // While somebody waits for memory, nothing lingers.
    wake();
    const buffer = await free;
    try {
      this.#requireAppendable();
    } catch (error) {
      memory.release(buffer);
      throw error;
    }
    this.#wakeFor(accumulator.open(record, topic, buffer, clock.now()));
    return true;
  }

  /** Whether the topic of a record is known, but does not have the partition that the record is for. */
  lacksPartition({ topic: name, partition }: SerializedRecord<K, V>): boolean {
    const topic = this.#parts.client.metadata.snapshot.topics.get(name);
    return topic !== undefined && typeof partition === "number" && partition >= topic.partitions.length;
  }

  /**
   * Waits until a topic has a certain partition; one may have been added a moment ago.
   *
   * @throws TimeoutError after the deadline, with what the cluster said of the topic; BrokerError where it refuses to tell; the reason of
   *   the signal
   */
  async awaitTopic(
    name: string,
    partition: number,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<TopicSnapshot> {
    const { client, clock, metrics } = this.#parts;
    const { metadata } = client;
    metadata.add([name]);
    const what =
      partition === 0 ? `topic ${name} in the metadata` : `partition ${partition} of topic ${name} in the metadata`;
    const find = () => {
      const error = metadata.fatalErrorOf(name);
      if (error !== null) throw error;
      const topic = metadata.snapshot.topics.get(name);
      return topic !== undefined && partition < topic.partitions.length ? topic : null;
    };
    const sinceMs = clock.now();
    try {
      return await client.awaitMetadata(deadline, what, find, { signal });
    } catch (error) {
      const cause = metadata.errorOf(name);
      const isUnexplained = error instanceof TimeoutError && error.cause === undefined && cause !== null;
      throw isUnexplained ? new TimeoutError(what, error.afterMs, { cause }) : error;
    } finally {
      metrics.called("metadataWait", sinceMs);
    }
  }

  /** Takes no record any more. */
  close(): void {
    this.#isClosed = true;
  }

  #requireAppendable(): void {
    if (this.#isClosed) throw new ClosedError("producer");
    this.#parts.transactions?.requireAppendable();
  }

  #wakeFor({ full, opened }: Appended): void {
    if (full || opened) this.#parts.wake();
  }

  async #awaitMemory(bytes: number, deadline: Deadline, signal: AbortSignal | undefined): Promise<Buffer> {
    const { clock, memory, metrics } = this.#parts;
    const sinceMs = clock.now();
    let isInVain = false;
    try {
      return await memory.wait(bytes, deadline, signal);
    } catch (error) {
      isInVain = error instanceof TimeoutError;
      throw error;
    } finally {
      metrics.memoryAwaited(sinceMs, isInVain);
    }
  }
}
