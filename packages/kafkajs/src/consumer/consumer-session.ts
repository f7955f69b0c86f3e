import {
  type Clock,
  type ConsumerOptions,
  type ConsumerRebalanceListener,
  type ConsumerRecords,
  type GroupAssignmentMessage,
  KafkaConsumer,
  type OffsetToCommit,
  type TopicPartition,
} from "odradek";
import { translated } from "../errors/error-translation.ts";
import { KafkaJSError } from "../errors/errors.ts";
import type { Logger } from "../logger.ts";
import type { ResolvedRetryOptions } from "../retry-options.ts";
import { BatchRun, type BatchRunContext, isOfMembership } from "./batch-run.ts";
import { Committer } from "./committer.ts";
import type { EmitConsumerEvent } from "./consumer-events.ts";
import { crashOf, Failures } from "./failures.ts";
import { GroupNews } from "./group-news.ts";
import { Lanes, type LanesLimits } from "./lanes.ts";
import { type NextOffset, partitionKey } from "./offset-ledger.ts";
import { Pauses } from "./pauses.ts";
import type { ResolvedRunConfig } from "./run-config.ts";
import { Seeks, type SeekTarget } from "./seeks.ts";
import type { SubscribedTopics } from "./subscribed-topics.ts";

export interface ConsumerSessionParts {
  /** @param onAssignment to be called with each assignment of the group */
  options(onAssignment: (message: GroupAssignmentMessage) => void): ConsumerOptions<Buffer, Buffer>;
  readonly groupId: string;
  readonly topics: SubscribedTopics;
  readonly config: ResolvedRunConfig;
  readonly retry: ResolvedRetryOptions;
  readonly rebalanceListener: ConsumerRebalanceListener;
  /** Connects the consumer; the signal calls it off. */
  readonly connect: (consumer: KafkaConsumer<Buffer, Buffer>, signal: AbortSignal) => Promise<void>;
  readonly maxWaitMs: number;
  readonly limits: LanesLimits;
  readonly rootLogger: Logger;
  readonly clock: Clock;
  readonly emit: EmitConsumerEvent;
}

/**
 * A consumer from its start to its stop or its crash: reads without a pause, and gives each partition's messages to the handler, one
 * batch at a time. What comes meanwhile waits, up to a limit, from which on the partition is paused below; all others go on. Rebalances
 * wait for the handlers, which are told.
 */
export class ConsumerSession {
  readonly #parts: ConsumerSessionParts;
  readonly #consumer: KafkaConsumer<Buffer, Buffer>;
  readonly #committer: Committer;
  readonly #news: GroupNews;
  readonly #lanes: Lanes<BatchRun>;
  readonly #failures: Failures;
  readonly #pauses = new Pauses();
  readonly #context: BatchRunContext;
  readonly #seeks: Seeks;
  readonly #assigned = new Map<string, TopicPartition>();
  /** Where the next poll goes on with each partition, as far as is known. */
  readonly #reached = new Map<string, bigint>();
  readonly #end = new AbortController();
  /** Ends the poll that is under way; another takes its place then. */
  #turn = new AbortController();
  readonly #joined: () => void;
  /** Settles with the first assignment. */
  readonly joined: Promise<void>;
  /** Settles when all is closed: with the error of a crash, else `null`. */
  readonly ended: Promise<Error | null>;
  #handledCount = 0;
  #error: Error | null = null;

  constructor(parts: ConsumerSessionParts) {
    const { config, retry, rootLogger, clock, emit, limits } = parts;
    this.#parts = parts;
    this.#failures = new Failures(retry);
    this.#lanes = new Lanes(limits);
    this.#consumer = new KafkaConsumer<Buffer, Buffer>(parts.options((message) => this.#news.assignment(message)));
    this.#seeks = new Seeks(this.#consumer, () => this.#turn.abort());
    const subscription = () => this.#consumer.subscription();
    this.#news = new GroupNews({ subscription, rootLogger, clock, emit });
    this.#committer = new Committer({
      consumer: this.#consumer,
      config,
      retry,
      logger: rootLogger.namespace("ConsumerGroup"),
      clock,
      onCommitted: (payload) => emit("consumer.commit_offsets", payload),
    });
    this.#context = {
      config,
      committer: this.#committer,
      logger: rootLogger.namespace("Runner"),
      clock,
      isRunning: () => this.isRunning,
      isPaused: (partition) => this.#pauses.has(partition),
      pause: (partition) => this.#pause(partition),
      emit,
    };
    let joined = () => {};
    this.joined = new Promise((resolve) => {
      joined = resolve;
    });
    this.#joined = joined;
    this.ended = this.#run();
  }

  get isRunning(): boolean {
    return !this.#end.signal.aborted;
  }

  get assigned(): readonly TopicPartition[] {
    return [...this.#assigned.values()];
  }

  /** `null` before it is known. */
  get clusterId(): string | null {
    return this.#consumer.clusterId;
  }

  get pauses(): Pauses {
    return this.#pauses;
  }

  /** Has handlers finish the message that they are at, commits, and leaves the group. */
  async stop(): Promise<void> {
    this.#endPolls();
    await this.ended;
  }

  /** Which partitions are to bring messages is not what it was: the user has said so, or there is room again. */
  repause(): void {
    for (const partition of this.#assigned.values()) this.#applyPause(partition);
  }

  /** Takes effect at once, or when the batch that is handled is done with, or when the partition is assigned. */
  seek(partition: TopicPartition, target: SeekTarget): void {
    this.#seeks.want(partition, target);
    const runs = this.#lanes.of(partition);
    for (const run of runs) run.isStale = true;
    if (runs.length === 0 && this.#assigned.has(partitionKey(partition))) this.#applySeek(partition);
  }

  /** @throws KafkaJSError where the coordinator does not take it */
  commit(offsets: readonly (NextOffset & Pick<OffsetToCommit, "metadata">)[]): Promise<void> {
    return this.#committer.commitGiven(offsets);
  }

  async #run(): Promise<Error | null> {
    const { connect, topics, maxWaitMs, emit } = this.#parts;
    const { signal } = this.#end;
    try {
      await connect(this.#consumer, signal);
      emit("consumer.connect");
      this.#news.joining();
      this.#consumer.subscribe(topics.topics, {
        onPartitionsAssigned: (partitions) => this.#onAssigned(partitions),
        onPartitionsRevoked: (partitions) => this.#onRevoked(partitions),
        onPartitionsLost: (partitions) => this.#onLost(partitions),
      });
      while (this.isRunning) await this.#poll(maxWaitMs);
    } catch (error) {
      this.#crash(error);
    }
    await this.#finish();
    return this.#error;
  }

  async #poll(maxWaitMs: number): Promise<void> {
    this.#turn = new AbortController();
    for (const { partition, target } of this.#seeks.carryOut()) {
      if (typeof target === "bigint") this.#reached.set(partitionKey(partition), target);
      else this.#reached.delete(partitionKey(partition));
    }
    const { signal } = this.#turn;
    try {
      this.#take(await this.#consumer.poll(maxWaitMs, { signal }));
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  }

  #endPolls(): void {
    this.#end.abort();
    this.#turn.abort();
  }

  async #finish(): Promise<void> {
    this.#lanes.close();
    await Promise.all(this.#lanes.firsts.map(({ done }) => done));
    try {
      await this.#committer.autoCommit();
      await this.#consumer.close();
    } catch (error) {
      const { message, stack } = translated(error);
      const { groupId, rootLogger } = this.#parts;
      rootLogger.namespace("Consumer").error(`Caught error when stopping the consumer: ${message}`, { stack, groupId });
      await this.#consumer.close().catch(() => {});
    }
  }

  /** The first error counts; what comes when it stops is a consequence. */
  #crash(error: unknown): void {
    if (!this.isRunning) return;
    this.#error = crashOf(error, this.#parts.retry);
    this.#endPolls();
  }

  #take(records: ConsumerRecords<Buffer, Buffer>): void {
    for (const { topic, partition, offset: next } of records.nextOffsets()) {
      const place = { topic, partition };
      if (this.#seeks.isMoving(place)) continue;
      const lag = this.#consumer.currentLag(place);
      const from = this.#reached.get(partitionKey(place)) ?? null;
      this.#reached.set(partitionKey(place), next);
      this.#lanes.add(new BatchRun({ ...place, records: records.records(place), from, next, lag }, this.#context));
      this.#applyPause(place);
    }
    if (this.#lanes.isOverfull) this.repause();
    this.#work();
  }

  #work(): void {
    while (this.isRunning && this.#handledCount < this.#parts.config.partitionsConsumedConcurrently) {
      const run = this.#lanes.next();
      if (run === undefined) return;
      this.#handledCount++;
      run.done = this.#handle(run).finally(() => {
        this.#handledCount--;
        this.#work();
      });
    }
  }

  async #handle(run: BatchRun): Promise<void> {
    const { partition } = run;
    const { ledger } = this.#committer;
    const before = ledger.resolvedOf(partition);
    let failure: unknown = null;
    try {
      // What was paused or sought before its turn came is left out, and comes again where it should.
      if (!run.isStale && !this.#pauses.has(partition)) {
        await run.run();
        this.#failures.progressed(partition);
      }
    } catch (error) {
      failure = error ?? new KafkaJSError("the handler threw nothing");
    }
    try {
      if (ledger.resolvedOf(partition) !== before) this.#failures.progressed(partition);
      await this.#committer.autoCommit([partition]);
      if (failure !== null) await this.#onFailure(run, failure);
    } catch (error) {
      this.#crash(error);
    }
    this.#release(run);
  }

  /** Waits until it is tried again. */
  async #onFailure({ partition, revocation }: BatchRun, failure: unknown): Promise<void> {
    const signals = [revocation, this.#end.signal];
    // The handler has done nothing wrong, and what it could not commit comes again once the member has joined anew.
    if (isOfMembership(failure)) {
      await this.#wait(this.#parts.retry.initialRetryTime, signals);
      return;
    }
    const verdict = this.#failures.failed(partition, failure);
    if ("error" in verdict) this.#crash(verdict.error);
    else await this.#wait(verdict.waitMs, signals);
  }

  /** The partition goes on with its next batch; else behind what is resolved, or where a seek says. */
  #release(run: BatchRun): void {
    const { partition } = run;
    const key = partitionKey(partition);
    const wasOverfull = this.#lanes.isOverfull;
    const hasMore = this.#lanes.of(partition).length > 1;
    const isLost = !this.isRunning || run.isRevoked || !this.#assigned.has(key);
    const { eachMessage, eachBatch } = this.#parts.config;
    const isHandled = (eachMessage ?? eachBatch) !== null;
    const resolved = (isHandled ? this.#committer.ledger.resolvedOf(partition) : null) ?? run.next;
    if (isLost) this.#lanes.clear(partition);
    else if (this.#seeks.isWanted(partition)) {
      this.#lanes.clear(partition);
      this.#applySeek(partition);
    } else if (resolved !== run.next || (hasMore && this.#pauses.has(partition))) {
      this.#lanes.clear(partition);
      this.#seeks.move(partition, resolved);
    } else this.#lanes.advance(partition);
    if (wasOverfull && !this.#lanes.isOverfull) this.repause();
    else if (!isLost) this.#applyPause(partition);
  }

  #applySeek(partition: TopicPartition): void {
    const target = this.#seeks.apply(partition);
    if (target === null) return;
    // What was resolved before says nothing of where it goes on.
    this.#committer.ledger.forget([partition]);
    if (typeof target !== "bigint" || !this.#parts.config.autoCommit) return;
    this.#committer.commit([{ ...partition, offset: target }]).catch((error: unknown) => this.#onCommitError(error));
  }

  #applyPause(partition: TopicPartition): void {
    if (this.#pauses.has(partition) || this.#lanes.isFull(partition)) this.#consumer.pause([partition]);
    else this.#consumer.resume([partition]);
  }

  #pause({ topic, partition }: TopicPartition): () => void {
    const one = [{ topic, partitions: [partition] }];
    this.#pauses.pause(one);
    return () => {
      this.#pauses.resume(one);
      this.repause();
    };
  }

  async #onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    for (const partition of partitions) this.#assigned.set(partitionKey(partition), partition);
    await this.#beginAtTheEnd(partitions);
    for (const partition of partitions) {
      this.#applySeek(partition);
      this.#applyPause(partition);
    }
    await this.#parts.rebalanceListener.onPartitionsAssigned?.(partitions);
    this.#news.joined(this.assigned);
    this.#joined();
  }

  async #onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#giveUp(partitions);
    await this.#committer.autoCommit(partitions).catch((error: unknown) => this.#onCommitError(error));
    this.#committer.ledger.forget(partitions);
    if (partitions.length > 0) await this.#parts.rebalanceListener.onPartitionsRevoked?.(partitions);
  }

  async #onLost(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#giveUp(partitions);
    this.#committer.ledger.forget(partitions);
    const { rebalanceListener } = this.#parts;
    if (rebalanceListener.onPartitionsLost !== undefined) await rebalanceListener.onPartitionsLost(partitions);
    else await rebalanceListener.onPartitionsRevoked?.(partitions);
  }

  /** Nothing is handled any more of these when it resolves. */
  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.isRunning) this.#news.rebalancing();
    const runs = partitions.flatMap((partition) => this.#lanes.of(partition)[0] ?? []);
    for (const run of runs) {
      run.revoke();
      this.#lanes.withdraw(run);
    }
    await Promise.all(runs.map(({ done }) => done));
    this.#seeks.forget(partitions);
    for (const partition of partitions) {
      this.#assigned.delete(partitionKey(partition));
      this.#reached.delete(partitionKey(partition));
    }
  }

  /** Of topics that begin at the last message, where others begin at the first, which is what the layer below does with all. */
  async #beginAtTheEnd(partitions: readonly TopicPartition[]): Promise<void> {
    const { topics } = this.#parts;
    if (topics.allFromBeginning !== null) return;
    const late = partitions.filter(({ topic }) => !topics.isFromBeginning(topic));
    if (late.length === 0) return;
    const committed = await this.#consumer.committed(late);
    const fresh = committed.filter(({ offset }) => offset === null);
    if (fresh.length > 0) this.#consumer.seekToEnd(fresh.map(({ topic, partition }) => ({ topic, partition })));
  }

  #onCommitError(error: unknown): void {
    try {
      this.#committer.requireRebalance(error);
    } catch {
      this.#crash(error);
    }
  }

  /** @param signals any of which ends it earlier */
  #wait(waitMs: number, signals: readonly AbortSignal[]): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        for (const signal of signals) signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = this.#parts.clock.after(waitMs, end);
      for (const signal of signals) signal.addEventListener("abort", end);
      if (signals.some(({ aborted }) => aborted)) end();
    });
  }
}
