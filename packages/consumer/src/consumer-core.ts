import { type Clock, ClosedError, Deadline, NetworkClient, State, StateError } from "@odradek/network";
import { ConsumerInterceptors } from "./consumer-interceptors.ts";
import { ConsumerLoop } from "./consumer-loop.ts";
import type { ResolvedConsumerOptions } from "./consumer-options.ts";
import { WakeupError } from "./errors.ts";
import { FetchBuffer } from "./fetch/fetch-buffer.ts";
import { Fetcher } from "./fetch/fetcher.ts";
import { ConsumerGroup } from "./group/consumer-group.ts";
import { Subscription } from "./group/subscription.ts";
import { InterruptibleCalls } from "./interruptible-calls.ts";
import { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import { FetchMetrics } from "./metrics/fetch-metrics.ts";
import type { Due } from "./outgoing-request.ts";
import { AbsentTopics } from "./positions/absent-topics.ts";
import { InitialPositions } from "./positions/initial-positions.ts";
import { OffsetLookup } from "./positions/offset-lookup.ts";
import { OffsetReset } from "./positions/offset-reset.ts";
import { PositionValidation } from "./positions/position-validation.ts";
import { SubscriptionState } from "./positions/subscription-state.ts";
import { AwaitedDeserialization } from "./records/awaited-deserialization.ts";

const coreStates = () =>
  new State("open", {
    open: ["closing"],
    closing: ["closed"], // reads nothing any more; what the rebalance listener does at the end is carried out
    closed: [],
  });

/** The parts of one consumer, and the loop that joins them: what is due of each is sent, and who waits for one is woken. */
export class ConsumerCore<K, V> {
  readonly options: ResolvedConsumerOptions<K, V>;
  readonly clock: Clock;
  readonly network: NetworkClient;
  readonly metrics: ConsumerMetrics;
  /** What is wanted. */
  readonly subscription: Subscription;
  /** What is had. */
  readonly assignment = new SubscriptionState();
  readonly buffer: FetchBuffer<K, V>;
  readonly deserialization: AwaitedDeserialization<K, V>;
  readonly interceptors: ConsumerInterceptors<K, V>;
  readonly offsetLookup: OffsetLookup;
  /** `null` for a consumer without a group. */
  readonly group: ConsumerGroup | null;
  /** Whether a poll asks for records: those that come next are fetched although it has found some. */
  isPolling = false;
  /** Whether that poll has found nothing yet: the application is done with all that was handed out before. */
  isDone = false;
  /** Whether the listener is told that everything goes, which the user has unsubscribed. */
  isLeaving = false;
  readonly #fetchMetrics: FetchMetrics;
  readonly #fetcher: Fetcher<K, V>;
  readonly #absentTopics: AbsentTopics;
  readonly #initialPositions: InitialPositions;
  readonly #offsetReset: OffsetReset;
  readonly #validation: PositionValidation;
  readonly #loop: ConsumerLoop;
  readonly #calls = new InterruptibleCalls();
  /** Topics that users ask about. */
  readonly #topicQuestions = new Set<{ readonly topic: string }>();
  readonly #concerns = (topic: string, isInternal: boolean) => this.subscription.concerns(topic, isInternal);
  #isWakeupRequested = false;
  readonly #state = coreStates();

  constructor(options: ResolvedConsumerOptions<K, V>, clock: Clock) {
    const { groupId } = options;
    this.options = options;
    this.clock = clock;
    this.network = new NetworkClient("consumer", options, clock);
    this.subscription = new Subscription(options);
    const { network, subscription, assignment } = this;
    const wake = () => this.#loop.wake();
    const { registry, logger } = network.observer;
    this.metrics = new ConsumerMetrics(registry, clock);
    this.#fetchMetrics = new FetchMetrics(registry, clock, options.isolationLevel, assignment);
    this.buffer = new FetchBuffer(assignment, this.#fetchMetrics);
    this.deserialization = new AwaitedDeserialization(options.keyDeserializer, options.valueDeserializer);
    const interceptors = new ConsumerInterceptors(options.interceptors, logger);
    this.interceptors = interceptors;
    this.group =
      groupId === null
        ? null
        : new ConsumerGroup({
            groupId,
            options,
            network,
            subscription,
            assignment,
            clock,
            logger,
            onChange: () => this.retainTopics(),
            onCommitted: (offsets) => interceptors.onCommit(offsets),
          });
    this.#fetcher = new Fetcher(options, network, assignment, this.buffer, clock, wake, this.#fetchMetrics);
    this.#absentTopics = new AbsentTopics(network, logger, () =>
      subscription.isAutomatic ? subscription.topics : assignment.topics,
    );
    this.#initialPositions = new InitialPositions(options, assignment, this.group?.committed ?? null, clock, wake);
    this.#offsetReset = new OffsetReset(options, network, assignment, clock);
    this.#validation = new PositionValidation(options, network, assignment, clock, network.observer.logger);
    this.offsetLookup = new OffsetLookup(options, network, clock);
    this.#loop = new ConsumerLoop(network, clock, (nowMs) => this.#due(nowMs));
  }

  /** Where calls begin that may also be made by a rebalance listener within `close`. @throws ClosedError */
  open(): void {
    if (this.#state.is("closed")) throw new ClosedError("consumer");
  }

  /** Where calls begin that say what to read, or read. @throws ClosedError */
  openToRead(): void {
    if (this.isClosing) throw new ClosedError("consumer");
    if (this.isLeaving) throw new StateError("unsubscribe is under way: await it first");
  }

  /** Where calls begin that may wait. @throws ClosedError, WakeupError */
  enter(): void {
    this.open();
    if (!this.#isWakeupRequested) return;
    this.#isWakeupRequested = false;
    throw new WakeupError();
  }

  /** Whether it reads no more. */
  get isClosing(): boolean {
    return !this.#state.is("open");
  }

  deadline(timeoutMs = this.options.defaultApiTimeoutMs): Deadline {
    return new Deadline(this.clock, timeoutMs);
  }

  /** The user has changed what is read, or where: what was wrong with that is void, and what still holds is found again. */
  redirected(): void {
    this.#takeErrorOfRecords();
    this.buffer.prune();
    this.#fetchMetrics.retain();
    this.#loop.wake();
  }

  /** Waits until `find` finds something, or until the deadline, which gives `null`. */
  wait<T>(deadline: Deadline, signal: AbortSignal | undefined, find: () => T | null): Promise<T | null> {
    // Whoever calls again wants another attempt, where one is due: what was refused may have been granted meanwhile.
    if (this.network.fatalError !== null) this.network.requestUpdate();
    return this.#loop.wait(deadline, signal, find);
  }

  /** Waits for something that goes on by itself, unless `wakeup`, `close` or the signal ends the wait. */
  race<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#calls.race(promise, signal);
  }

  wake(): void {
    this.#loop.wake();
  }

  /** Ends the calls that wait, else the next one that would. */
  wakeup(): void {
    if (!this.#loop.isAwaited && this.offsetLookup.size === 0 && this.#calls.size === 0) {
      this.#isWakeupRequested = true;
      return;
    }
    this.#interrupt(new WakeupError());
  }

  /** What keeps the consumer from reading on as it should, whatever it has to hand out still. */
  throwErrorOfGroup(): void {
    const error = this.group?.takeError() ?? this.#initialPositions.takeError();
    if (error !== null && error !== undefined) throw error;
  }

  /** What a poll finds wrong. */
  throwError(): void {
    const error = this.#takeError();
    if (error !== null) throw error;
  }

  /** What keeps a position from being known; what is wrong with fetches is for a poll. */
  throwErrorOfPositions(): void {
    const sources = [this.group, this.#initialPositions, this.#offsetReset, this.#validation];
    for (const error of sources.map((source) => source?.takeError())) if (error) throw error;
  }

  /** Has a topic's metadata kept up to date as long as `ask` takes. */
  async askAbout<T>(topic: string, ask: () => Promise<T>): Promise<T> {
    const question = { topic };
    this.#topicQuestions.add(question);
    this.retainTopics();
    try {
      return await ask();
    } finally {
      this.#topicQuestions.delete(question);
      this.retainTopics();
    }
  }

  /** Has the metadata kept up to date of those topics that are of use. */
  retainTopics(): void {
    const { metadata } = this.network;
    const asked = [...this.#topicQuestions].map(({ topic }) => topic);
    const ofGroup = this.subscription.isAutomatic ? (this.group?.membership.topics ?? []) : [];
    const topics = [...this.assignment.topics, ...ofGroup, ...this.offsetLookup.topics, ...asked];
    if (this.subscription.concernsAllTopics) {
      metadata.add(topics);
      metadata.retainAll(this.#concerns);
    } else metadata.retain(topics);
    this.#loop.wake();
  }

  /** Reads no more, and ends the calls that wait. What is due goes on being sent, until `end`. */
  close(): void {
    this.#state.to("closing");
    this.isPolling = false;
    this.isDone = false;
    this.#isWakeupRequested = false;
    this.#interrupt(new ClosedError("consumer"));
  }

  /** Has brokers forget what they were asked for. @returns settles when they were told, or could not be before the deadline */
  endFetchSessions(deadline: Deadline): Promise<void> {
    const ending = this.#fetcher.endSessions(deadline);
    this.#loop.wake();
    return ending;
  }

  /** Sends nothing any more, and closes every connection. Afterwards no socket and no timer is left. */
  async end(): Promise<void> {
    const error = new ClosedError("consumer");
    this.#state.to("closed");
    this.#interrupt(error);
    this.group?.cancel(error);
    this.#loop.close(error);
    // Fetches under way are given up: nobody will poll what they bring.
    await this.network.close({ timeoutMs: 0 });
  }

  #interrupt(error: Error): void {
    this.#loop.interrupt(error);
    this.offsetLookup.cancel(error);
    this.#calls.interrupt(error);
  }

  /** What is to be sent. Positions and records are asked for only while somebody waits for them. */
  *#due(nowMs: number): Generator<Due> {
    const isAwaited = this.isPolling || this.#loop.isAwaited;
    if (this.isPolling) this.#absentTopics.look(nowMs);
    if (isAwaited) this.#initialPositions.poll();
    if (this.group !== null) yield* this.group.due(nowMs, this.isDone);
    yield this.offsetLookup.poll(nowMs);
    // What it finds to be lost is reset, and nothing is fetched before it was looked at.
    if (isAwaited) yield this.#validation.poll(nowMs);
    if (isAwaited) yield this.#offsetReset.poll(nowMs);
    if (this.isPolling) yield this.#fetcher.poll(nowMs);
    if (this.isClosing) yield this.#fetcher.pollEnds(nowMs);
  }

  #takeError(): Error | null {
    return this.group?.takeError() ?? this.#takeErrorOfRecords() ?? this.network.fatalError;
  }

  #takeErrorOfRecords(): Error | null {
    const sources = [this.#initialPositions, this.#validation, this.#offsetReset, this.#fetcher];
    return sources.map((source) => source.takeError()).find((error) => error !== null) ?? null;
  }
}
