import { type Backoff, type Clock, type Deadline, exponentialBackoff, leaderOf, partitionText } from "@odradek/network";
import { BrokerError, brokerErrorByCode, DecodeError, KafkaError, type ResponseOf, zeroUuid } from "@odradek/protocol";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { byLeader, type ClusterView } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { CorruptLogError, OffsetOutOfRangeError, type PartitionPosition } from "../errors.ts";
import type { FetchedBytes, FetchMetrics } from "../metrics/fetch-metrics.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import type { PartitionState } from "../positions/partition-state.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import { WrongPositions } from "../positions/wrong-positions.ts";
import { CompletedFetch } from "./completed-fetch.ts";
import { BackgroundDecompression } from "./decompression.ts";
import type { FetchBuffer } from "./fetch-buffer.ts";
import { fetchAnswers, fetchBody, type PartitionData, versionsFor } from "./fetch-request.ts";
import type { FetchSession, FetchTarget, SessionRequest } from "./fetch-session.ts";
import { FetchSessions } from "./fetch-sessions.ts";

/** What one broker was asked. */
interface Question {
  readonly nodeId: number;
  readonly session: FetchSession;
  readonly request: SessionRequest;
  /** As it was told; empty where the broker is to give records itself. */
  readonly rackId: string;
  readonly sentAtMs: number;
}

/** Answers in a row that lead nowhere before the user is told. One is usual: a batch that came cut short. */
const maxStalls = 5;

/**
 * Decides which broker is asked for what, and takes in what they answer. At most one Fetch is under way for each
 * broker, and a partition is asked for only while nothing of it waits in the buffer. Where the consumer has a rack, leaders may
 * send it to a replica that is nearer (KIP-392), which is believed for `metadataMaxAgeMs`. Source: Kafka's `AbstractFetch`.
 */
export class Fetcher<K, V> {
  readonly #options: ResolvedConsumerOptions<K, V>;
  readonly #cluster: ClusterView;
  readonly #subscription: SubscriptionState;
  readonly #buffer: FetchBuffer<K, V>;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #background: BackgroundDecompression;
  readonly #metrics: FetchMetrics | null;
  /** How many bytes each node may answer with that has a Fetch to answer. */
  readonly #inFlight = new Map<number, number>();
  readonly #sessions: FetchSessions;
  /** Positions that the log does not have, and that only the user may change. */
  readonly #outOfRange: WrongPositions<PartitionPosition>;
  #error: Error | null = null;

  /**
   * @param onReady called when records can be taken from the buffer that had to be decompressed first
   * @param metrics `null` where nobody measures
   */
  constructor(
    options: ResolvedConsumerOptions<K, V>,
    cluster: ClusterView,
    subscription: SubscriptionState,
    buffer: FetchBuffer<K, V>,
    clock: Clock,
    onReady: () => void,
    metrics: FetchMetrics | null = null,
  ) {
    this.#options = options;
    this.#cluster = cluster;
    this.#subscription = subscription;
    this.#buffer = buffer;
    this.#clock = clock;
    this.#sessions = new FetchSessions(cluster);
    this.#outOfRange = new WrongPositions(subscription);
    this.#background = new BackgroundDecompression(onReady);
    this.#metrics = metrics;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null {
    const positions = this.#outOfRange.take();
    const error = positions.length > 0 ? new OffsetOutOfRangeError(positions) : this.#error;
    this.#error = null;
    return error;
  }

  /** What is to be asked now. */
  poll(nowMs: number): Due<RequestTo<typeof Fetch>> {
    this.#metrics?.retain();
    const requests: RequestTo<typeof Fetch>[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    const waitingBytes = this.#buffer.fetchableBytes;
    if (waitingBytes > 0 && waitingBytes >= this.#options.fetchMaxBytes) return { requests, nextMs };
    const due: PartitionState[] = [];
    const waiting: PartitionState[] = [];
    for (const state of this.#subscription.partitions()) {
      if (!state.isFetchable) continue;
      if (this.#buffer.has(state)) waiting.push(state);
      else if (state.retryAtMs <= nowMs) due.push(state);
      else nextMs = Math.min(nextMs, state.retryAtMs);
    }
    const ready: [nodeId: number, states: readonly PartitionState[]][] = [];
    const nearer = (state: PartitionState) => this.#nearerReplica(state, nowMs);
    for (const [nodeId, states] of byLeader(this.#cluster, due, (error) => this.#fail(error), nearer)) {
      if (this.#inFlight.has(nodeId) || this.#isIdle(nodeId, states, waiting, nowMs)) continue;
      if (this.#cluster.ready(nodeId, "fetch")) {
        ready.push([nodeId, states]);
        continue;
      }
      nextMs = Math.min(nextMs, this.#cluster.retryAtMs(nodeId, "fetch"));
      const refusal = this.#cluster.authenticationError(nodeId, "fetch");
      if (refusal !== null) this.#fail(refusal);
    }
    let places = ready.length;
    for (const [nodeId, states] of ready) requests.push(this.#request(nodeId, states, this.#share(places--), nowMs));
    return { requests, nextMs };
  }

  /**
   * Has brokers forget what they were asked for, where nothing will be asked for any more; `pollEnds` gives the requests that it takes.
   *
   * @returns settles when they were told, or could not be before the deadline
   */
  endSessions(deadline: Deadline): Promise<void> {
    return this.#sessions.end((nodeId) => this.#inFlight.has(nodeId), deadline);
  }

  /** What is to be said now of sessions that are over. */
  pollEnds(nowMs: number): Due<RequestTo<typeof Fetch>> {
    return this.#sessions.poll(nowMs);
  }

  /**
   * Whether a broker would have nothing to answer before its time is over, while other partitions of it wait to be polled: they could
   * not be fetched on for that long. What comes to these meanwhile is no later for it, since it would be polled behind what waits.
   */
  #isIdle(
    nodeId: number,
    states: readonly PartitionState[],
    waiting: readonly PartitionState[],
    nowMs: number,
  ): boolean {
    const { isolationLevel } = this.#options;
    if (waiting.length === 0 || !states.every((state) => state.isAtEnd(isolationLevel))) return false;
    return waiting.some((state) => this.#nodeOf(state, nowMs) === nodeId);
  }

  /** Who is asked for a partition; `null` where nobody is known. */
  #nodeOf(state: PartitionState, nowMs: number): number | null {
    const leader = leaderOf(this.#cluster.metadata.snapshot, state.topic, state.partition);
    return this.#nearerReplica(state, nowMs) ?? leader?.id ?? null;
  }

  /**
   * How many bytes the next of some requests may bring: an equal share of what is not taken up by answers that wait or are on their
   * way, and never less than one partition may have, so that nobody is left out because others are quiet.
   */
  #share(places: number): number {
    const { fetchMaxBytes, maxPartitionFetchBytes } = this.#options;
    let left = fetchMaxBytes - this.#buffer.fetchableBytes;
    for (const bytes of this.#inFlight.values()) left -= bytes;
    return Math.min(fetchMaxBytes, Math.max(Math.floor(left / places), maxPartitionFetchBytes));
  }

  /** The replica that the leader has sent a partition to. While it takes no request, the leader is as good as any. */
  #nearerReplica(state: PartitionState, nowMs: number): number | null {
    const nodeId = state.preferredReplica(nowMs);
    return nodeId !== null && this.#cluster.ready(nodeId, "fetch") ? nodeId : null;
  }

  #request(
    nodeId: number,
    states: readonly PartitionState[],
    maxBytes: number,
    nowMs: number,
  ): RequestTo<typeof Fetch> {
    const session = this.#sessions.of(nodeId);
    const targets: FetchTarget[] = [];
    let isElsewhere = false;
    for (const state of states) {
      const target = this.#target(state);
      if (target !== null) targets.push(target);
      if ((state.preferredReplica(nowMs) ?? nodeId) !== nodeId) isElsewhere = true;
    }
    const request = session.next(targets);
    // A leader that knows the rack of who asks gives no records, but sends it elsewhere, where these cannot go now.
    const rackId = isElsewhere ? "" : (this.#options.clientRack ?? "");
    const question = { nodeId, session, request, rackId, sentAtMs: this.#clock.now() };
    this.#inFlight.set(nodeId, maxBytes);
    return new ApiRequest({
      nodeId,
      api: Fetch,
      body: (version) => fetchBody(request, { rackId, maxBytes }, this.#options, version),
      options: { purpose: "fetch", bounds: versionsFor(request) },
      onAnswer: (answer) => this.#onAnswer(question, answer),
      onFailure: (error) => this.#onFailure(question, error),
    });
  }

  #target(state: PartitionState): FetchTarget | null {
    const { topic, partition, position, minFetchBytes } = state;
    if (position === null) return null;
    const known = this.#cluster.metadata.snapshot.topics.get(topic);
    // As the position was held against it: a leader of another epoch refuses, whoever it is by what is known.
    const leaderEpoch = state.log?.leaderEpoch ?? known?.partitions[partition]?.leaderEpoch ?? -1;
    const maxBytes = Math.max(this.#options.maxPartitionFetchBytes, minFetchBytes);
    return { topic, topicId: known?.id ?? zeroUuid, partition, leaderEpoch, maxBytes, state, position };
  }

  #onAnswer(question: Question, answer: ResponseOf<typeof Fetch>): void {
    const { nodeId, session, request, sentAtMs } = question;
    this.#inFlight.delete(nodeId);
    if (!session.answered(request, answer)) {
      if (answer.errorCode !== 0) this.#cluster.requestUpdate();
      else this.#metrics?.answered(sentAtMs, answer.throttleTimeMs, []);
      return;
    }
    const nowMs = this.#clock.now();
    const isFull = request.sessionEpoch === 0;
    const { answers, isAsAsked } = fetchAnswers(request.targets, answer);
    let isWhole = isAsAsked;
    const taken: FetchedBytes[] = [];
    for (const target of request.targets.values()) {
      const { state, position } = target;
      const data = answers.get(state.key) ?? null;
      if (isFull && data === null) isWhole = false;
      // Void after a new assignment, and where another leads by now, in whose log other records may be.
      if (!this.#subscription.has(state) || !state.isLedIn(target.leaderEpoch)) continue;
      const errorCode = data?.errorCode || answer.errorCode;
      // Wherever it is read: within a session the ends of the log are told once.
      if (data !== null && errorCode === 0) state.saw(data);
      // Void after a seek or a reset: whoever did that wants other records.
      if (state.position !== position) continue;
      if (data !== null && errorCode === 0) {
        const bytes = this.#onData(question, target, data, nowMs);
        if (bytes > 0) taken.push({ topic: target.topic, bytes });
      }
      // Within a session nothing is said of what has no news.
      else if (data === null && errorCode === 0 && !isFull) state.succeeded();
      else this.#onError(question, target, errorCode, this.#hasMoved(target, data, answer), nowMs);
    }
    if (!isWhole) session.failed();
    this.#metrics?.answered(sentAtMs, answer.throttleTimeMs, taken);
  }

  /** Takes what the broker says of who leads a partition in its place, and whether that is news (KIP-951). */
  #hasMoved({ topic, partition }: FetchTarget, data: PartitionData | null, answer: ResponseOf<typeof Fetch>): boolean {
    if (data === null) return false;
    const hint = { topic, partition, ...data.currentLeader };
    return this.#cluster.metadata.updateLeaders([hint], answer.nodeEndpoints).length > 0;
  }

  /** @returns how many bytes wait to be polled now */
  #onData(question: Question, target: FetchTarget, data: PartitionData, nowMs: number): number {
    const { state, position } = target;
    state.succeeded();
    if (data.preferredReadReplica >= 0) this.#onPreference(question, state, data.preferredReadReplica, nowMs);
    if (data.records === null || data.records.length === 0) {
      this.#metrics?.sawEnds(state);
      return 0;
    }
    this.#subscription.moveToEnd(state);
    const { records, abortedTransactions } = data;
    const fetched = { state, position, records, abortedTransactions };
    const onStalled = () => this.#onStalled(target);
    this.#buffer.add(new CompletedFetch(fetched, this.#options, this.#background, onStalled));
    return records.length;
  }

  /** The leader says who is nearer. Nobody else may, or two brokers could send a consumer to and fro. */
  #onPreference({ nodeId, rackId }: Question, state: PartitionState, nearer: number, nowMs: number): void {
    if (rackId === "" || nearer === nodeId || state.preferredReplica(nowMs) !== null) {
      state.failed(nowMs, this.#backoff);
      return;
    }
    state.prefer(nearer, nowMs + this.#options.metadataMaxAgeMs);
    if (!this.#cluster.metadata.snapshot.nodes.has(nearer)) this.#cluster.requestUpdate();
  }

  /** An answer held batches and none that leads on: asking on and on at full speed would bring the same. */
  #onStalled({ state, position: { offset } }: FetchTarget): void {
    const stalls = state.stalled(this.#clock.now(), this.#backoff);
    if (stalls < maxStalls) return;
    const cause = new DecodeError(`${stalls} answers in a row held no batch that leads on`, 0);
    this.#fail(new CorruptLogError({ topic: state.topic, partition: state.partition, offset }, offset + 1n, cause));
  }

  #onError(
    { nodeId }: Question,
    { state, position }: FetchTarget,
    errorCode: number,
    hasMoved: boolean,
    nowMs: number,
  ): void {
    const { name, retriable } = brokerErrorByCode(errorCode);
    const at = { topic: state.topic, partition: state.partition, offset: position.offset };
    const { autoOffsetReset } = this.#options;
    this.#subscription.moveToEnd(state);
    // Who leads it now is another broker, and can be asked at once.
    if (!hasMoved) state.failed(nowMs, this.#backoff);
    if (state.preferredReplica(nowMs) === nodeId) state.preferLeader();
    // A replica that lags behind, or ahead of what it has deleted, is not the log: the leader is.
    const leader = leaderOf(this.#cluster.metadata.snapshot, state.topic, state.partition);
    if (name === "OFFSET_OUT_OF_RANGE" && leader?.id !== nodeId) return;
    if (name === "OFFSET_OUT_OF_RANGE") {
      if (autoOffsetReset.kind === "none") this.#outOfRange.add(state, position, at);
      else state.requestReset(autoOffsetReset);
      return;
    }
    const error = new BrokerError(errorCode, `fetching from ${partitionText(state)} at offset ${position.offset}`);
    if (name === "CORRUPT_MESSAGE") this.#fail(new CorruptLogError(at, position.offset + 1n, error));
    // A broker that does not know what is wrong may know better next time; so does Kafka's own consumer.
    else if (retriable || name === "UNKNOWN_SERVER_ERROR" || name === "NONE") this.#cluster.requestUpdate();
    else this.#fail(error);
  }

  #onFailure({ nodeId, session, request }: Question, error: Error): void {
    const nowMs = this.#clock.now();
    const states = [...request.targets.values()].map(({ state }) => state);
    this.#inFlight.delete(nodeId);
    session.failed();
    for (const state of states) if (state.preferredReplica(nowMs) === nodeId) state.preferLeader();
    this.#cluster.requestUpdate();
    // A lost connection passes: making it anew has its own back-off. Bytes that mean nothing do not.
    if (error instanceof KafkaError && error.retriable && !(error.cause instanceof DecodeError)) return;
    for (const state of states) state.failed(nowMs, this.#backoff);
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#error ??= error;
  }
}
