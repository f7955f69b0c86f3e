import { type Backoff, type Clock, exponentialBackoff, partitionText } from "@odradek/network";
import { BrokerError, brokerErrorByCode, DecodeError, KafkaError, type ResponseOf, zeroUuid } from "@odradek/protocol";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { byLeader, type ClusterView } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { CorruptLogError, OffsetOutOfRangeError, type PartitionPosition } from "../errors.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import type { PartitionState } from "../positions/partition-state.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import { CompletedFetch } from "./completed-fetch.ts";
import { BackgroundDecompression } from "./decompression.ts";
import type { FetchBuffer } from "./fetch-buffer.ts";
import { type FetchTarget, fetchAnswers, fetchBody, type PartitionData, versionsFor } from "./fetch-request.ts";

/** Answers in a row that lead nowhere before the user is told. One is usual: a batch that came cut short. */
const maxStalls = 5;

/**
 * Decides which broker is asked for what, and takes in what they answer. At most one Fetch is under way for each
 * broker, and a partition is asked for only while nothing of it waits in the buffer. Source: Kafka's `AbstractFetch`.
 */
export class Fetcher<K, V> {
  readonly #options: ResolvedConsumerOptions<K, V>;
  readonly #cluster: ClusterView;
  readonly #subscription: SubscriptionState;
  readonly #buffer: FetchBuffer<K, V>;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #background: BackgroundDecompression;
  /** Nodes that have a Fetch to answer. */
  readonly #inFlight = new Set<number>();
  /** Positions that the log does not have, and that only the user may change. */
  readonly #outOfRange: PartitionPosition[] = [];
  #error: Error | null = null;

  /** @param onReady called when records can be taken from the buffer that had to be decompressed first */
  constructor(
    options: ResolvedConsumerOptions<K, V>,
    cluster: ClusterView,
    subscription: SubscriptionState,
    buffer: FetchBuffer<K, V>,
    clock: Clock,
    onReady: () => void,
  ) {
    this.#options = options;
    this.#cluster = cluster;
    this.#subscription = subscription;
    this.#buffer = buffer;
    this.#clock = clock;
    this.#background = new BackgroundDecompression(onReady);
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null {
    const positions = this.#outOfRange.splice(0);
    const error = positions.length > 0 ? new OffsetOutOfRangeError(positions) : this.#error;
    this.#error = null;
    return error;
  }

  /** What is to be asked now. */
  poll(nowMs: number): Due<RequestTo<typeof Fetch>> {
    const requests: RequestTo<typeof Fetch>[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    const waitingBytes = this.#buffer.fetchableBytes;
    if (waitingBytes > 0 && waitingBytes >= this.#options.fetchMaxBytes) return { requests, nextMs };
    const due: PartitionState[] = [];
    for (const state of this.#subscription.partitions()) {
      if (!state.isFetchable || this.#buffer.has(state)) continue;
      if (state.retryAtMs <= nowMs) due.push(state);
      else nextMs = Math.min(nextMs, state.retryAtMs);
    }
    for (const [nodeId, states] of byLeader(this.#cluster, due, (error) => this.#fail(error))) {
      if (this.#inFlight.has(nodeId)) continue;
      if (this.#cluster.ready(nodeId, "fetch")) {
        requests.push(this.#request(nodeId, states));
        continue;
      }
      nextMs = Math.min(nextMs, this.#cluster.retryAtMs(nodeId, "fetch"));
      const refusal = this.#cluster.authenticationError(nodeId, "fetch");
      if (refusal !== null) this.#fail(refusal);
    }
    return { requests, nextMs };
  }

  #request(nodeId: number, states: readonly PartitionState[]): RequestTo<typeof Fetch> {
    const targets = states.flatMap((state) => this.#target(state) ?? []);
    this.#inFlight.add(nodeId);
    return new ApiRequest({
      nodeId,
      api: Fetch,
      body: fetchBody(targets, this.#options),
      options: { purpose: "fetch", bounds: versionsFor(targets) },
      onAnswer: (answer) => this.#onAnswer(nodeId, targets, answer),
      onFailure: (error) => this.#onFailure(nodeId, targets, error),
    });
  }

  #target(state: PartitionState): FetchTarget | null {
    const { topic, partition, position } = state;
    if (position === null) return null;
    const known = this.#cluster.metadata.snapshot.topics.get(topic);
    const leaderEpoch = known?.partitions[partition]?.leaderEpoch ?? -1;
    return { topic, topicId: known?.id ?? zeroUuid, partition, leaderEpoch, state, position };
  }

  #onAnswer(nodeId: number, targets: readonly FetchTarget[], answer: ResponseOf<typeof Fetch>): void {
    this.#inFlight.delete(nodeId);
    const nowMs = this.#clock.now();
    for (const [target, data] of fetchAnswers(targets, answer)) {
      const { state, position } = target;
      // Void after a seek, a reset, or a new assignment: whoever did that wants other records.
      if (state.position !== position || !this.#subscription.has(state)) continue;
      const errorCode = data?.errorCode || answer.errorCode;
      if (data !== null && errorCode === 0) this.#onData(target, data);
      else this.#onError(target, errorCode, this.#hasMoved(target, data, answer), nowMs);
    }
  }

  /** Takes what the broker says of who leads a partition in its place, and whether that is news (KIP-951). */
  #hasMoved({ topic, partition }: FetchTarget, data: PartitionData | null, answer: ResponseOf<typeof Fetch>): boolean {
    if (data === null) return false;
    const hint = { topic, partition, ...data.currentLeader };
    return this.#cluster.metadata.updateLeaders([hint], answer.nodeEndpoints).length > 0;
  }

  #onData(target: FetchTarget, data: PartitionData): void {
    const { state, position } = target;
    state.succeeded();
    state.saw(data);
    if (data.records === null || data.records.length === 0) return;
    this.#subscription.moveToEnd(state);
    const { records, abortedTransactions } = data;
    const fetched = { state, position, records, abortedTransactions };
    const onStalled = () => this.#onStalled(target);
    this.#buffer.add(new CompletedFetch(fetched, this.#options, this.#background, onStalled));
  }

  /** An answer held batches and none that leads on: asking on and on at full speed would bring the same. */
  #onStalled({ state, position: { offset } }: FetchTarget): void {
    const stalls = state.stalled(this.#clock.now(), this.#backoff);
    if (stalls < maxStalls) return;
    const cause = new DecodeError(`${stalls} answers in a row held no batch that leads on`, 0);
    this.#fail(new CorruptLogError({ topic: state.topic, partition: state.partition, offset }, offset + 1n, cause));
  }

  #onError({ state, position }: FetchTarget, errorCode: number, hasMoved: boolean, nowMs: number): void {
    const { name, retriable } = brokerErrorByCode(errorCode);
    const at = { topic: state.topic, partition: state.partition, offset: position.offset };
    const { autoOffsetReset } = this.#options;
    this.#subscription.moveToEnd(state);
    // Who leads it now is another broker, and can be asked at once.
    if (!hasMoved) state.failed(nowMs, this.#backoff);
    if (name === "OFFSET_OUT_OF_RANGE") {
      if (autoOffsetReset.kind === "none") this.#outOfRange.push(at);
      else state.requestReset(autoOffsetReset);
      return;
    }
    const error = new BrokerError(errorCode, `fetching from ${partitionText(state)} at offset ${position.offset}`);
    if (name === "CORRUPT_MESSAGE") this.#fail(new CorruptLogError(at, position.offset + 1n, error));
    // A broker that does not know what is wrong may know better next time; so does Kafka's own consumer.
    else if (retriable || name === "UNKNOWN_SERVER_ERROR" || name === "NONE") this.#cluster.requestUpdate();
    else this.#fail(error);
  }

  #onFailure(nodeId: number, targets: readonly FetchTarget[], error: Error): void {
    this.#inFlight.delete(nodeId);
    this.#cluster.requestUpdate();
    // A lost connection passes: making it anew has its own back-off. Bytes that mean nothing do not.
    if (error instanceof KafkaError && error.retriable && !(error.cause instanceof DecodeError)) return;
    const nowMs = this.#clock.now();
    for (const { state } of targets) state.failed(nowMs, this.#backoff);
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#error ??= error;
  }
}
