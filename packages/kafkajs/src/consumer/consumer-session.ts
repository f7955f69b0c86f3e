import {
  type Clock,
  CommitFailedError,
  type ConsumerOptions,
  type ConsumerRecords,
  KafkaConsumer,
  type OffsetToCommit,
  RebalanceInProgressError,
  type TopicPartition,
} from "odradek";
import { givenUp, translated } from "../errors/error-translation.ts";
import { KafkaJSError, KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { Logger } from "../logger.ts";
import type { ResolvedRetryOptions } from "../retry-options.ts";
import { batchOf } from "./batch.ts";
import { BatchRun } from "./batch-run.ts";
import type { ConsumerEventPayloads, IMemberAssignment } from "./consumer-events.ts";
import { Failures } from "./failures.ts";
import { type NextOffset, OffsetLedger, partitionKey, topicOffsetsOf } from "./offset-ledger.ts";
import { Pauses } from "./pauses.ts";
import { roundRobinName } from "./round-robin-assigner.ts";
import type { ResolvedRunConfig } from "./run-config.ts";
import type { SubscribedTopics } from "./subscribed-topics.ts";

export interface ConsumerSessionParts {
  /** @param onLead called where this member decides for its group */
  options(onLead: () => void): ConsumerOptions<Buffer, Buffer>;
  readonly groupId: string;
  readonly topics: SubscribedTopics;
  readonly config: ResolvedRunConfig;
  readonly retry: ResolvedRetryOptions;
  readonly connectTimeoutMs: number;
  readonly maxWaitMs: number;
  /** A partition with so much behind the batch that is handled brings no more for a while. */
  readonly maxWaitingBytes: number;
  readonly rootLogger: Logger;
  readonly clock: Clock;
  readonly emit: <Name extends keyof ConsumerEventPayloads>(type: Name, payload: ConsumerEventPayloads[Name]) => void;
}

/** While so many wait, small as they may be, the broker gathers: the next batch is larger. */
const mostWaitingBatches = 100;

/** Where a partition is to go on: an offset, or an end of its log. */
export type SeekTarget = bigint | "beginning" | "end";

/**
 * A consumer from its start to its stop or its crash: reads without a pause, and gives each partition's messages to the handler, one
 * batch at a time. What comes meanwhile waits, up to a limit, from which on the partition is paused below; all others go on. Rebalances
 * wait for the handlers, which are told.
 */
export class ConsumerSession {
  readonly #parts: ConsumerSessionParts;
  readonly #consumer: KafkaConsumer<Buffer, Buffer>;
  readonly #ledger = new OffsetLedger();
  readonly #failures: Failures;
  readonly #pauses = new Pauses();
  readonly #seeks = new Map<string, SeekTarget>();
  readonly #assigned = new Map<string, TopicPartition>();
  /** Of each partition what it has brought and is not done with: the first is handled, or waits for its turn. */
  readonly #lanes = new Map<string, BatchRun[]>();
  /** The first of lanes that none of the handlers is at. */
  readonly #waiting: BatchRun[] = [];
  readonly #end = new AbortController();
  readonly #joined: () => void;
  /** Settles with the first assignment. */
  readonly joined: Promise<void>;
  /** Settles when all is closed: with the error of a crash, else `null`. */
  readonly ended: Promise<Error | null>;
  #handledCount = 0;
  #error: Error | null = null;
  #isLeader = false;
  #joiningSinceMs: number;
  #committedAtMs: number;

  constructor(parts: ConsumerSessionParts) {
    this.#parts = parts;
    this.#failures = new Failures(parts.retry);
    const now = parts.clock.now();
    this.#joiningSinceMs = now;
    this.#committedAtMs = now;
    this.#consumer = new KafkaConsumer<Buffer, Buffer>(
      parts.options(() => {
        this.#isLeader = true;
      }),
    );
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

  get pauses(): Pauses {
    return this.#pauses;
  }

  /** Has handlers finish the message that they are at, commits, and leaves the group. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.ended;
  }

  /** The user has paused or resumed partitions. */
  repause(): void {
    for (const partition of this.#assigned.values()) this.#applyPause(partition);
  }

  /** Takes effect at once, or when the batch that is handled is done with, or when the partition is assigned. */
  seek(partition: TopicPartition, target: SeekTarget): void {
    const key = partitionKey(partition);
    this.#seeks.set(key, target);
    const lane = this.#lanes.get(key);
    if (lane !== undefined) for (const run of lane) run.isStale = true;
    else if (this.#assigned.has(key)) this.#applySeek(partition);
  }

  /** @throws where the coordinator does not take it */
  async commit(offsets: readonly (NextOffset & Pick<OffsetToCommit, "metadata">)[]): Promise<void> {
    if (offsets.length === 0) return;
    await this.#consumer.commitSync(offsets);
    for (const offset of offsets) this.#ledger.committed(offset);
    this.#committedAtMs = this.#parts.clock.now();
    const { groupId, memberId, generationId } = this.#consumer.groupMetadata();
    const topics = topicOffsetsOf(offsets);
    this.#parts.emit("consumer.commit_offsets", { groupId, memberId, groupGenerationId: generationId, topics });
  }

  async #run(): Promise<Error | null> {
    const { connectTimeoutMs, topics, maxWaitMs, emit } = this.#parts;
    const { signal } = this.#end;
    try {
      await this.#consumer.connect({ timeoutMs: connectTimeoutMs, signal });
      emit("consumer.connect", undefined);
      this.#consumer.subscribe(topics.topics, {
        onPartitionsAssigned: (partitions) => this.#onAssigned(partitions),
        onPartitionsRevoked: (partitions) => this.#onRevoked(partitions),
        onPartitionsLost: (partitions) => this.#onLost(partitions),
      });
      while (this.isRunning) this.#take(await this.#consumer.poll(maxWaitMs, { signal }));
    } catch (error) {
      if (this.isRunning) this.#crash(crashOf(givenUp(error, this.#parts.retry)));
    }
    await this.#finish();
    return this.#error;
  }

  async #finish(): Promise<void> {
    this.#waiting.length = 0;
    await Promise.all([...this.#lanes.values()].flatMap(([first]) => first?.done ?? []));
    try {
      await this.#autoCommit();
      await this.#consumer.close();
    } catch (error) {
      const { message, stack } = translated(error);
      const { groupId, rootLogger } = this.#parts;
      rootLogger.namespace("Consumer").error(`Caught error when stopping the consumer: ${message}`, { stack, groupId });
      await this.#consumer.close().catch(() => {});
    }
  }

  #crash(error: Error): void {
    this.#error ??= error;
    this.#end.abort();
  }

  #take(records: ConsumerRecords<Buffer, Buffer>): void {
    for (const { topic, partition, offset: next } of records.nextOffsets()) {
      const place = { topic, partition };
      const taken = records.records(place);
      const batch = batchOf({ ...place, records: taken, next, lag: this.#consumer.currentLag(place) });
      this.#ledger.begin({ ...place, offset: taken[0]?.offset ?? next });
      const bytes = taken.reduce((sum, record) => sum + record.serializedKeySize + record.serializedValueSize, 0);
      const run = new BatchRun(batch, next, bytes, {
        config: this.#parts.config,
        ledger: this.#ledger,
        logger: this.#parts.rootLogger.namespace("Runner"),
        clock: this.#parts.clock,
        isRunning: () => this.isRunning,
        isPaused: (other) => this.#pauses.has(other),
        pause: (other) => this.#pause(other),
        commit: (offsets) => this.commit(offsets),
        commitIfDue: () => this.#commitIfDue(),
        began: (payload) => this.#parts.emit("consumer.start_batch_process", payload),
        ended: (payload) => this.#parts.emit("consumer.end_batch_process", payload),
      });
      const lane = this.#lanes.get(partitionKey(place));
      if (lane === undefined) {
        this.#lanes.set(partitionKey(place), [run]);
        this.#waiting.push(run);
      } else {
        lane.push(run);
        this.#applyPause(place);
      }
    }
    this.#work();
  }

  #work(): void {
    while (this.isRunning && this.#handledCount < this.#parts.config.partitionsConsumedConcurrently) {
      const run = this.#waiting.shift();
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
    const before = this.#ledger.resolvedOf(partition);
    let failure: unknown = null;
    try {
      // What was paused or sought before its turn came is left out, and comes again where it should.
      if (!run.isStale && !this.#pauses.has(partition)) await run.run();
      this.#failures.progressed(partition);
    } catch (error) {
      if (!run.isOfRevocation(error)) failure = error ?? new KafkaJSError("the handler threw nothing");
    }
    try {
      if (this.#ledger.resolvedOf(partition) !== before) this.#failures.progressed(partition);
      if (failure !== null) await this.#onFailure(run, failure);
      else await this.#autoCommit([partition]);
    } catch (error) {
      this.#crash(crashOf(givenUp(error, this.#parts.retry)));
    }
    this.#release(run);
  }

  /** Commits what was done with before, and waits until it is tried again. */
  async #onFailure({ partition, revocation }: BatchRun, failure: unknown): Promise<void> {
    await this.#autoCommit([partition]);
    const verdict = this.#failures.failed(partition, failure);
    if ("error" in verdict) this.#crash(verdict.error);
    else await this.#wait(verdict.waitMs, [revocation, this.#end.signal]);
  }

  /** The partition goes on with its next batch; else behind what is resolved, or where a seek says. */
  #release(run: BatchRun): void {
    const { partition } = run;
    const key = partitionKey(partition);
    const behind = (this.#lanes.get(key) ?? []).slice(1);
    this.#lanes.delete(key);
    if (!this.isRunning || run.isRevoked || !this.#assigned.has(key)) return;
    const { eachMessage, eachBatch } = this.#parts.config;
    const resolved = (eachMessage ?? eachBatch) === null ? run.next : (this.#ledger.resolvedOf(partition) ?? run.next);
    const [next] = behind;
    if (this.#seeks.has(key)) this.#applySeek(partition);
    else if (resolved !== run.next || (next !== undefined && this.#pauses.has(partition))) {
      this.#consumer.seek(partition, resolved);
    } else if (next !== undefined) {
      this.#lanes.set(key, behind);
      this.#waiting.push(next);
    }
    this.#applyPause(partition);
  }

  #applySeek(partition: TopicPartition): void {
    const key = partitionKey(partition);
    const target = this.#seeks.get(key);
    this.#seeks.delete(key);
    // What was resolved before says nothing of where it goes on.
    this.#ledger.forget([partition]);
    if (target === "beginning") this.#consumer.seekToBeginning([partition]);
    else if (target === "end") this.#consumer.seekToEnd([partition]);
    else if (target !== undefined) {
      this.#consumer.seek(partition, target);
      if (!this.#parts.config.autoCommit) return;
      this.commit([{ ...partition, offset: target }]).catch((error: unknown) => this.#onCommitError(error));
    }
  }

  #applyPause(partition: TopicPartition): void {
    const [, ...behind] = this.#lanes.get(partitionKey(partition)) ?? [];
    const waitingBytes = behind.reduce((sum, { bytes }) => sum + bytes, 0);
    const isFull = behind.length >= mostWaitingBatches || waitingBytes >= this.#parts.maxWaitingBytes;
    if (this.#pauses.has(partition) || isFull) this.#consumer.pause([partition]);
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
      if (this.#seeks.has(partitionKey(partition))) this.#applySeek(partition);
      this.#applyPause(partition);
    }
    const { clock, emit, rootLogger } = this.#parts;
    const { groupId, memberId } = this.#consumer.groupMetadata();
    const payload = {
      groupId,
      memberId,
      leaderId: this.#isLeader ? memberId : "",
      isLeader: this.#isLeader,
      memberAssignment: assignmentOf(this.assigned),
      groupProtocol: roundRobinName,
      duration: clock.now() - this.#joiningSinceMs,
    };
    this.#isLeader = false;
    emit("consumer.group_join", payload);
    rootLogger.namespace("ConsumerGroup").info("Consumer has joined the group", payload);
    this.#joined();
  }

  async #onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#giveUp(partitions);
    await this.#autoCommit(partitions).catch((error: unknown) => this.#onCommitError(error));
    this.#ledger.forget(partitions);
  }

  async #onLost(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#giveUp(partitions);
    this.#ledger.forget(partitions);
  }

  /** Nothing is handled any more of these when it resolves. */
  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.isRunning) {
      const { groupId, memberId } = this.#consumer.groupMetadata();
      this.#joiningSinceMs = this.#parts.clock.now();
      this.#parts.rootLogger.namespace("Runner").info("The group is rebalancing, re-joining", { groupId, memberId });
      this.#parts.emit("consumer.rebalancing", { groupId, memberId });
    }
    const runs = partitions.flatMap((partition) => this.#lanes.get(partitionKey(partition))?.[0] ?? []);
    for (const run of runs) {
      run.revoke();
      const index = this.#waiting.indexOf(run);
      if (index < 0) continue;
      this.#waiting.splice(index, 1);
      this.#lanes.delete(partitionKey(run.partition));
    }
    await Promise.all(runs.map(({ done }) => done));
    for (const partition of partitions) this.#assigned.delete(partitionKey(partition));
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

  /** @param of default all partitions */
  async #autoCommit(of?: readonly TopicPartition[]): Promise<void> {
    if (this.#parts.config.autoCommit) await this.#commitUnlessRebalancing(of);
  }

  #commitIfDue(): Promise<void> | null {
    const { autoCommitInterval, autoCommitThreshold } = this.#parts.config;
    const elapsedMs = this.#parts.clock.now() - this.#committedAtMs;
    const isDue =
      (autoCommitInterval !== null && elapsedMs >= autoCommitInterval) ||
      (autoCommitThreshold !== null && this.#ledger.uncommittedCount >= autoCommitThreshold);
    return isDue ? this.#commitUnlessRebalancing() : null;
  }

  /** @param of default all partitions */
  async #commitUnlessRebalancing(of?: readonly TopicPartition[]): Promise<void> {
    try {
      await this.commit(this.#ledger.uncommitted(of));
    } catch (error) {
      this.#requireRebalance(error);
    }
  }

  #onCommitError(error: unknown): void {
    try {
      this.#requireRebalance(error);
    } catch {
      this.#crash(crashOf(givenUp(error, this.#parts.retry)));
    }
  }

  /** While the group rebalances commits are refused: what was not committed comes again, here or at another member. @throws all else */
  #requireRebalance(error: unknown): void {
    if (!(error instanceof CommitFailedError) && !(error instanceof RebalanceInProgressError)) throw error;
    const { groupId, rootLogger } = this.#parts;
    rootLogger.namespace("ConsumerGroup").warn("Offsets are not committed: the group is rebalancing", {
      groupId,
      error: error.message,
    });
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

/** What a crash is told as: errors that cannot pass are marked so. */
function crashOf(error: Error): Error {
  const isMarked = error instanceof KafkaJSNonRetriableError || !(error instanceof KafkaJSError);
  return isMarked ? error : new KafkaJSNonRetriableError(error, { cause: error });
}

function assignmentOf(partitions: readonly TopicPartition[]): IMemberAssignment {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return Object.fromEntries([...byTopic].map(([topic, numbers]) => [topic, numbers.sort((a, b) => a - b)]));
}
