import { type Backoff, type Clock, exponentialBackoff, type Logger, partitionText } from "@odradek/network";
import { BrokerError, KafkaError, type ResponseOf, UnsupportedVersionError, zeroUuid } from "@odradek/protocol";
import { OffsetForLeaderEpoch } from "@odradek/protocol/messages/offset-for-leader-epoch";
import { type ClusterView, toLeaders } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { type LogTruncation, LogTruncationError, OffsetOutOfRangeError, type PartitionPosition } from "../errors.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import type { FetchPosition, LedLog, PartitionState } from "./partition-state.ts";
import type { SubscriptionState } from "./subscription-state.ts";
import { WrongPositions } from "./wrong-positions.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "autoOffsetReset" | "retryBackoffMs" | "retryBackoffMaxMs"
>;

/** Older versions are for brokers alone. */
const oldestVersionForConsumers = 3;

/** One position that a leader is asked about. */
interface Validation {
  readonly state: PartitionState;
  readonly topic: string;
  readonly partition: number;
  readonly position: FetchPosition;
  readonly log: LedLog;
}

type EpochEnd = ResponseOf<typeof OffsetForLeaderEpoch>["topics"][number]["partitions"][number];

/**
 * Holds positions against the log of each new leader, which may have less than the one before: asks where the epoch ends in which
 * the record before the position was written. Where that is before the position, the records between are gone, and others may have
 * taken their offsets. Source: Kafka's `OffsetsForLeaderEpochUtils` and `SubscriptionState.maybeCompleteValidation`, KIP-320.
 */
export class PositionValidation {
  readonly #options: Options;
  readonly #cluster: ClusterView;
  readonly #subscription: SubscriptionState;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  /** Partitions for which an answer is on its way. */
  readonly #asked = new Set<PartitionState>();
  /** Positions of a later epoch than that of the leader, and when that was noticed. */
  readonly #ahead = new WeakMap<FetchPosition, number>();
  readonly #truncations: WrongPositions<LogTruncation>;
  /** Positions in logs of topics that were made anew. */
  readonly #replaced: WrongPositions<PartitionPosition>;
  /** That all positions were held against. */
  #snapshot: ClusterView["metadata"]["snapshot"] | null = null;
  #error: Error | null = null;

  constructor(options: Options, cluster: ClusterView, subscription: SubscriptionState, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#cluster = cluster;
    this.#subscription = subscription;
    this.#clock = clock;
    this.#logger = logger;
    this.#truncations = new WrongPositions(subscription);
    this.#replaced = new WrongPositions(subscription);
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null {
    const truncations = this.#truncations.take();
    const replaced = this.#replaced.take();
    const error = this.#error;
    this.#error = null;
    if (truncations.length > 0) return new LogTruncationError(truncations);
    return replaced.length > 0 ? new OffsetOutOfRangeError(replaced) : error;
  }

  /** What is to be asked now. */
  poll(nowMs: number): Due<RequestTo<typeof OffsetForLeaderEpoch>> {
    const { snapshot } = this.#cluster.metadata;
    const due: Validation[] = [];
    let laterMs = Number.POSITIVE_INFINITY;
    for (const state of this.#subscription.partitions()) {
      if (snapshot !== this.#snapshot || state.log === null) this.#compare(state);
      const { topic, partition, position, log } = state;
      const { isOrphaned } = state;
      if (!(isOrphaned || state.awaitsValidation) || position === null || log === null) continue;
      if (this.#asked.has(state)) continue;
      if (state.retryAtMs > nowMs) laterMs = Math.min(laterMs, state.retryAtMs);
      else if (isOrphaned) this.#tellReplaced(state, position);
      // There is nothing that the leader could be asked: the place that was gone back to does not say its epoch.
      else if (position.leaderEpoch < 0) state.validated();
      else if (this.#isLedLater(position, log, nowMs)) {
        this.#retry(state);
        laterMs = Math.min(laterMs, state.retryAtMs);
      } else due.push({ state, topic, partition, position, log });
    }
    this.#snapshot = snapshot;
    const { requests, nextMs } = toLeaders(this.#cluster, due, {
      request: (nodeId, validations) => this.#request(nodeId, validations),
      onFatal: (error) => this.#fail(error),
    });
    return { requests, nextMs: Math.min(nextMs, laterMs) };
  }

  /** Looks whether a partition is still of the log that its position is of. */
  #compare(state: PartitionState): void {
    if (state.position === null) return;
    const { topic, partition } = state;
    const known = this.#cluster.metadata.snapshot.topics.get(topic);
    const leaderEpoch = known?.partitions[partition]?.leaderEpoch;
    if (known === undefined || leaderEpoch === undefined) return;
    const { autoOffsetReset } = this.#options;
    if (!this.#isReplaced(state)) state.ledBy({ topicId: known.id, leaderEpoch });
    else if (autoOffsetReset.kind === "none") state.orphan();
    else {
      const offset = String(state.position.offset);
      this.#logger.warn("a topic was deleted and made anew: the position is void", { topic, partition, offset });
      state.requestReset(autoOffsetReset);
    }
  }

  /** Whether the topic was deleted and made anew: offsets of the one mean nothing in the other. */
  #isReplaced({ topic, log }: PartitionState): boolean {
    const topicId = this.#cluster.metadata.snapshot.topics.get(topic)?.id ?? zeroUuid;
    return log !== null && log.topicId !== zeroUuid && topicId !== zeroUuid && log.topicId !== topicId;
  }

  /**
   * Whether somebody else must lead by now than is known: whoever wrote the record before the position did so in a later epoch, of which
   * a leader of the past knows nothing, as if that record were lost. Until the cluster was asked once more it is not asked.
   */
  #isLedLater(position: FetchPosition, log: LedLog, nowMs: number): boolean {
    if (position.leaderEpoch <= log.leaderEpoch) return false;
    const sinceMs = this.#ahead.get(position) ?? nowMs;
    this.#ahead.set(position, sinceMs);
    return this.#cluster.metadata.updatedAtMs <= sinceMs;
  }

  /** Told again after a while, until the user says where to go on. */
  #tellReplaced(state: PartitionState, position: FetchPosition): void {
    const { topic, partition } = state;
    this.#replaced.add(state, position, { topic, partition, offset: position.offset });
    state.failed(this.#clock.now(), this.#backoff);
  }

  #request(nodeId: number, validations: readonly Validation[]): RequestTo<typeof OffsetForLeaderEpoch> {
    for (const { state } of validations) this.#asked.add(state);
    // Fetches will follow, on a connection of their own, which takes a moment to make.
    this.#cluster.ready(nodeId, "fetch");
    const topics = new Map<string, { partition: number; currentLeaderEpoch: number; leaderEpoch: number }[]>();
    for (const { topic, partition, position, log } of validations) {
      const partitions = topics.get(topic) ?? [];
      topics.set(topic, partitions);
      partitions.push({ partition, currentLeaderEpoch: log.leaderEpoch, leaderEpoch: position.leaderEpoch });
    }
    return new ApiRequest({
      nodeId,
      api: OffsetForLeaderEpoch,
      body: { replicaId: -1, topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) },
      options: { bounds: { oldest: oldestVersionForConsumers } },
      onAnswer: (answer) => this.#onAnswer(validations, answer),
      onFailure: (error) => this.#onFailure(validations, error),
    });
  }

  #onAnswer(validations: readonly Validation[], answer: ResponseOf<typeof OffsetForLeaderEpoch>): void {
    const ends = new Map(
      answer.topics.flatMap(({ topic, partitions }) =>
        partitions.map((end) => [partitionText({ topic, partition: end.partition }), end] as const),
      ),
    );
    for (const validation of validations) {
      const { state } = validation;
      this.#asked.delete(state);
      if (!this.#isOpen(validation)) continue;
      const end = ends.get(state.key);
      if (end?.errorCode === 0) {
        this.#settle(validation, end);
        continue;
      }
      this.#retry(state);
      const error = end && new BrokerError(end.errorCode, `validating the position of ${partitionText(state)}`);
      if (error?.retriable === false && error.code !== "UNKNOWN_SERVER_ERROR") this.#fail(error);
    }
  }

  #onFailure(validations: readonly Validation[], error: Error): void {
    for (const { state } of validations) this.#asked.delete(state);
    const open = validations.filter((validation) => this.#isOpen(validation));
    if (error instanceof UnsupportedVersionError) {
      // A broker that consumers cannot ask: they read on, as they did before there was something to ask.
      for (const { state } of open) state.validated();
      return;
    }
    for (const { state } of open) this.#retry(state);
    if (!(error instanceof KafkaError && error.retriable)) this.#fail(error);
  }

  /** Void after a seek, a reset, a new assignment or another leader: what was asked is not the question any more. */
  #isOpen({ state, position, log }: Validation): boolean {
    const isSame = state.position === position && state.log?.leaderEpoch === log.leaderEpoch;
    return isSame && state.awaitsValidation && !this.#isReplaced(state) && this.#subscription.has(state);
  }

  #settle({ state, position, log }: Validation, { endOffset, leaderEpoch }: EpochEnd): void {
    const isKnown = endOffset >= 0n && leaderEpoch >= 0;
    if (isKnown && endOffset >= position.offset) {
      state.validated();
      return;
    }
    const divergent = isKnown ? { offset: endOffset, leaderEpoch } : null;
    const { topic, partition } = state;
    const { autoOffsetReset } = this.#options;
    if (autoOffsetReset.kind === "none") {
      this.#truncations.add(state, position, { topic, partition, offset: position.offset, divergent });
      // Asked again after a while, and told again, until the user says where to go on.
      state.failed(this.#clock.now(), this.#backoff);
      return;
    }
    this.#logger.warn("records that were read are no longer in the log", {
      topic,
      partition,
      offset: String(position.offset),
      endOffset: String(endOffset),
    });
    if (divergent === null) state.requestReset(autoOffsetReset);
    else state.seek(divergent, log);
  }

  #retry(state: PartitionState): void {
    state.failed(this.#clock.now(), this.#backoff);
    this.#cluster.requestUpdate();
  }

  #fail(error: Error): void {
    this.#error ??= error;
  }
}
