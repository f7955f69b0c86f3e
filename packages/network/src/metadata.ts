import { BrokerError, brokerErrorByCode } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { type Backoff, exponentialBackoff } from "./backoff.ts";
import type { ResolvedClientOptions } from "./client-options.ts";
import type { Clock } from "./clock.ts";
import {
  bootstrapSnapshot,
  type ClusterSnapshot,
  isSameCluster,
  leaderOf,
  updatedSnapshot,
} from "./cluster-snapshot.ts";

/**
 * What one client knows of the cluster, and when it must ask again. It asks nobody itself: `MetadataUpdater` does, when
 * `dueAtMs` has come. Source: Kafka's `Metadata`, KIP-580 for the back-off.
 */
export class Metadata {
  readonly #clock: Clock;
  readonly #onRequested: () => void;
  readonly #maxAgeMs: number;
  readonly #backoff: Backoff;
  readonly #topics = new Set<string>();
  #snapshot: ClusterSnapshot;
  #isRequested = true;
  /** Topics were added that nobody was asked for yet: no back-off is in their way. */
  #isUrgent = false;
  /** Updates in a row that failed or brought nothing new: asking on and on would not make it come sooner. */
  #fruitless = 0;
  /** The earliest moment for the next one, after a back-off that grows with the fruitless ones. */
  #allowedAtMs = Number.NEGATIVE_INFINITY;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;

  /** @param onRequested called when an update is wanted sooner than it was, so that `dueAtMs` is worth looking at */
  constructor(options: ResolvedClientOptions, clock: Clock, onRequested: () => void) {
    this.#clock = clock;
    this.#onRequested = onRequested;
    this.#maxAgeMs = options.metadataMaxAgeMs;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
    this.#snapshot = bootstrapSnapshot(options.bootstrapServers);
  }

  get snapshot(): ClusterSnapshot {
    return this.#snapshot;
  }

  /** The topics that updates ask for; where there are none, the question costs the brokers nothing. */
  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  /** Adds topics to those that are kept up to date; new ones are asked for at once. */
  add(topics: Iterable<string>): void {
    const before = this.#topics.size;
    for (const topic of topics) this.#topics.add(topic);
    if (this.#topics.size === before) return;
    this.#isUrgent = true;
    this.requestUpdate();
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
    this.#onRequested();
  }

  /** When the next update is due, in the clock's time. */
  get dueAtMs(): number {
    if (this.#isUrgent) return Number.NEGATIVE_INFINITY;
    return this.#isRequested ? this.#allowedAtMs : Math.max(this.#allowedAtMs, this.#lastSuccessMs + this.#maxAgeMs);
  }

  /** An update is being asked for: what is requested from now on is for the one after it. */
  started(): void {
    // That nothing is new where only the age made us ask is no sign that asking is in vain.
    if (!this.#isRequested) this.#fruitless = 0;
    this.#isRequested = false;
    this.#isUrgent = false;
  }

  /** An update came to nothing; it is due again after the back-off. */
  failed(): void {
    this.#isRequested = true;
    this.#backOff();
    this.#fruitless += 1;
  }

  /**
   * Takes an answer. Topics that are not whole yet stay requested: a leader election takes a moment.
   *
   * @param version the version of Metadata that it came in
   * @throws BrokerError, DecodeError where it cannot be used; what is known stays
   */
  update(response: MetadataResponse, version: number): void {
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "Metadata");
    const before = this.#snapshot;
    this.#snapshot = updatedSnapshot(before, response, { version, kept: (topic) => this.#topics.has(topic) });
    this.#lastSuccessMs = this.#clock.now();
    if ([...this.#topics].some((topic) => this.#isTransient(topic))) this.#isRequested = true;
    const isFruitless = isSameCluster(before, this.#snapshot);
    if (!isFruitless) this.#fruitless = 0;
    this.#backOff();
    if (isFruitless) this.#fruitless += 1;
  }

  /**
   * The error of a topic that asking again at once will not mend, such as a denied or an invalid one; `null` otherwise.
   * Who looks at it has the topic asked for again, after the back-off: rights may have been granted meanwhile.
   */
  fatalErrorOf(topic: string): BrokerError | null {
    const code = this.#snapshot.topicErrors.get(topic);
    if (code === undefined || brokerErrorByCode(code).retriable) return null;
    this.requestUpdate();
    return new BrokerError(code, `topic ${topic}`);
  }

  /** Whether a topic has an error, or a partition without a leader, that is expected to pass. */
  #isTransient(topic: string): boolean {
    const code = this.#snapshot.topicErrors.get(topic);
    if (code !== undefined) return brokerErrorByCode(code).retriable;
    const partitions = this.#snapshot.topics.get(topic)?.partitions ?? [];
    return partitions.some(({ partition }) => leaderOf(this.#snapshot, topic, partition) === null);
  }

  #backOff(): void {
    this.#allowedAtMs = this.#clock.now() + this.#backoff(this.#fruitless);
  }
}
