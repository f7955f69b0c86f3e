import { type Clock, Deadline } from "@odradek/network";
import type { SerializedRecord } from "./producer-record.ts";

/** A record that could not be appended at once. */
interface BlockedSend<K, V> {
  readonly record: SerializedRecord<K, V>;
  readonly deadline: Deadline;
  /** Called when it was appended, or failed. */
  onEnd: (() => void) | null;
}

/** The blocked records of one topic, first come first. */
interface TopicLine<K, V> {
  readonly sends: BlockedSend<K, V>[];
  /** Where the line begins in `sends`; what stands before is done. */
  head: number;
}

/** What becomes of blocked records. */
export interface BlockedSendsHandler<K, V> {
  /** Appends a record: at once where it can (`null`), else when metadata and memory are there. */
  admit(record: SerializedRecord<K, V>, deadline: Deadline): Promise<void> | null;
  /** Tells a record that it will not be appended. */
  fail(record: SerializedRecord<K, V>, error: unknown): void;
}

/**
 * Records that wait for the metadata of their topic or for memory. Each topic has its line: as long as one of its
 * records waits, those sent later queue up behind it, so that none overtakes another.
 */
export class BlockedSends<K, V> {
  readonly #clock: Clock;
  readonly #maxBlockMs: number;
  readonly #handler: BlockedSendsHandler<K, V>;
  readonly #lines = new Map<string, TopicLine<K, V>>();

  constructor(clock: Clock, maxBlockMs: number, handler: BlockedSendsHandler<K, V>) {
    this.#clock = clock;
    this.#maxBlockMs = maxBlockMs;
    this.#handler = handler;
  }

  /** Whether a record of this topic would overtake one that waits. */
  has(topic: string): boolean {
    return this.#lines.size > 0 && this.#lines.has(topic);
  }

  /** Queues a record up. Its time, `maxBlockMs`, runs from here. */
  add(record: SerializedRecord<K, V>): void {
    const send = { record, deadline: new Deadline(this.#clock, this.#maxBlockMs), onEnd: null };
    const line = this.#lines.get(record.topic);
    if (line !== undefined) {
      line.sends.push(send);
      return;
    }
    const begun: TopicLine<K, V> = { sends: [send], head: 0 };
    this.#lines.set(record.topic, begun);
    void this.#advance(record.topic, begun);
  }

  /** Resolves when every record that waits now was appended or has failed. */
  async settled(): Promise<void> {
    await Promise.all(
      Array.from(this.#lines.values(), ({ sends }) => {
        const last = sends.at(-1);
        return new Promise<void>((resolve) => {
          if (last === undefined) resolve();
          else last.onEnd = chained(last.onEnd, resolve);
        });
      }),
    );
  }

  async #advance(topic: string, line: TopicLine<K, V>): Promise<void> {
    for (let send = line.sends[0]; send !== undefined; send = line.sends[line.head]) {
      try {
        const admitted = this.#handler.admit(send.record, send.deadline);
        if (admitted !== null) await admitted;
      } catch (error) {
        this.#handler.fail(send.record, error);
      }
      send.onEnd?.();
      line.head += 1;
      // An array that is shifted at every step is moved as a whole each time; half of it at a time costs next to nothing.
      if (line.head >= 64 && 2 * line.head >= line.sends.length) line.head -= line.sends.splice(0, line.head).length;
    }
    this.#lines.delete(topic);
  }
}

const chained = (first: (() => void) | null, second: () => void): (() => void) =>
  first === null
    ? second
    : () => {
        first();
        second();
      };
