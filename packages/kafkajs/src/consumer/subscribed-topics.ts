import { KafkaJSNonRetriableError } from "../errors/errors.ts";

/** @deprecated Use ConsumerSubscribeTopics */
export interface ConsumerSubscribeTopic {
  topic: string | RegExp;
  fromBeginning?: boolean;
}

export interface ConsumerSubscribeTopics {
  topics: (string | RegExp)[];
  /** Whether a partition of which the group has committed nothing is read from its first message on. @default false */
  fromBeginning?: boolean;
}

/** What a consumer subscribed to. */
export class SubscribedTopics {
  readonly #names = new Map<string, boolean>();
  readonly #patterns = new Map<RegExp, boolean>();

  /** @throws KafkaJSNonRetriableError for what are no topics */
  add(given: ConsumerSubscribeTopics | ConsumerSubscribeTopic): void {
    const { fromBeginning = false } = given;
    const topics: unknown = "topics" in given ? given.topics : [given.topic];
    if (!topics || (Array.isArray(topics) && topics.length === 1 && !topics[0] && !("topics" in given))) {
      throw new KafkaJSNonRetriableError('Missing required argument "topics"');
    }
    if (!Array.isArray(topics)) throw new KafkaJSNonRetriableError('Argument "topics" must be an array');
    const checked = topics.map((topic: unknown) => {
      if (typeof topic === "string" || topic instanceof RegExp) return topic;
      throw new KafkaJSNonRetriableError(
        `Invalid topic ${String(topic)} (${typeof topic}), the topic name has to be a String or a RegExp`,
      );
    });
    for (const topic of checked) {
      if (typeof topic === "string") this.#names.set(topic, fromBeginning);
      else this.#patterns.set(topic, fromBeginning);
    }
  }

  /** As the layer below takes them, which may not be none: who subscribed to nothing is in its group, and has nothing to do. */
  get topics(): readonly string[] | RegExp {
    const names = [...this.#names.keys()];
    const isPattern = this.#patterns.size > 0 || names.length === 0;
    return isPattern ? new AnyOf(names, [...this.#patterns.keys()]) : names;
  }

  isFromBeginning(topic: string): boolean {
    const named = this.#names.get(topic);
    if (named !== undefined) return named;
    return [...this.#patterns].find(([pattern]) => matches(pattern, topic))?.[1] ?? false;
  }

  /** Whether all begin at the same end. `null` where they do not. */
  get allFromBeginning(): boolean | null {
    const [first = false, ...others] = [...this.#names.values(), ...this.#patterns.values()];
    return others.every((other) => other === first) ? first : null;
  }
}

/** A pattern with `g` goes on where it last matched, unless it is told to begin anew. */
function matches(pattern: RegExp, topic: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(topic);
}

/** Names and patterns with their own flags, as one pattern. */
class AnyOf extends RegExp {
  readonly #names: ReadonlySet<string>;
  readonly #patterns: readonly RegExp[];

  constructor(names: readonly string[], patterns: readonly RegExp[]) {
    super(patterns.map(({ source }) => `(?:${source})`).join("|"));
    this.#names = new Set(names);
    this.#patterns = patterns;
  }

  override test(topic: string): boolean {
    return this.#names.has(topic) || this.#patterns.some((pattern) => matches(pattern, topic));
  }
}
