import type { FetchMetrics } from "../metrics/fetch-metrics.ts";
import type { PartitionState } from "../positions/partition-state.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import type { ConsumerRecord } from "../records/consumer-record.ts";
import type { PartitionSpan } from "../records/consumer-records.ts";
import type { CompletedFetch } from "./completed-fetch.ts";
import { DecompressionTally } from "./decompression.ts";

/** What is handed out at once. */
export interface Drained<K, V> {
  readonly records: readonly ConsumerRecord<K, V>[];
  readonly spans: readonly PartitionSpan[];
}

/**
 * What brokers have answered and nobody has polled yet, in the order in which it came; at most one answer for each
 * partition. Source: Kafka's `FetchBuffer` and `FetchCollector`.
 */
export class FetchBuffer<K, V> {
  readonly #subscription: SubscriptionState;
  readonly #metrics: Pick<FetchMetrics, "drained"> | null;
  readonly #completed = new Map<PartitionState, CompletedFetch<K, V>>();

  /** @param metrics `null` where nobody measures */
  constructor(subscription: SubscriptionState, metrics: Pick<FetchMetrics, "drained"> | null = null) {
    this.#subscription = subscription;
    this.#metrics = metrics;
  }

  /** Takes an answer. An earlier one for the same partition is void, or has the same records: of the leader and of another replica. */
  add(completed: CompletedFetch<K, V>): void {
    this.#completed.delete(completed.state);
    this.#completed.set(completed.state, completed);
  }

  /** Whether records of a partition wait here, at the partition's position. */
  has(state: PartitionState): boolean {
    const completed = this.#completed.get(state);
    return completed !== undefined && this.#isValid(completed);
  }

  /** Bytes that wait to be polled. What is paused does not count: it may wait long, and must not keep others from being fetched. */
  get fetchableBytes(): number {
    let bytes = 0;
    for (const completed of this.#completed.values()) {
      if (completed.state.isFetchable && this.#isValid(completed)) bytes += completed.sizeInBytes;
    }
    return bytes;
  }

  /** Lets go of what a seek, a new assignment or another leader has made void. */
  prune(): void {
    for (const [state, completed] of this.#completed) if (!this.#isValid(completed)) this.#completed.delete(state);
  }

  /**
   * Hands out up to `maxRecords`, and moves the positions of their partitions behind them. What is paused stays, and
   * what waits to be validated; what is void goes.
   *
   * @returns `null` where nothing can be handed out now; no records where all that was decompressed held none to be
   *   seen, so that who waits gives others their turn before more is
   * @throws CorruptLogError where what comes first cannot be read
   */
  drain(maxRecords: number): Drained<K, V> | null {
    const records: ConsumerRecord<K, V>[] = [];
    const spans: PartitionSpan[] = [];
    const decompressed = new DecompressionTally();
    for (const [state, completed] of this.#completed) {
      if (!this.#isValid(completed)) {
        this.#completed.delete(state);
        continue;
      }
      if (!state.isFetchable) continue;
      const start = records.length;
      try {
        completed.take(maxRecords - start, records, decompressed);
      } catch (error) {
        // What was read before goes out first; the next call finds the error again.
        if (records.length === 0) {
          // Fetched anew by the next poll: the bytes may have changed on the way.
          this.#completed.delete(state);
          throw error;
        }
      }
      const next = completed.position;
      if (next !== state.position) state.advance(next);
      if (completed.isDrained) this.#completed.delete(state);
      const { topic, partition } = state;
      if (records.length > start) {
        spans.push({ topic, partition, start, end: records.length, next });
        this.#metrics?.drained(state, records.length - start);
      }
      if (records.length >= maxRecords || decompressed.isFull) break;
    }
    return records.length === 0 && !decompressed.isFull ? null : { records, spans };
  }

  /** Void after a seek or a new assignment, and where another leads by now, in whose log other records may be. */
  #isValid({ state, position, leaderEpoch }: CompletedFetch<K, V>): boolean {
    const isOfLog = leaderEpoch === null || state.isLedIn(leaderEpoch);
    return state.position === position && isOfLog && this.#subscription.has(state);
  }
}
