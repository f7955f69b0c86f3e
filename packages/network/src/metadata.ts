import { BrokerError, brokerErrorByCode } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { type Backoff, exponentialBackoff } from "./backoff.ts";
import type { ResolvedClientOptions } from "./client-options.ts";
import type { Clock } from "./clock.ts";
import {
  type BrokerEndpoint,
  bootstrapSnapshot,
  type ClusterSnapshot,
  type LeaderHint,
  leaderOf,
  type Node,
  nodeOf,
  rebootstrappedSnapshot,
  updatedSnapshot,
  withLeaders,
  withNode,
} from "./cluster-snapshot.ts";
import type { Address } from "./errors.ts";
import { type MetadataQuestion, noQuestion } from "./metadata-question.ts";
import { isSameCluster } from "./same-cluster.ts";
import { type TopicFilter, WantedTopics } from "./wanted-topics.ts";

type CommonOptions =
  | "bootstrapServers"
  | "clientDnsLookup"
  | "metadataMaxAgeMs"
  | "retryBackoffMs"
  | "retryBackoffMaxMs";

export interface MetadataOptions extends Pick<ResolvedClientOptions, CommonOptions> {
  /** How long a topic is kept up to date that nobody uses, milliseconds. @default for ever */
  readonly metadataMaxIdleMs?: number;
}

/**
 * What one client knows of the cluster, and when it must ask again. It asks nobody itself: `MetadataUpdater` does, when
 * `dueAtMs` has come. Source: Kafka's `Metadata` and `ProducerMetadata`, KIP-580 for the back-off.
 */
export class Metadata {
  readonly #clock: Clock;
  readonly #onRequested: () => void;
  readonly #maxAgeMs: number;
  readonly #backoff: Backoff;
  readonly #topics: WantedTopics;
  readonly #bootstrapServers: readonly Address[];
  #snapshot: ClusterSnapshot;
  /** The one that is under way, or was last. */
  #question = noQuestion;
  #isUnderWay = false;
  #isRequested = true;
  /** Topics were added that nobody was asked for yet: no back-off is in their way. */
  #isUrgent = false;
  #isWanted = false;
  /** Updates in a row that failed or brought nothing new: asking on and on would not make it come sooner. */
  #fruitless = 0;
  /** The earliest moment for the next one, after a back-off that grows with the fruitless ones. */
  #allowedAtMs = Number.NEGATIVE_INFINITY;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;

  /** @param onRequested called when an update is wanted sooner than it was, so that `dueAtMs` is worth looking at */
  constructor(options: MetadataOptions, clock: Clock, onRequested: () => void) {
    this.#clock = clock;
    this.#onRequested = onRequested;
    this.#maxAgeMs = options.metadataMaxAgeMs;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
    this.#topics = new WantedTopics(clock, options.metadataMaxIdleMs ?? Number.POSITIVE_INFINITY);
    this.#bootstrapServers = options.bootstrapServers;
    // Names that stand for others are no brokers to ask.
    const isResolved = options.clientDnsLookup !== "resolve_canonical_bootstrap_servers_only";
    this.#snapshot = bootstrapSnapshot(isResolved ? this.#bootstrapServers : []);
  }

  get snapshot(): ClusterSnapshot {
    return this.#snapshot;
  }

  /** The topics that updates ask for by name; where there are none, the question costs the brokers nothing. */
  get topics(): ReadonlySet<string> {
    return this.#topics.names;
  }

  /** Adds topics to those that are kept up to date; new ones are asked for at once, and alone if the rest is fresh. */
  add(topics: Iterable<string>): void {
    if (this.#topics.add(topics)) this.#askAtOnce();
  }

  /** Says that topics are still used, so that they stay. It costs little enough to be said for every batch. */
  use(topics: Iterable<string>): void {
    this.add(topics);
  }

  /** Keeps exactly these topics up to date. */
  retain(topics: Iterable<string>): void {
    if (this.#topics.retain(topics)) this.#askAtOnce();
  }

  /** Keeps every topic up to date that passes, besides those that were added by name; asks at once where `filter` is new. */
  retainAll(filter: TopicFilter): void {
    if (!this.#topics.retainAll(filter)) return;
    this.#isRequested = true;
    this.#askAtOnce();
  }

  /** Says that what is known seems to be wrong: it is asked for again as soon as the back-off allows. */
  requestUpdate(): void {
    this.#isWanted = true;
    this.suspect();
  }

  /** The same where nobody waits for it, such as when a connection was lost. */
  suspect(): void {
    this.#isRequested = true;
    this.#onRequested();
  }

  /** Says that somebody waits for what an update may bring; one that is under way, or about to be, may bring it. */
  wantUpdate(): void {
    this.#isWanted = true;
    if (!this.#isUnderWay && !this.#topics.haveNew) this.#isRequested = true;
    this.#onRequested();
  }

  /** Whether somebody has asked for the next update, rather than that something happened or time went by. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** When all of it was last told, in the clock's time; long ago where it never was. */
  get updatedAtMs(): number {
    return this.#lastSuccessMs;
  }

  /** When the next update is due, in the clock's time. */
  get dueAtMs(): number {
    if (this.#isUrgent) return Number.NEGATIVE_INFINITY;
    const isDue = this.#isRequested || this.#topics.haveNew;
    return isDue ? this.#allowedAtMs : Math.max(this.#allowedAtMs, this.#lastSuccessMs + this.#maxAgeMs);
  }

  /** An update is being asked for: what is requested from now on is for the one after it. */
  started(): MetadataQuestion {
    const isFresh = this.#lastSuccessMs + this.#maxAgeMs > this.#clock.now();
    const isPartial = isFresh && !this.#isRequested && !this.#topics.areFiltered && this.#topics.haveNew;
    // That nothing is new where only the age made us ask is no sign that asking is in vain.
    if (!this.#isRequested) this.#fruitless = 0;
    if (!isPartial) this.#isRequested = false;
    this.#question = { topics: isPartial ? this.#topics.takeNew() : this.#topics.takeAll(), isPartial };
    this.#isUrgent = false;
    this.#isWanted = false;
    this.#isUnderWay = true;
    return this.#question;
  }

  /** An update came to nothing; it is due again after the back-off. */
  failed(): void {
    const { topics, isPartial } = this.#question;
    this.#isUnderWay = false;
    if (isPartial) this.#topics.putBack(topics ?? []);
    else this.#isRequested = true;
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
    const { topics, isPartial } = this.#question;
    const before = this.#snapshot;
    this.#snapshot = updatedSnapshot(before, response, {
      version,
      taken: (topic, isInternal) => this.#topics.has(topic, isInternal),
      // What an answer about every topic does not name is no more.
      kept: (topic) => topics !== null && this.#topics.hasName(topic),
    });
    this.#isUnderWay = false;
    if (!isPartial) this.#lastSuccessMs = this.#clock.now();
    if (isTransient(this.#snapshot)) this.#isRequested = true;
    const isFruitless = isSameCluster(before, this.#snapshot);
    if (!isFruitless) this.#fruitless = 0;
    this.#backOff();
    if (isFruitless) this.#fruitless += 1;
  }

  /** The servers that a client begins with, and begins again with. */
  get bootstrapServers(): readonly Address[] {
    return this.#bootstrapServers;
  }

  /** Begins again: nobody is known but `servers`, and all is to be asked. Topics stay, see `rebootstrappedSnapshot`. */
  rebootstrap(servers: readonly Address[]): void {
    this.#snapshot = rebootstrappedSnapshot(this.#snapshot, servers);
    this.#isRequested = true;
  }

  /**
   * Takes what brokers said of leaders in answers to other requests, as far as it is newer than what is known.
   *
   * @param endpoints where those leaders are
   * @returns the hints that were newer
   */
  updateLeaders(hints: readonly LeaderHint[], endpoints: readonly BrokerEndpoint[]): readonly LeaderHint[] {
    const { snapshot, changed } = withLeaders(this.#snapshot, hints, endpoints.map(nodeOf));
    this.#snapshot = snapshot;
    return changed;
  }

  /** Takes a broker that was named in the answer to another request, such as a coordinator. */
  addNode(node: Node): void {
    this.#snapshot = withNode(this.#snapshot, node);
  }

  /**
   * The error of a topic that asking again at once will not mend, such as a denied or an invalid one; `null` otherwise.
   * Who looks at it has the topic asked for again, after the back-off: rights may have been granted meanwhile.
   */
  fatalErrorOf(topic: string): BrokerError | null {
    const error = this.errorOf(topic);
    if (error === null || error.retriable) return null;
    this.requestUpdate();
    return error;
  }

  /** What the cluster said last instead of telling about a topic, such as that it is not there (yet); `null` where it told. */
  errorOf(topic: string): BrokerError | null {
    const code = this.#snapshot.topicErrors.get(topic);
    return code === undefined ? null : new BrokerError(code, `topic ${topic}`);
  }

  #askAtOnce(): void {
    this.#isUrgent = true;
    this.#isWanted = true;
    this.#onRequested();
  }

  #backOff(): void {
    this.#allowedAtMs = this.#clock.now() + this.#backoff(this.#fruitless);
  }
}

/** Whether a topic has an error, or a partition without a leader, that is expected to pass. */
function isTransient(cluster: ClusterSnapshot): boolean {
  for (const code of cluster.topicErrors.values()) if (brokerErrorByCode(code).retriable) return true;
  for (const { name, partitions } of cluster.topics.values()) {
    if (partitions.some(({ partition }) => leaderOf(cluster, name, partition) === null)) return true;
  }
  return false;
}
