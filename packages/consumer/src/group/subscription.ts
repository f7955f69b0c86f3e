import { type Metadata, OptionsError, StateError } from "@odradek/network";
import type { ConsumerRebalanceListener } from "./rebalance-listener.ts";

/** How a consumer comes to its partitions. Kafka's `SubscriptionType`. */
export type SubscriptionType = "NONE" | "AUTO_TOPICS" | "AUTO_PATTERN" | "AUTO_PATTERN_RE2J" | "USER_ASSIGNED";

const nothing: ReadonlySet<string> = new Set();

/** How each is asked for, for messages. */
const texts: Readonly<Record<SubscriptionType, string>> = {
  NONE: "nothing",
  AUTO_TOPICS: "topics by name",
  AUTO_PATTERN: "topics by pattern",
  AUTO_PATTERN_RE2J: "topics by the broker's pattern",
  USER_ASSIGNED: "partitions by assign",
};

/**
 * A pattern that the broker holds against the names of topics, in the syntax of RE2; for groups of the consumer protocol (KIP-848).
 * It matches whole names. Source: Kafka's `SubscriptionPattern`.
 */
export class SubscriptionPattern {
  readonly pattern: string;

  /** @throws OptionsError for no text */
  constructor(pattern: string) {
    if (typeof pattern !== "string" || pattern === "")
      throw new OptionsError("pattern", pattern, "a text that is not empty");
    this.pattern = pattern;
  }
}

/**
 * What the user wants to read: topics whose partitions a group divides among its members, or partitions of their own choice.
 * Source: the part of Kafka's `SubscriptionState` about that.
 */
export class Subscription {
  #type: SubscriptionType = "NONE";
  #topics = nothing;
  #pattern: RegExp | null = null;
  #serverPattern: string | null = null;
  #listener: ConsumerRebalanceListener | null = null;
  /** When that was known which the pattern was last held against; `null` where it was not. */
  #matchedAtMs: number | null = null;
  /** When that was known which is of before the pattern, and so need not hold all topics. */
  #staleAtMs = Number.NEGATIVE_INFINITY;
  readonly #excludeInternalTopics: boolean;

  constructor(options: { readonly excludeInternalTopics: boolean }) {
    this.#excludeInternalTopics = options.excludeInternalTopics;
  }

  get type(): SubscriptionType {
    return this.#type;
  }

  /** Whether a group assigns the partitions. */
  get isAutomatic(): boolean {
    return this.#type.startsWith("AUTO");
  }

  /** Whether it is known what the pattern matches. */
  get isKnown(): boolean {
    return (
      this.#type === "AUTO_TOPICS" ||
      this.#type === "AUTO_PATTERN_RE2J" ||
      (this.#type === "AUTO_PATTERN" && this.#matchedAtMs !== null)
    );
  }

  /** The topics by name, or those that the pattern matches so far: another set whenever they change. */
  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  /** The pattern that the broker matches; `null` for none. */
  get serverPattern(): string | null {
    return this.#serverPattern;
  }

  /** Whether it takes to know of all topics: to match them, or to know the names of those that the broker matches. */
  get concernsAllTopics(): boolean {
    return this.#pattern !== null || this.#serverPattern !== null;
  }

  get listener(): ConsumerRebalanceListener | null {
    return this.#listener;
  }

  /** @throws StateError after another way of asking, OptionsError */
  subscribe(topics: readonly string[], listener: ConsumerRebalanceListener | null): void {
    this.#turn("AUTO_TOPICS");
    this.#listener = listener;
    this.#replace(new Set(topics));
  }

  /** @param updatedAtMs when it was last asked which topics there are @throws StateError after another way of asking */
  subscribePattern(pattern: RegExp, listener: ConsumerRebalanceListener | null, updatedAtMs: number): void {
    this.#turn("AUTO_PATTERN");
    this.#listener = listener;
    this.#pattern = pattern;
    this.#matchedAtMs = null;
    this.#staleAtMs = updatedAtMs;
  }

  /** @throws StateError after another way of asking */
  subscribeServerPattern({ pattern }: SubscriptionPattern, listener: ConsumerRebalanceListener | null): void {
    this.#turn("AUTO_PATTERN_RE2J");
    this.#listener = listener;
    this.#serverPattern = pattern;
    // Another set, which says that something has changed.
    this.#topics = new Set();
  }

  /** @throws StateError after another way of asking */
  assign(): void {
    this.#turn("USER_ASSIGNED");
  }

  clear(): void {
    this.#type = "NONE";
    this.#topics = nothing;
    this.#pattern = null;
    this.#serverPattern = null;
    this.#listener = null;
    this.#matchedAtMs = null;
  }

  /** Whether it takes to know of a topic. */
  concerns(topic: string, isInternal: boolean): boolean {
    return this.#serverPattern !== null || this.#takes(topic, isInternal);
  }

  #takes(topic: string, isInternal: boolean): boolean {
    if (this.#pattern === null || (isInternal && this.#excludeInternalTopics)) return false;
    // One with the flag g or y goes on where it last stopped, unless it is told otherwise.
    this.#pattern.lastIndex = 0;
    return this.#pattern.test(topic);
  }

  /** Holds the pattern, where there is one, against the topics that there are. */
  match({ snapshot, updatedAtMs }: Pick<Metadata, "snapshot" | "updatedAtMs">): void {
    if (this.#pattern === null || updatedAtMs === this.#staleAtMs || updatedAtMs === this.#matchedAtMs) return;
    this.#matchedAtMs = updatedAtMs;
    const matched = [...snapshot.topics.values()].filter(({ name, isInternal }) => this.#takes(name, isInternal));
    this.#replace(new Set(matched.map(({ name }) => name)));
  }

  #replace(topics: ReadonlySet<string>): void {
    const isSame = topics.size === this.#topics.size && [...topics].every((topic) => this.#topics.has(topic));
    if (!isSame) this.#topics = topics;
  }

  #turn(type: SubscriptionType): void {
    if (this.#type !== "NONE" && this.#type !== type) {
      throw new StateError(
        `this consumer reads ${texts[this.#type]}, which does not go together with ${texts[type]}: unsubscribe first`,
      );
    }
    this.#type = type;
  }
}

/** @throws OptionsError for what names no topics */
export function checkedTopics(topics: readonly string[]): readonly string[] {
  if (topics.length === 0)
    throw new OptionsError("topics", topics, "at least one topic, to give up all call unsubscribe;");
  topics.forEach((topic, index) => {
    if (typeof topic !== "string" || topic.trim() === "") {
      throw new OptionsError(`topics[${index}]`, topic, "the name of a topic");
    }
  });
  return topics;
}
