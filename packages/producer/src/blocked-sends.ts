import { type Clock, Deadline } from "@odradek/network";
import type { SerializedRecord } from "./producer-record.ts";

/** A record that could not be appended at once. */
interface BlockedSend<K, V> {
  readonly record: SerializedRecord<K, V>;
  readonly deadline: Deadline;
  /** Called when it was appended, or failed. */
  onEnd: (() => void) | null;
}

/** Blocked records of one topic, first come first. */
interface Line<K, V> {
  readonly key: string;
  readonly sends: BlockedSend<K, V>[];
  /** Where the line begins in `sends`; what stands before is done. */
  head: number;
}

/** What becomes of blocked records. */
export interface BlockedSendsHandler<K, V> {
  /** Whether the topic of a record is known, but does not have the partition that the record is for. */
  lacksPartition(record: SerializedRecord<K, V>): boolean;
  /**
   * Appends a record: at once where it can (`null`), else when metadata and memory are there. It may find out meanwhile
   * that the topic lacks the partition; then it gives false instead of waiting for that in the line of the topic.
   */
  admit(record: SerializedRecord<K, V>, deadline: Deadline): Promise<boolean> | null;
  /** Tells a record that it will not be appended. */
  fail(record: SerializedRecord<K, V>, error: unknown): void;
}

/**
 * Records that wait for the metadata of their topic or for memory. Each topic has its line: as long as one of its
 * records waits, those sent later queue up behind it, so that none overtakes another. Those for a partition that the topic
 * does not have wait in a line of their own, as they can overtake nothing in other partitions and may wait in vain.
 */
export class BlockedSends<K, V> {
  readonly #clock: Clock;
  readonly #maxBlockMs: number;
  readonly #handler: BlockedSendsHandler<K, V>;
  readonly #lines = new Map<string, Line<K, V>>();

  constructor(clock: Clock, maxBlockMs: number, handler: BlockedSendsHandler<K, V>) {
    this.#clock = clock;
    this.#maxBlockMs = maxBlockMs;
    this.#handler = handler;
  }

  /** Whether this record would overtake one that waits. */
  isBehind(record: SerializedRecord<K, V>): boolean {
    return this.#lines.size > 0 && this.#lines.has(this.#keyOf(record));
  }

  /** Queues a record up. Its time, `maxBlockMs`, runs from here. */
  add(record: SerializedRecord<K, V>): void {
    this.#join({ record, deadline: new Deadline(this.#clock, this.#maxBlockMs), onEnd: null });
  }

  /** Resolves when every record that waits now was appended or has failed. */
  async settled(): Promise<void> {
    await Promise.all(
      // Not only the last of each line: one before it may go over to another line, and stay longer.
      Array.from(this.#lines.values(), ({ sends, head }) => sends.slice(head))
        .flat()
        .map(
          (send) =>
            new Promise<void>((resolve) => {
              send.onEnd = chained(send.onEnd, resolve);
            }),
        ),
    );
  }

  #keyOf(record: SerializedRecord<K, V>): string {
    const { topic, partition } = record;
    if (typeof partition !== "number") return topic;
    // No topic has such a name.
    const key = `${topic}/${partition}`;
    return this.#lines.has(key) || this.#handler.lacksPartition(record) ? key : topic;
  }

  #join(send: BlockedSend<K, V>): void {
    const key = this.#keyOf(send.record);
    const line = this.#lines.get(key);
    if (line !== undefined) {
      line.sends.push(send);
      return;
    }
    const begun: Line<K, V> = { key, sends: [send], head: 0 };
    this.#lines.set(key, begun);
    // Nobody is called back inside of their own call.
    queueMicrotask(() => void this.#advance(begun));
  }

  async #advance(line: Line<K, V>): Promise<void> {
    for (let send = line.sends[0]; send !== undefined; send = line.sends[line.head]) {
      let isElsewhere = this.#keyOf(send.record) !== line.key;
      try {
        const admitted = isElsewhere ? null : this.#handler.admit(send.record, send.deadline);
        if (admitted !== null) isElsewhere = !(await admitted);
      } catch (error) {
        this.#handler.fail(send.record, error);
      }
      if (isElsewhere) this.#join(send);
      else send.onEnd?.();
      line.head += 1;
      // An array that is shifted at every step is moved as a whole each time; half of it at a time costs next to nothing.
      if (line.head >= 64 && 2 * line.head >= line.sends.length) line.head -= line.sends.splice(0, line.head).length;
    }
    this.#lines.delete(line.key);
  }
}

const chained = (first: (() => void) | null, second: () => void): (() => void) =>
  first === null
    ? second
    : () => {
        first();
        second();
      };
