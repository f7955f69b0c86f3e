import { BrokerError, brokerErrorByCode, type ResponseOf } from "@odradek/protocol";
import type { Metadata as MetadataApi } from "@odradek/protocol/messages/metadata";
import { type Backoff, exponentialBackoff } from "./backoff.ts";
import type { ResolvedClientOptions } from "./client-options.ts";
import type { Clock } from "./clock.ts";
import { bootstrapSnapshot, type ClusterSnapshot, isSameCluster, updatedSnapshot } from "./cluster-snapshot.ts";

/** Which topics an update asks for; `null` for all of them. */
export type MetadataQuestion = readonly string[] | null;

/**
 * What one client knows of the cluster, and when it must ask again. It asks nobody itself: `NetworkClient` does, when
 * `dueAtMs` has come. Source: Kafka's `Metadata`, KIP-580 for the back-off.
 */
export class Metadata {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #backoff: Backoff;
  readonly #topics = new Set<string>();
  #snapshot: ClusterSnapshot;
  #isRequested = true;
  /** Updates in a row that failed or brought nothing new: asking on and on would not make it come sooner. */
  #fruitless = 0;
  /** The earliest moment for the next one, after a back-off that grows with the fruitless ones. */
  #allowedAtMs = Number.NEGATIVE_INFINITY;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;

  constructor(options: ResolvedClientOptions, clock: Clock) {
    this.#clock = clock;
    this.#maxAgeMs = options.metadataMaxAgeMs;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
    this.#snapshot = bootstrapSnapshot(options.bootstrapServers);
  }

  get snapshot(): ClusterSnapshot {
    return this.#snapshot;
  }

  /** The topics that updates ask for. */
  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  /** Adds topics to those that are kept up to date; new ones are asked for at once. */
  add(topics: Iterable<string>): void {
    for (const topic of topics) {
      if (this.#topics.has(topic)) continue;
      this.#topics.add(topic);
      this.#isRequested = true;
      this.#allowedAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  /** Keeps exactly these topics up to date. */
  retain(topics: Iterable<string>): void {
    const wanted = new Set(topics);
    for (const topic of this.#topics) if (!wanted.has(topic)) this.#topics.delete(topic);
    this.add(wanted);
  }

  /** Says that what is known seems to be wrong: it is asked for again as soon as the back-off allows. */
  requestUpdate(): void {
    this.#isRequested = true;
  }

  /** When the next update is due, in the clock's time. */
  get dueAtMs(): number {
    return Math.max(
      this.#allowedAtMs,
      this.#isRequested ? Number.NEGATIVE_INFINITY : this.#lastSuccessMs + this.#maxAgeMs,
    );
  }

  /** What to ask: the topics in use; none of them costs the broker nothing. */
  get question(): MetadataQuestion {
    return [...this.#topics];
  }

  /** An update is being asked for: what is requested from now on is for the one after it. */
  started(): void {
    this.#isRequested = false;
  }

  /** An update came to nothing; it is due again after the back-off. */
  failed(): void {
    this.#isRequested = true;
    this.#backOff();
  }

  /** Takes an answer. Topics that are not whole yet stay requested: a leader election takes a moment. */
  update(response: ResponseOf<typeof MetadataApi>): void {
    if (response.brokers.length === 0) {
      this.failed();
      return;
    }
    const before = this.#snapshot;
    const told = new Set(response.topics.map(({ name }) => name));
    this.#snapshot = updatedSnapshot(before, response, (topic) => this.#topics.has(topic) && !told.has(topic));
    this.#lastSuccessMs = this.#clock.now();
    if ([...this.#topics].some((topic) => this.#isTransient(topic))) this.#isRequested = true;
    if (isSameCluster(before, this.#snapshot)) {
      this.#backOff();
    } else {
      this.#fruitless = 0;
      this.#allowedAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  /** The error of a topic that asking again will not mend, such as a denied or an invalid one; `null` otherwise. */
  fatalErrorOf(topic: string): BrokerError | null {
    const code = this.#snapshot.topicErrors.get(topic);
    if (code === undefined || brokerErrorByCode(code).retriable) return null;
    return new BrokerError(code, `topic ${topic}`);
  }

  /** Whether a topic has an error, or a partition without a leader, that is expected to pass. */
  #isTransient(topic: string): boolean {
    const code = this.#snapshot.topicErrors.get(topic);
    if (code !== undefined) return brokerErrorByCode(code).retriable;
    return this.#snapshot.topics.get(topic)?.partitions.some(({ leaderId }) => leaderId === null) ?? false;
  }

  #backOff(): void {
    this.#allowedAtMs = this.#clock.now() + this.#backoff(this.#fruitless);
    this.#fruitless += 1;
  }
}
