import { type Backoff, type Clock, exponentialBackoff, partitionText } from "@odradek/network";
import { BrokerError, KafkaError, type ResponseOf } from "@odradek/protocol";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { type ClusterView, toLeaders } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import { type OffsetSpec, timestampOf } from "./auto-offset-reset.ts";
import { type ListedOffset, listedOffsets, listOffsetsBody } from "./list-offsets.ts";
import type { LedLog, PartitionState } from "./partition-state.ts";
import type { SubscriptionState } from "./subscription-state.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "isolationLevel" | "requestTimeoutMs" | "retryBackoffMs" | "retryBackoffMaxMs"
>;

/** One partition that is to be set, and to what. */
interface Reset {
  readonly state: PartitionState;
  readonly topic: string;
  readonly partition: number;
  readonly spec: OffsetSpec;
  readonly timestamp: bigint;
  /** The log that is asked, as far as it is known. */
  readonly log: LedLog | null;
}

/**
 * Finds the position of partitions that are to be set to an end of their log, or to a time: asks their leaders. Source: Kafka's `OffsetFetcher`, the part about resets.
 */
export class OffsetReset {
  readonly #options: Options;
  readonly #cluster: ClusterView;
  readonly #subscription: SubscriptionState;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  /** Partitions for which an answer is on its way. */
  readonly #asked = new Set<PartitionState>();
  #error: Error | null = null;

  constructor(options: Options, cluster: ClusterView, subscription: SubscriptionState, clock: Clock) {
    this.#options = options;
    this.#cluster = cluster;
    this.#subscription = subscription;
    this.#clock = clock;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** What is to be asked now. */
  poll(nowMs: number): Due<RequestTo<typeof ListOffsets>> {
    const due: Reset[] = [];
    let laterMs = Number.POSITIVE_INFINITY;
    for (const reset of this.#resets()) {
      if (reset.state.retryAtMs <= nowMs) due.push(reset);
      else laterMs = Math.min(laterMs, reset.state.retryAtMs);
    }
    const { requests, nextMs } = toLeaders(this.#cluster, due, {
      request: (nodeId, resets) => this.#request(nodeId, resets),
      onFatal: (error) => this.#fail(error),
    });
    return { requests, nextMs: Math.min(nextMs, laterMs) };
  }

  *#resets(): Generator<Reset> {
    const wallTimeMs = this.#clock.wallTimeMs();
    for (const state of this.#subscription.partitions()) {
      const { topic, partition, resetTo: spec } = state;
      if (spec === null || this.#asked.has(state)) continue;
      yield { state, topic, partition, spec, timestamp: timestampOf(spec, wallTimeMs), log: this.#logOf(state) };
    }
  }

  #logOf({ topic, partition }: PartitionState): LedLog | null {
    const known = this.#cluster.metadata.snapshot.topics.get(topic);
    const leaderEpoch = known?.partitions[partition]?.leaderEpoch;
    return known === undefined || leaderEpoch === undefined ? null : { topicId: known.id, leaderEpoch };
  }

  #request(nodeId: number, resets: readonly Reset[]): RequestTo<typeof ListOffsets> {
    const { isolationLevel, requestTimeoutMs } = this.#options;
    const { metadata } = this.#cluster;
    for (const { state } of resets) this.#asked.add(state);
    // Fetches from there will follow, on a connection of their own, which takes a moment to make.
    this.#cluster.ready(nodeId, "fetch");
    return new ApiRequest({
      nodeId,
      api: ListOffsets,
      body: listOffsetsBody(metadata.snapshot, resets, isolationLevel, requestTimeoutMs),
      onAnswer: (answer) => this.#onAnswer(resets, answer),
      onFailure: (error) => this.#onFailure(resets, error),
    });
  }

  #onAnswer(resets: readonly Reset[], answer: ResponseOf<typeof ListOffsets>): void {
    const listed = listedOffsets(answer);
    for (const reset of resets) {
      this.#asked.delete(reset.state);
      const found = listed.get(partitionText(reset));
      if (found?.errorCode === 0) {
        this.#settle(reset, found);
        continue;
      }
      this.#retry(reset);
      const error = found && new BrokerError(found.errorCode, `the offset of ${partitionText(reset)}`);
      if (error?.retriable === false) this.#fail(error);
    }
  }

  #onFailure(resets: readonly Reset[], error: Error): void {
    for (const reset of resets) {
      this.#asked.delete(reset.state);
      this.#retry(reset);
    }
    if (!(error instanceof KafkaError && error.retriable)) this.#fail(error);
  }

  #settle(reset: Reset, { offset, leaderEpoch }: ListedOffset): void {
    const { state, spec } = reset;
    // Void after a seek, another reset, or a new assignment: whoever did that knows better.
    if (state.resetTo !== spec) return;
    const log = this.#logOf(state);
    // Void where another leads by now, or another topic has the name: that one is asked next.
    if (log?.topicId !== reset.log?.topicId || log?.leaderEpoch !== reset.log?.leaderEpoch) return;
    if (offset >= 0n) state.seek({ offset, leaderEpoch }, log);
    // No record is of that time or later: what comes next is.
    else if (spec.kind === "by_duration") state.requestReset({ kind: "latest" });
    // Every log has its ends. A broker that does not tell must not be asked again at once, and on and on.
    else this.#retry(reset);
  }

  #retry({ state, spec }: Reset): void {
    if (state.resetTo === spec) state.failed(this.#clock.now(), this.#backoff);
    this.#cluster.requestUpdate();
  }

  #fail(error: Error): void {
    this.#error ??= error;
  }
}
