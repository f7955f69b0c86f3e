import {
  type Clock,
  type ConsumerGroupMetadata,
  checkedOffsets,
  checkTopicName,
  type Deadline,
  type Metric,
  type OffsetAndMetadata,
  type OffsetToCommit,
  OptionsError,
  type PartitionSnapshot,
  partitionText,
  StateError,
  systemClock,
  TimeoutError,
  type TopicPartition,
} from "@odradek/network";
import {
  type CallOptions,
  type CloseOptions,
  checkedLeaderEpoch,
  checkedOffset,
  checkMembershipOperation,
  checkPartition,
  checkPartitions,
  checkTimeout,
  type GroupMembershipOperation,
  type PollOptions,
} from "./call-arguments.ts";
import { ConsumerCore } from "./consumer-core.ts";
import { type ConsumerOptions, resolveConsumerOptions } from "./consumer-options.ts";
import type { PartitionPosition } from "./errors.ts";
import type { ConsumerGroup } from "./group/consumer-group.ts";
import { type ConsumerRebalanceListener, checkedListener } from "./group/rebalance-listener.ts";
import { checkedTopics, SubscriptionPattern } from "./group/subscription.ts";
import { consumedOffsets } from "./offsets/auto-commit.ts";
import type { CommittedOffset } from "./offsets/committed-offset.ts";
import { Polls } from "./polls.ts";
import { earliestTimestamp, latestTimestamp, type OffsetSpec } from "./positions/auto-offset-reset.ts";
import type { ListedTopic } from "./positions/listed-topics.ts";
import type { OffsetAndTimestamp, TimestampQuery } from "./positions/offset-and-timestamp.ts";
import { OffsetQueries } from "./positions/offset-queries.ts";
import type { PartitionState } from "./positions/partition-state.ts";
import type { ConsumerBatch } from "./records/consumer-batch.ts";
import type { ConsumerRecord } from "./records/consumer-record.ts";
import { ConsumerRecords } from "./records/consumer-records.ts";

const defaultCloseTimeoutMs = 30_000;

/** A position as `committed` and `nextOffsets` give it. */
export type OffsetToSeek = Pick<OffsetToCommit, "offset" | "leaderEpoch">;

/** Told what came of a `commitAsync`: the error, else `null`, and what was to be committed. */
export type OffsetCommitCallback = (error: Error | null, offsets: readonly OffsetAndMetadata[]) => void;

/**
 * Reads records. It connects on the first call that needs to, and asks brokers for records only while somebody
 * polls; what comes meanwhile is kept for the next poll. Source: Kafka's `KafkaConsumer`.
 *
 * One poll at a time. `wakeup`, `close`, and what answers at once (`seek`, `pause`, `assign` and the like) may be called while a poll
 * waits: records of partitions that it moves or takes away are not handed out any more.
 *
 * With a `groupId` and `subscribe` it is one member of a group, which divides the partitions. It joins when it first polls, and
 * says by itself, however long a record takes, that it lives; what it must do is poll again within `maxPollIntervalMs`.
 */
export class KafkaConsumer<K = Uint8Array, V = Uint8Array> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #core: ConsumerCore<K, V>;
  readonly #polls: Polls<K, V>;
  readonly #queries: OffsetQueries;
  #closing: Promise<void> | null = null;

  /**
   * @param clock for tests, which let time pass as they like
   * @throws OptionsError naming option, value and what is allowed
   */
  constructor(options: ConsumerOptions<K, V>, clock: Clock = systemClock) {
    this.#core = new ConsumerCore(resolveConsumerOptions(options), clock);
    this.#polls = new Polls(this.#core);
    this.#queries = new OffsetQueries(this.#core);
  }

  /**
   * Connects now, for who wants to fail fast.
   *
   * @throws TimeoutError where no broker of the cluster answers in time, AuthenticationError, WakeupError, ClosedError
   */
  async connect({ timeoutMs, signal }: CallOptions = {}): Promise<void> {
    this.#core.enter();
    const { network } = this.#core;
    const connecting = network.awaitMetadata(
      this.#core.deadline(timeoutMs),
      "connecting to the cluster",
      () => [...network.metadata.snapshot.nodes.keys()].find((id) => id >= 0) ?? null,
    );
    await this.#core.race(connecting, signal);
  }

  /**
   * Reads these topics, as a member of its group, from the next poll on; another call replaces the topics. Each is read where the
   * group's committed offsets, or else `autoOffsetReset`, say.
   *
   * @param topics by name, a `SubscriptionPattern` that the broker holds against the names of topics, or a pattern that is held here against the names of all topics there are, with each refresh of the
   *   metadata; as `RegExp.test` does, it matches anywhere in a name that `^` and `$` do not hold
   * @param listener is told what is assigned and revoked; its calls are awaited
   * @throws OptionsError, KafkaError with code INVALID_TOPIC_EXCEPTION for what no topic can be called, StateError without a groupId,
   *   or after `assign` or the other kind of subscription
   */
  subscribe(topics: readonly string[] | RegExp | SubscriptionPattern, listener?: ConsumerRebalanceListener): void {
    this.#core.openToRead();
    this.#group("subscribe");
    const { subscription, network } = this.#core;
    const checked = listener === undefined ? null : checkedListener(listener);
    if (topics instanceof RegExp) subscription.subscribePattern(topics, checked, network.metadata.updatedAtMs);
    else if (topics instanceof SubscriptionPattern) this.#subscribeServerPattern(topics, checked);
    else if (Array.isArray(topics)) {
      checkedTopics(topics).forEach(checkTopicName);
      subscription.subscribe(topics, checked);
    } else throw new OptionsError("topics", topics, "an array of names, a RegExp or a SubscriptionPattern");
    this.#core.retainTopics();
  }

  #subscribeServerPattern(pattern: SubscriptionPattern, listener: ConsumerRebalanceListener | null): void {
    const { subscription, options } = this.#core;
    if (options.groupProtocol === "classic") {
      throw new StateError("a SubscriptionPattern is for groupProtocol consumer: subscribe to a RegExp, or set that");
    }
    subscription.subscribeServerPattern(pattern, listener);
  }

  /** Id of the cluster; `null` before it is known. Source: Kafka's `ClusterResource`. */
  get clusterId(): string | null {
    return this.#core.network.metadata.snapshot.clusterId;
  }

  /** The topics it subscribed to, or those that its pattern matches so far. */
  subscription(): string[] {
    return [...this.#core.subscription.topics];
  }

  /**
   * Reads exactly these partitions from now on, whatever a group assigns. Those that were assigned before keep their positions;
   * new ones begin where the committed offsets of its `groupId`, if it has one, or `autoOffsetReset` say, unless `seek` says otherwise.
   * Of those that are given up nothing more is committed by itself: call `commitSync` first.
   *
   * @throws OptionsError, KafkaError with code INVALID_TOPIC_EXCEPTION for what no topic can be called, StateError after `subscribe`
   */
  assign(partitions: readonly TopicPartition[]): void {
    this.#core.openToRead();
    checkPartitions(partitions);
    this.#core.subscription.assign();
    if (partitions.length === 0) this.#core.subscription.clear();
    this.#core.assignment.assign(partitions);
    this.#core.redirected();
    this.#core.retainTopics();
  }

  /**
   * Gives up all partitions and what it subscribed to; a member leaves its group, unless it is static, after its listener was told, and
   * waits until the coordinator has heard it, `requestTimeoutMs` at most. Nothing is committed.
   *
   * @throws what the listener throws, when all is given up
   */
  async unsubscribe(): Promise<void> {
    this.#core.openToRead();
    const { group, subscription, assignment, options } = this.#core;
    const giveUpAll = () => {
      subscription.clear();
      assignment.assign([]);
      this.#core.redirected();
      this.#core.retainTopics();
    };
    if (group === null || !subscription.isAutomatic) {
      giveUpAll();
      return;
    }
    const isTold = options.groupInstanceId === null;
    this.#core.isLeaving = true;
    const isLeft = () => {
      this.#core.isLeaving = false;
      giveUpAll();
    };
    await group.leave("the consumer unsubscribed", isTold, this.#core.deadline(options.requestTimeoutMs), isLeft);
  }

  /** The partitions that are read. */
  assignment(): TopicPartition[] {
    return this.#core.assignment.toArray();
  }

  /**
   * Waits for records: `maxPollRecords` at most, of any assigned partition. They come as soon as there are some, and
   * the brokers are asked for more before they are handed out. A member of a group also takes part in rebalances here, and
   * its listener is called; what the polls before handed out may be committed by itself (`enableAutoCommit`).
   *
   * @param timeoutMs how long to wait; 0 takes what is there. The time of the listener, and of deserializers that give promises, comes on top
   * @returns nothing but an empty answer when the time is over, or where interceptors have left out all records that came
   * @throws StateError where another poll is under way or there is nothing to read, WakeupError, ClosedError,
   *   NoOffsetForPartitionError, OffsetOutOfRangeError, LogTruncationError, CorruptLogError, AuthenticationError, BrokerError for what the
   *   cluster or the group refuses, and what the listener or the assignor threw
   */
  async poll(timeoutMs: number, { signal }: PollOptions = {}): Promise<ConsumerRecords<K, V>> {
    checkTimeout(timeoutMs);
    const { records, spans } = (await this.#polls.next(timeoutMs, signal)) ?? { records: [], spans: [] };
    return new ConsumerRecords(records, spans);
  }

  /**
   * All records from here on, one by one, and without an end: the same as `for await (const record of consumer)`. What the body of
   * the loop is done with is what commits (`enableAutoCommit`).
   *
   * A signal ends the loop in order, when the body is done with the record that it is at. A loop that is left otherwise, by `break`,
   * by an error or by `close`, has not finished that record: what comes next, from another loop or a poll, begins with it. A rebalance
   * waits for no more than the record that the body is at, and `maxPollIntervalMs` counts from one record to the next.
   *
   * @throws the same as `poll`, between two records
   */
  records({ signal }: PollOptions = {}): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    return this.#polls.records(signal);
  }

  /**
   * The same by partitions: each time records of one, `maxPollRecords` at most. A loop that is left has not finished the batch that it
   * is at, of which nothing counts as done with.
   */
  batches({ signal }: PollOptions = {}): AsyncGenerator<ConsumerBatch<K, V>, void, undefined> {
    return this.#polls.batches(signal);
  }

  [Symbol.asyncIterator](): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    return this.records();
  }

  /**
   * Commits where the group goes on, and waits until the coordinator has it; asks again, for `timeoutMs`, while the error may pass.
   * Commits are carried out in the order of the calls.
   *
   * @param offsets default the positions: everything that polls have handed out, and in a loop what its body was given, the record that
   *   it is at included
   * @throws CommitFailedError where the partitions may be another's by now, RebalanceInProgressError: poll and commit again,
   *   TimeoutError, WakeupError, BrokerError, OptionsError, StateError without a groupId
   */
  async commitSync(offsets?: readonly OffsetToCommit[], { timeoutMs, signal }: CallOptions = {}): Promise<void> {
    this.#core.enter();
    const group = this.#group("commitSync");
    const chosen = offsets === undefined ? this.#consumed() : checkedOffsets(offsets);
    const { clock, metrics } = this.#core;
    const sinceMs = clock.now();
    const committing = this.#core.race(group.commit(chosen, this.#core.deadline(timeoutMs), true), signal);
    await committing.finally(() => metrics.called("commitSync", sinceMs));
  }

  /**
   * Commits without waiting. It is tried once: by the time it could be tried again, a later commit may have been made. Commits are
   * carried out, and callbacks called, in the order of the calls.
   *
   * @param offsets default the positions: everything that polls have handed out
   * @param callback told what came of it; without one failures are logged
   * @throws OptionsError, StateError without a groupId, ClosedError
   */
  commitAsync(offsets?: readonly OffsetToCommit[] | OffsetCommitCallback, callback?: OffsetCommitCallback): void {
    this.#core.open();
    const group = this.#group("commitAsync");
    const { logger } = this.#core.network.observer;
    const told = typeof offsets === "function" ? offsets : callback;
    const chosen = offsets === undefined || typeof offsets === "function" ? this.#consumed() : checkedOffsets(offsets);
    const say = (error: Error | null) => {
      if (told !== undefined) told(error, chosen);
      else if (error !== null) logger.warn("commitAsync failed", { error: error.message });
    };
    group
      .commit(chosen, this.#core.deadline(), false)
      .then(() => say(null), say)
      .catch((error: unknown) => logger.error("the callback of commitAsync threw", { error: String(error) }));
  }

  /**
   * What the group has committed, whoever did it.
   *
   * @returns one for each partition, in their order; `offset: null` where there is none
   * @throws TimeoutError, WakeupError, BrokerError, StateError without a groupId
   */
  async committed(partitions: readonly TopicPartition[], options: CallOptions = {}): Promise<CommittedOffset[]> {
    this.#core.enter();
    const group = this.#group("committed");
    checkPartitions(partitions);
    const { clock, metrics } = this.#core;
    const sinceMs = clock.now();
    const looking = this.#core.race(group.lookUp(partitions, this.#core.deadline(options.timeoutMs)), options.signal);
    return [...(await looking.finally(() => metrics.called("committed", sinceMs)))];
  }

  /** Who it is in its group, for `producer.sendOffsetsToTransaction`. @throws StateError without a groupId */
  groupMetadata(): Required<ConsumerGroupMetadata> {
    return this.#group("groupMetadata").metadata;
  }

  /** Has the group rebalanced, from the next poll on. @param reason for the broker's log @throws StateError without a subscription */
  enforceRebalance(reason = "rebalance enforced by user"): void {
    this.#core.open();
    const group = this.#group("enforceRebalance");
    if (!this.#core.subscription.isAutomatic) throw new StateError("enforceRebalance: call subscribe first");
    group.membership.requestRejoin(reason);
    this.#core.wake();
  }

  /**
   * Goes on at `offset`, whatever the position was.
   *
   * @param offset of the record that comes next, alone or as `committed` gives it, with its leader epoch: then the leader is asked
   *   first whether its log still has what was read before it
   * @throws StateError where the partition is not assigned, OptionsError
   */
  seek(partition: TopicPartition, offset: bigint | number | OffsetToSeek): void {
    this.#core.open();
    const isWhole = typeof offset === "object" && offset !== null;
    const { offset: given, leaderEpoch = null } = isWhole ? offset : { offset };
    const position = { offset: checkedOffset(given), leaderEpoch: checkedLeaderEpoch(leaderEpoch) };
    this.#state(partition).seek(position);
    this.#core.redirected();
  }

  /** Goes on at the first record there is, which is looked up by the next poll. @param partitions default all assigned ones */
  seekToBeginning(partitions: readonly TopicPartition[] = []): void {
    this.#requestReset(partitions, { kind: "earliest" });
  }

  /** Goes on behind the last record there is, which is looked up by the next poll. @param partitions default all assigned ones */
  seekToEnd(partitions: readonly TopicPartition[] = []): void {
    this.#requestReset(partitions, { kind: "latest" });
  }

  /**
   * The offset of the record that comes next; waits while it is being looked up, or held against the log of a new leader.
   *
   * @throws StateError where the partition is not assigned, TimeoutError, WakeupError, NoOffsetForPartitionError, LogTruncationError
   */
  async position(partition: TopicPartition, { timeoutMs, signal }: CallOptions = {}): Promise<bigint> {
    this.#core.enter();
    checkPartition(partition);
    const deadline = this.#core.deadline(timeoutMs);
    const found = await this.#core.wait(deadline, signal, () => {
      const state = this.#core.assignment.get(partition);
      const position = state.awaitsValidation || state.isOrphaned ? null : this.#polls.positionOf(state);
      if (position === null) this.#core.throwErrorOfPositions();
      return position;
    });
    if (found === null) throw new TimeoutError(`the position of ${partitionText(partition)}`, deadline.timeoutMs);
    return found.offset;
  }

  /** Gives no more records of these partitions. What was fetched of them stays ready for `resume`. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#core.open();
    for (const state of this.#states(partitions)) state.pause();
  }

  /** Gives records of these partitions again. */
  resume(partitions: readonly TopicPartition[]): void {
    this.#core.open();
    for (const state of this.#states(partitions)) state.resume();
    this.#core.wake();
  }

  /** The partitions that are paused. */
  paused(): TopicPartition[] {
    const { assignment } = this.#core;
    return assignment.toArray().filter((partition) => assignment.get(partition).isPaused);
  }

  /** How many records lie between the position and the end of the log, as the last answer had it; `null` before the first. */
  currentLag(partition: TopicPartition): bigint | null {
    const state = this.#state(partition);
    return state.lag(this.#core.options.isolationLevel, this.#polls.positionOf(state));
  }

  /** The first offset of each partition that can still be read, in their order. @throws TimeoutError, WakeupError, BrokerError */
  beginningOffsets(partitions: readonly TopicPartition[], options?: CallOptions): Promise<PartitionPosition[]> {
    return this.#queries.ends(partitions, earliestTimestamp, options);
  }

  /**
   * The offset behind the last record of each partition that can be read, in their order: with `read_committed`, that of the first
   * record that belongs to an open transaction. @throws TimeoutError, WakeupError, BrokerError
   */
  endOffsets(partitions: readonly TopicPartition[], options?: CallOptions): Promise<PartitionPosition[]> {
    return this.#queries.ends(partitions, latestTimestamp, options);
  }

  /** The first record of each partition that is of a certain time or later, in their order. @throws TimeoutError, WakeupError, BrokerError */
  async offsetsForTimes(queries: readonly TimestampQuery[], options?: CallOptions): Promise<OffsetAndTimestamp[]> {
    return this.#queries.forTimes(queries, options);
  }

  /**
   * The partitions of a topic, by number, and who leads them.
   *
   * @throws KafkaError with code INVALID_TOPIC_EXCEPTION for what no topic can be called, TimeoutError where the topic does not come
   *   into being in time, AuthenticationError, BrokerError for one that cannot be told
   */
  async partitionsFor(topic: string, options: CallOptions = {}): Promise<readonly PartitionSnapshot[]> {
    return this.#queries.partitionsFor(topic, options);
  }

  /**
   * All topics that this client may see, by name, with their partitions: also those that are internal to Kafka. What it reads, and keeps
   * up to date, is not touched by it. Source: Kafka's `TopicMetadataFetcher`.
   *
   * @throws TimeoutError, also where a topic is not ready in time, WakeupError, AuthenticationError, BrokerError for what cannot be told
   */
  async listTopics(options: CallOptions = {}): Promise<ListedTopic[]> {
    return this.#queries.listTopics(options);
  }

  /**
   * What was measured so far, by Kafka's names and in Kafka's units. Groups: `consumer-metrics` (connections, requests, polls),
   * `consumer-node-metrics` by broker, `consumer-fetch-manager-metrics` (bytes, records, lag: in all, by topic, and by partition) and,
   * with a `groupId`, `consumer-coordinator-metrics` (heartbeats, rebalances, commits). Values are computed as of this call. Metrics of
   * topics and partitions go when these are not assigned any more. What each of them says: `OBSERVABILITY.md` of the package.
   *
   * @example
   * const lags = consumer.metrics().filter(({ name, tags }) => name === "records-lag" && tags["topic"] === "orders");
   */
  metrics(): Metric[] {
    return this.#core.network.metrics();
  }

  /**
   * Ends the call that waits, else the next one that would, with a WakeupError. May be called at any time. That may be a `commitSync`
   * as well as a `poll`; `poll(timeoutMs, { signal })` is ended alone.
   */
  wakeup(): void {
    this.#core.wakeup();
  }

  /**
   * Ends calls that wait with a ClosedError. A member commits what is done with (`enableAutoCommit`), waits for commits that are
   * under way, has its listener told that its partitions are revoked, which may commit and seek still, and leaves its group. Brokers are
   * told to forget what they were asked for. Then every connection is closed: afterwards no socket and no timer is left. Last of all,
   * interceptors are closed.
   *
   * @throws OptionsError; what the listener throws, when all is closed
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const { timeoutMs = defaultCloseTimeoutMs, groupMembershipOperation = "DEFAULT" } = options;
    checkTimeout(timeoutMs);
    checkMembershipOperation(groupMembershipOperation);
    this.#closing ??= this.#close(this.#core.deadline(timeoutMs), groupMembershipOperation);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(deadline: Deadline, operation: GroupMembershipOperation): Promise<void> {
    const { group, subscription, options } = this.#core;
    this.#core.close();
    // What a loop is not done with must not be committed.
    this.#polls.takeBack();
    const endingSessions = this.#core.endFetchSessions(deadline);
    try {
      await group?.finishCommits(deadline);
      const isStatic = options.groupInstanceId !== null;
      const isTold = operation === "LEAVE_GROUP" || (operation === "DEFAULT" && !isStatic);
      if (subscription.isAutomatic) await group?.leave("the consumer is being closed", isTold, deadline);
    } finally {
      await endingSessions;
      await this.#core.end();
      this.#core.interceptors.close();
    }
  }

  /** @throws OptionsError, StateError for what is not assigned */
  #state(partition: TopicPartition): PartitionState {
    checkPartition(partition);
    return this.#core.assignment.get(partition);
  }

  /** @throws the same */
  #states(partitions: readonly TopicPartition[]): PartitionState[] {
    checkPartitions(partitions);
    return partitions.map((partition) => this.#core.assignment.get(partition));
  }

  /** What the application has got to: everything that polls have handed out, and in a loop what its body was given. */
  #consumed(): readonly OffsetAndMetadata[] {
    return consumedOffsets(this.#core.assignment, (state) => this.#polls.positionOf(state));
  }

  /** @throws StateError where there is none */
  #group(call: string): ConsumerGroup {
    const { group } = this.#core;
    if (group !== null) return group;
    throw new StateError(`${call} needs a group: give the consumer a groupId`);
  }

  #requestReset(partitions: readonly TopicPartition[], spec: OffsetSpec): void {
    this.#core.open();
    const states = this.#states(partitions);
    const chosen = states.length === 0 ? [...this.#core.assignment.partitions()] : states;
    for (const state of chosen) state.requestReset(spec);
    this.#core.redirected();
  }
}
