import type { Logger, OffsetAndMetadata } from "@odradek/network";
import type { Drained } from "./fetch/fetch-buffer.ts";
import type { ConsumerRecord } from "./records/consumer-record.ts";
import { ConsumerRecords } from "./records/consumer-records.ts";

/**
 * Looks at records on their way to the application, and at what is committed. Every method is optional. What one throws is logged, and
 * changes nothing for the records and for other interceptors. Source: Kafka's `ConsumerInterceptor`.
 */
export interface ConsumerInterceptor<K = Uint8Array, V = Uint8Array> {
  /**
   * Called with records that a poll, or a loop (`records`, `batches`), is about to hand out, and never without any; in the way of
   * everything else: it should be quick. Each interceptor gets what the one before gave.
   *
   * @returns the records to be handed out: the same, fewer (`records.filter`), or others in their place (`records.map` with
   *   `record.with`). Positions move behind all of them as if they had been handed out, so what is left out counts as done with.
   *   A poll whose records are all left out is empty before its time is over; its `nextOffsets()` tell of them nevertheless
   */
  onConsume?(records: ConsumerRecords<K, V>): ConsumerRecords<K, V>;
  /**
   * The group has committed these offsets: by `commitSync` or `commitAsync`, by itself (`enableAutoCommit`), before a rebalance or in
   * `close`. Called before who waits for the commit is told.
   */
  onCommit?(offsets: readonly OffsetAndMetadata[]): void;
  /** The consumer is closed. */
  close?(): void;
}

/** The interceptors of a consumer, in their order. Source: Kafka's `ConsumerInterceptors`. */
export class ConsumerInterceptors<K, V> {
  readonly #interceptors: readonly ConsumerInterceptor<K, V>[];
  readonly #logger: Logger;

  constructor(interceptors: readonly ConsumerInterceptor<K, V>[], logger: Logger) {
    this.#interceptors = interceptors;
    this.#logger = logger;
  }

  /** What is to be handed out, by the same partitions, of which some may have no records left. It never throws: the last that an interceptor gave goes on. */
  onConsume(drained: Drained<K, V>): Drained<K, V> {
    let current = drained;
    for (const interceptor of this.#interceptors) {
      if (interceptor.onConsume === undefined || current.records.length === 0) continue;
      const given = new ConsumerRecords(current.records, current.spans);
      try {
        const returned = interceptor.onConsume(given);
        this.#watch("onConsume", returned);
        if (returned !== given) current = spanned(returned, current);
      } catch (error) {
        this.#warn("onConsume", error);
      }
    }
    return current;
  }

  onCommit(offsets: readonly OffsetAndMetadata[]): void {
    for (const interceptor of this.#interceptors) {
      try {
        this.#watch("onCommit", interceptor.onCommit?.(offsets));
      } catch (error) {
        this.#warn("onCommit", error);
      }
    }
  }

  close(): void {
    for (const interceptor of this.#interceptors) {
      try {
        this.#watch("close", interceptor.close?.());
      } catch (error) {
        this.#warn("close", error);
      }
    }
  }

  /** An async function is an interceptor too, as far as types go, and its rejection would end the process. */
  #watch(method: string, returned: unknown): void {
    if (returned instanceof Promise) returned.catch((error: unknown) => this.#warn(method, error));
  }

  #warn(method: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.warn(`${method} of an interceptor failed: ${reason}`);
  }
}

/**
 * What an interceptor gave, by the partitions of what it got. A loop that is left takes positions back to the offsets of records, so
 * there must be no other ones among them.
 *
 * @param returned anything, where the interceptor has no types
 * @throws TypeError for anything but records that it got, or that are in their place
 */
function spanned<K, V>(returned: ConsumerRecords<K, V>, got: Drained<K, V>): Drained<K, V> {
  if (!(returned instanceof ConsumerRecords)) throw new TypeError("it gave no ConsumerRecords");
  const records: ConsumerRecord<K, V>[] = [];
  const spans = got.spans.map((span) => {
    const start = records.length;
    const kept = returned.records(span);
    if (!isWithin(kept, got.records.slice(span.start, span.end))) throw new TypeError(foreign);
    for (const record of kept) records.push(record);
    return { ...span, start, end: records.length };
  });
  if (records.length !== returned.count) throw new TypeError(foreign);
  return { records, spans };
}

const foreign = "it gave records that it did not get";

/** Whether the offsets of some records are among those of others; both are in order, as all are that polls give. */
function isWithin(some: readonly ConsumerRecord<unknown, unknown>[], all: typeof some): boolean {
  const [first] = some;
  const last = some.at(-1);
  if (first === undefined || last === undefined) return true;
  const [from] = all;
  const to = all.at(-1);
  return from !== undefined && to !== undefined && from.offset <= first.offset && last.offset <= to.offset;
}
