import type { Clock } from "./clock.ts";
import { isEncodableName } from "./topic-name.ts";

/** Which topics are wanted, where they are not known by name. */
export type TopicFilter = (topic: string, isInternal: boolean) => boolean;

/**
 * The topics that a client wants to know of: by name, unless nobody uses them for too long, and by a filter. Source: Kafka's
 * `ProducerMetadata` and `ConsumerMetadata`.
 */
export class WantedTopics {
  readonly #clock: Clock;
  readonly #maxIdleMs: number;
  /** When somebody last used them, by name. */
  readonly #used = new Map<string, number>();
  /** Those of them that nobody was asked for yet. */
  readonly #new = new Set<string>();
  #filter: TopicFilter | null = null;

  constructor(clock: Clock, maxIdleMs: number) {
    this.#clock = clock;
    this.#maxIdleMs = maxIdleMs;
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#used.keys());
  }

  /** Whether only an answer about every topic there is will do. */
  get areFiltered(): boolean {
    return this.#filter !== null;
  }

  /** Whether there are topics that nobody was asked for yet. */
  get haveNew(): boolean {
    return this.#new.size > 0;
  }

  /** @returns whether one of them is new */
  add(topics: Iterable<string>): boolean {
    const nowMs = this.#clock.now();
    let isNew = false;
    for (const topic of topics) {
      if (!this.#used.has(topic)) {
        // One that cannot be encoded would have every question fail, also those for the others.
        if (!isEncodableName(topic)) continue;
        this.#new.add(topic);
        isNew = true;
      }
      this.#used.set(topic, nowMs);
    }
    return isNew;
  }

  /** Wants exactly these. @returns whether one of them is new */
  retain(topics: Iterable<string>): boolean {
    const wanted = new Set(topics);
    for (const topic of this.#used.keys()) {
      if (wanted.has(topic)) continue;
      this.#used.delete(topic);
      this.#new.delete(topic);
    }
    this.#filter = null;
    return this.add(wanted);
  }

  /** Wants what passes, besides the names. @returns whether the filter is new */
  retainAll(filter: TopicFilter): boolean {
    const isNew = filter !== this.#filter;
    this.#filter = filter;
    return isNew;
  }

  hasName(topic: string): boolean {
    return this.#used.has(topic);
  }

  has(topic: string, isInternal: boolean): boolean {
    return this.#used.has(topic) || this.#filter?.(topic, isInternal) === true;
  }

  /** What to ask for where the rest is fresh: the new ones, which are not new any more. */
  takeNew(): string[] {
    const topics = [...this.#new];
    this.#new.clear();
    return topics;
  }

  /** They were asked for in vain: those that are still wanted are new again. */
  putBack(topics: Iterable<string>): void {
    for (const topic of topics) if (this.#used.has(topic)) this.#new.add(topic);
  }

  /** What to ask for: the names, without those that nobody used for too long; `null` for every topic there is. */
  takeAll(): string[] | null {
    const usedSinceMs = this.#clock.now() - this.#maxIdleMs;
    for (const [topic, usedMs] of this.#used) {
      if (usedMs <= usedSinceMs && !this.#new.has(topic)) this.#used.delete(topic);
    }
    this.#new.clear();
    return this.#filter === null ? [...this.#used.keys()] : null;
  }
}
