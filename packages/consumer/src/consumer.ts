import {
  type Clock,
  ClosedError,
  Deadline,
  type Metric,
  NetworkClient,
  OptionsError,
  type PartitionSnapshot,
  partitionText,
  StateError,
  systemClock,
  TimeoutError,
  type TopicPartition,
} from "@odradek/network";
import { earliestTimestamp, latestTimestamp, type OffsetSpec } from "./auto-offset-reset.ts";
import {
  type CallOptions,
  type CloseOptions,
  checkedOffset,
  checkPartition,
  checkTimeout,
  type PollOptions,
} from "./call-arguments.ts";
import { ConsumerLoop } from "./consumer-loop.ts";
import { type ConsumerOptions, type ResolvedConsumerOptions, resolveConsumerOptions } from "./consumer-options.ts";
import type { ConsumerRecord } from "./consumer-record.ts";
import { ConsumerRecords } from "./consumer-records.ts";
import { type PartitionPosition, WakeupError } from "./errors.ts";
import { type Drained, FetchBuffer } from "./fetch-buffer.ts";
import { Fetcher } from "./fetcher.ts";
import type { ListedOffset, OffsetQuery } from "./list-offsets.ts";
import {
  type OffsetAndTimestamp,
  offsetAndTimestamp,
  queriesForTimes,
  type TimestampQuery,
} from "./offset-and-timestamp.ts";
import { OffsetLookup } from "./offset-lookup.ts";
import { OffsetReset } from "./offset-reset.ts";
import type { Due } from "./outgoing-request.ts";
import { SubscriptionState } from "./subscription-state.ts";

/**
 * Reads records. It connects on the first call that needs to, and asks brokers for records only while somebody
 * polls; what comes meanwhile is kept for the next poll. Source: Kafka's `KafkaConsumer`.
 *
 * One poll at a time. `wakeup`, `close`, and what answers at once (`seek`, `pause`, `assign` and the like) may be called while a poll
 * waits: records of partitions that it moves or takes away are not handed out any more.
 */
export class KafkaConsumer<K = Uint8Array, V = Uint8Array> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #options: ResolvedConsumerOptions<K, V>;
  readonly #clock: Clock;
  readonly #network: NetworkClient;
  readonly #subscription = new SubscriptionState();
  readonly #buffer: FetchBuffer<K, V>;
  readonly #fetcher: Fetcher<K, V>;
  readonly #offsetReset: OffsetReset;
  readonly #offsetLookup: OffsetLookup;
  readonly #loop: ConsumerLoop;
  /** Topics that `partitionsFor` asks about. */
  readonly #topicQuestions = new Set<{ readonly topic: string }>();
  /** Ends the calls of `connect` that wait. */
  readonly #connecting = new Set<(error: Error) => void>();
  #isPolling = false;
  #isWakeupRequested = false;
  #closing: Promise<void> | null = null;

  /** @throws OptionsError naming option, value and what is allowed */
  constructor(options: ConsumerOptions<K, V>, clock: Clock = systemClock) {
    const resolved = resolveConsumerOptions(options);
    this.#options = resolved;
    this.#clock = clock;
    this.#network = new NetworkClient("consumer", resolved, clock);
    this.#buffer = new FetchBuffer(this.#subscription);
    this.#fetcher = new Fetcher(resolved, this.#network, this.#subscription, this.#buffer, clock, () =>
      this.#loop.wake(),
    );
    this.#offsetReset = new OffsetReset(resolved, this.#network, this.#subscription, clock);
    this.#offsetLookup = new OffsetLookup(resolved, this.#network, clock);
    this.#loop = new ConsumerLoop(this.#network, clock, (nowMs) => this.#due(nowMs));
  }

  /**
   * Connects now, for who wants to fail fast.
   *
   * @throws TimeoutError where no broker of the cluster answers in time, AuthenticationError, WakeupError, ClosedError
   */
  async connect({ timeoutMs }: CallOptions = {}): Promise<void> {
    this.#enter();
    const { metadata } = this.#network;
    const connecting = this.#network.awaitMetadata(
      this.#deadline(timeoutMs),
      "connecting to the cluster",
      () => [...metadata.snapshot.nodes.keys()].find((id) => id >= 0) ?? null,
    );
    await this.#unlessWoken(connecting);
  }

  /**
   * Reads exactly these partitions from now on, in no group. Those that were assigned before keep their positions;
   * new ones begin where `autoOffsetReset` says, unless `seek` says otherwise.
   */
  assign(partitions: readonly TopicPartition[]): void {
    this.#open();
    if (!Array.isArray(partitions)) throw new OptionsError("partitions", partitions, "an array of partitions");
    partitions.forEach(checkPartition);
    this.#subscription.assign(partitions);
    this.#retainTopics();
  }

  /** Gives up all partitions. */
  unsubscribe(): void {
    this.assign([]);
  }

  /** The partitions that are read. */
  assignment(): TopicPartition[] {
    return [...this.#subscription.partitions()].map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * Waits for records: `maxPollRecords` at most, of any assigned partition. They come as soon as there are some, and
   * the brokers are asked for more before they are handed out.
   *
   * @param timeoutMs how long to wait; 0 takes what is there
   * @returns nothing but an empty answer when the time is over
   * @throws StateError where another poll is under way or nothing is assigned, WakeupError, ClosedError,
   *   NoOffsetForPartitionError, OffsetOutOfRangeError, CorruptLogError, AuthenticationError, and BrokerError for what the
   *   cluster refuses
   */
  async poll(timeoutMs: number, { signal }: PollOptions = {}): Promise<ConsumerRecords<K, V>> {
    checkTimeout(timeoutMs);
    const { records, spans } = (await this.#poll(timeoutMs, signal)) ?? { records: [], spans: [] };
    return new ConsumerRecords(records, spans);
  }

  /**
   * All records from here on, without an end; `close` ends the loop behind the record that it is at.
   *
   * A loop that is left, by `break` or by an error, has not finished its last record: what comes next, from another
   * loop or a poll, begins with that one.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    while (this.#closing === null) {
      const drained = await this.#poll(Number.POSITIVE_INFINITY, undefined).catch((error: unknown) => {
        if (error instanceof ClosedError && this.#closing !== null) return null;
        throw error;
      });
      if (drained !== null) yield* this.#handOut(drained);
    }
  }

  /** Goes on at `offset`, whatever the position was. @throws StateError where the partition is not assigned */
  seek(partition: TopicPartition, offset: bigint | number): void {
    this.#open();
    const exact = checkedOffset(offset);
    this.#subscription.get(partition).seek({ offset: exact, leaderEpoch: -1 });
    this.#loop.wake();
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
   * The offset of the record that comes next; waits while it is being looked up.
   *
   * @throws StateError where the partition is not assigned, TimeoutError, WakeupError, NoOffsetForPartitionError
   */
  async position(partition: TopicPartition, { timeoutMs }: CallOptions = {}): Promise<bigint> {
    this.#enter();
    const deadline = this.#deadline(timeoutMs);
    const found = await this.#wait(deadline, undefined, () => {
      const { position } = this.#subscription.get(partition);
      if (position !== null) return position;
      // What a poll beside this call finds wrong with its fetches is for the poll.
      const error = this.#offsetReset.takeError();
      if (error !== null) throw error;
      return null;
    });
    if (found === null) throw new TimeoutError(`the position of ${partitionText(partition)}`, deadline.timeoutMs);
    return found.offset;
  }

  /** Gives no more records of these partitions. What was fetched of them stays ready for `resume`. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#open();
    for (const state of partitions.map((partition) => this.#subscription.get(partition))) state.pause();
  }

  /** Gives records of these partitions again. */
  resume(partitions: readonly TopicPartition[]): void {
    this.#open();
    for (const state of partitions.map((partition) => this.#subscription.get(partition))) state.resume();
    this.#loop.wake();
  }

  /** The partitions that are paused. */
  paused(): TopicPartition[] {
    const paused = [...this.#subscription.partitions()].filter(({ isPaused }) => isPaused);
    return paused.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** How many records lie between the position and the end of the log, as the last answer had it; `null` before the first. */
  currentLag(partition: TopicPartition): bigint | null {
    return this.#subscription.get(partition).lag(this.#options.isolationLevel);
  }

  /** The first offset of each partition that can still be read. @throws TimeoutError, WakeupError, BrokerError */
  beginningOffsets(partitions: readonly TopicPartition[], options?: CallOptions): Promise<PartitionPosition[]> {
    return this.#ends(partitions, earliestTimestamp, options);
  }

  /**
   * The offset behind the last record of each partition that can be read: with `read_committed`, that of the first
   * record that belongs to an open transaction. @throws TimeoutError, WakeupError, BrokerError
   */
  endOffsets(partitions: readonly TopicPartition[], options?: CallOptions): Promise<PartitionPosition[]> {
    return this.#ends(partitions, latestTimestamp, options);
  }

  /** The first record of each partition that is of a certain time or later. @throws TimeoutError, WakeupError, BrokerError */
  async offsetsForTimes(queries: readonly TimestampQuery[], options?: CallOptions): Promise<OffsetAndTimestamp[]> {
    const listed = await this.#lookUp(queriesForTimes(queries), options);
    return listed.map(([query, found]) => offsetAndTimestamp(query, found));
  }

  /**
   * The partitions of a topic, by number, and who leads them.
   *
   * @throws TimeoutError where the topic does not come into being in time, AuthenticationError, BrokerError for one that
   *   cannot be told
   */
  async partitionsFor(topic: string, { timeoutMs }: CallOptions = {}): Promise<readonly PartitionSnapshot[]> {
    this.#enter();
    const deadline = this.#deadline(timeoutMs);
    const { metadata } = this.#network;
    const question = { topic };
    this.#topicQuestions.add(question);
    this.#retainTopics();
    try {
      const found = await this.#wait(deadline, undefined, () => {
        const fatal = metadata.fatalErrorOf(topic);
        if (fatal !== null) throw fatal;
        const known = metadata.snapshot.topics.get(topic)?.partitions ?? null;
        if (known !== null) return known;
        this.#network.requestUpdate();
        this.#throwFatal();
        return null;
      });
      if (found === null) throw new TimeoutError(`the partitions of ${topic}`, deadline.timeoutMs);
      return found;
    } finally {
      this.#topicQuestions.delete(question);
      this.#retainTopics();
    }
  }

  /** What was measured so far, by Kafka's names: connections, requests and authentications, in all and for each broker. */
  metrics(): Metric[] {
    return this.#network.metrics();
  }

  /** Ends the call that waits, else the next one that would, with a WakeupError. May be called at any time. */
  wakeup(): void {
    if (!this.#loop.isAwaited && this.#offsetLookup.size === 0 && this.#connecting.size === 0) {
      this.#isWakeupRequested = true;
      return;
    }
    const error = new WakeupError();
    this.#loop.interrupt(error);
    this.#offsetLookup.cancel(error);
    for (const reject of this.#connecting) reject(error);
  }

  /** Ends calls that wait with a ClosedError, and closes every connection. Afterwards no socket and no timer is left. @throws OptionsError */
  async close({ timeoutMs }: CloseOptions = {}): Promise<void> {
    if (timeoutMs !== undefined) checkTimeout(timeoutMs);
    // Fetches under way are given up: nobody will poll what they bring.
    this.#closing ??= this.#network.close({ timeoutMs: 0 });
    const error = new ClosedError("consumer");
    this.#loop.close(error);
    this.#offsetLookup.cancel(error);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): void {
    if (this.#closing !== null) throw new ClosedError("consumer");
  }

  /** Where calls begin that may wait. */
  #enter(): void {
    this.#open();
    if (!this.#isWakeupRequested) return;
    this.#isWakeupRequested = false;
    throw new WakeupError();
  }

  /** What was begun goes on: whoever connects again finds it. */
  async #unlessWoken(connecting: Promise<unknown>): Promise<void> {
    const { promise: woken, reject } = withRejection();
    this.#connecting.add(reject);
    try {
      await Promise.race([connecting, woken]);
    } finally {
      this.#connecting.delete(reject);
    }
  }

  #deadline(timeoutMs = this.#options.defaultApiTimeoutMs): Deadline {
    return new Deadline(this.#clock, timeoutMs);
  }

  async #poll(timeoutMs: number, signal: AbortSignal | undefined): Promise<Drained<K, V> | null> {
    this.#enter();
    if (this.#isPolling) throw new StateError("another poll is under way: await it first");
    if (this.#subscription.size === 0) throw new StateError("nothing is assigned: call assign first");
    this.#isPolling = true;
    try {
      const deadline = this.#deadline(timeoutMs);
      // Polls that find records, or errors, without waiting must not keep sockets and other people's timers from
      // their turn, however tight the loop around them is.
      await new Promise<void>((resolve) => this.#clock.after(0, resolve));
      this.#enter();
      return await this.#wait(deadline, signal, () => {
        const drained = this.#buffer.drain(this.#options.maxPollRecords);
        if (drained === null) this.#throwError();
        return drained;
      });
    } finally {
      this.#isPolling = false;
    }
  }

  *#handOut({ records, spans }: Drained<K, V>): Generator<ConsumerRecord<K, V>, void, undefined> {
    let finished = 0;
    try {
      for (const record of records) {
        if (this.#closing !== null) return;
        yield record;
        finished += 1;
      }
    } finally {
      for (const { topic, partition, start, end, next } of spans) {
        const first = records[Math.max(start, finished)];
        if (finished >= end || first === undefined) continue;
        const state = this.#subscription.find({ topic, partition });
        // Whoever has moved the position meanwhile knows better.
        if (state?.position === next) state.seek({ offset: first.offset, leaderEpoch: first.leaderEpoch ?? -1 });
      }
    }
  }

  #requestReset(partitions: readonly TopicPartition[], spec: OffsetSpec): void {
    this.#open();
    const chosen = partitions.length === 0 ? this.assignment() : partitions;
    for (const state of chosen.map((partition) => this.#subscription.get(partition))) state.requestReset(spec);
    this.#loop.wake();
  }

  async #ends(
    partitions: readonly TopicPartition[],
    timestamp: bigint,
    options?: CallOptions,
  ): Promise<PartitionPosition[]> {
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    const listed = await this.#lookUp(queries, options);
    return listed.map(([{ topic, partition }, { offset }]) => ({ topic, partition, offset }));
  }

  async #lookUp(
    queries: readonly OffsetQuery[],
    { timeoutMs }: CallOptions = {},
  ): Promise<(readonly [OffsetQuery, ListedOffset])[]> {
    this.#enter();
    queries.forEach(checkPartition);
    const looking = this.#offsetLookup.lookUp(queries, this.#deadline(timeoutMs));
    this.#retainTopics();
    try {
      const listed = await looking;
      return queries.flatMap((query) => {
        const found = listed.get(partitionText(query));
        return found === undefined ? [] : [[query, found] as const];
      });
    } finally {
      this.#retainTopics();
    }
  }

  /** Has the metadata kept up to date of those topics that are of use. */
  #retainTopics(): void {
    const asked = [...this.#topicQuestions].map(({ topic }) => topic);
    this.#network.metadata.retain([...this.#subscription.topics, ...this.#offsetLookup.topics, ...asked]);
    this.#loop.wake();
  }

  #wait<T>(deadline: Deadline, signal: AbortSignal | undefined, find: () => T | null): Promise<T | null> {
    // Void by now, as after a seek; what still holds is found again.
    this.#takeError();
    // Whoever calls again wants another attempt, where one is due: what was refused may have been granted meanwhile.
    if (this.#network.fatalError !== null) this.#network.requestUpdate();
    return this.#loop.wait(deadline, signal, find);
  }

  /** What is to be sent. Positions and records are asked for only while somebody waits for them. */
  *#due(nowMs: number): Generator<Due> {
    yield this.#offsetLookup.poll(nowMs);
    if (this.#isPolling || this.#loop.isAwaited) yield this.#offsetReset.poll(nowMs);
    if (this.#isPolling) yield this.#fetcher.poll(nowMs);
  }

  /** Nothing can be learned of the cluster. */
  #throwFatal(): void {
    const { fatalError } = this.#network;
    if (fatalError !== null) throw fatalError;
  }

  #throwError(): void {
    const error = this.#takeError();
    if (error !== null) throw error;
  }

  #takeError(): Error | null {
    const errors = [this.#offsetReset.takeError(), this.#fetcher.takeError(), this.#network.fatalError];
    return errors.find((error) => error !== null) ?? null;
  }
}

function withRejection(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, rejectIt) => {
    reject = rejectIt;
  });
  return { promise, reject };
}
