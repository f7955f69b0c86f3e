import type { Clock, TopicPartition } from "odradek";
import { KafkaJSProtocolError } from "../errors/errors.ts";
import { protocolErrorOfCode } from "../errors/protocol-errors.ts";
import type { Logger } from "../logger.ts";
import type { Offsets } from "../producer/transactions.ts";
import { type BatchSource, batchPayloadOf, FetchedBatch } from "./batch.ts";
import type { Committer } from "./committer.ts";
import type { EmitConsumerEvent } from "./consumer-events.ts";
import { messageOf } from "./kafka-message.ts";
import { type NextOffset, topicOffsetsOf } from "./offset-ledger.ts";
import type { ResolvedRunConfig } from "./run-config.ts";

/** Where a batch is handled. */
export interface BatchRunContext {
  readonly config: ResolvedRunConfig;
  readonly committer: Committer;
  readonly logger: Logger;
  readonly clock: Clock;
  isRunning(): boolean;
  isPaused(partition: TopicPartition): boolean;
  /** @returns what resumes it */
  pause(partition: TopicPartition): () => void;
  /** Tells the events' listeners. */
  readonly emit: EmitConsumerEvent;
}

const rebalanceInProgress = 27;

/** What a group's coordinator says to a member that has to join anew. */
const membershipErrors: readonly string[] = ["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"];

/** Whether an error is about the member's place in its group, and not about what its handler does. */
export const isOfMembership = (error: unknown): boolean =>
  error instanceof KafkaJSProtocolError && membershipErrors.includes(error.type ?? "");

/** One batch on its way through the user's handler. */
export class BatchRun {
  readonly partition: TopicPartition;
  /** Of all keys and values. */
  readonly bytes: number;
  /** A `seek` says that the partition goes on elsewhere. */
  isStale = false;
  /** Settles when the batch is done with, one way or the other; set as soon as that has begun. */
  done: Promise<void> = Promise.resolve();
  readonly #source: BatchSource;
  readonly #context: BatchRunContext;
  readonly #revocation = new AbortController();

  constructor(source: BatchSource, context: BatchRunContext) {
    this.partition = { topic: source.topic, partition: source.partition };
    this.bytes = bytesOf(source);
    this.#source = source;
    this.#context = context;
  }

  /** Offset of what comes behind the batch. */
  get next(): bigint {
    return this.#source.next;
  }

  /** Aborted where the partition is to be given up: what is not handled yet goes to another member. */
  get revocation(): AbortSignal {
    return this.#revocation.signal;
  }

  get isRevoked(): boolean {
    return this.revocation.aborted;
  }

  revoke(): void {
    this.#revocation.abort();
  }

  /** @throws what the handler throws, and what commits within the batch throw */
  async run(): Promise<void> {
    const { config, committer, clock, emit } = this.#context;
    const { eachMessage, eachBatch } = config;
    const [first] = this.#source.records;
    committer.ledger.begin({ ...this.partition, offset: first?.offset ?? this.next - 1n });
    // An interceptor may have left out all of it.
    if (first === undefined) {
      committer.ledger.resolve({ ...this.partition, offset: this.next });
      return;
    }
    const sinceMs = clock.now();
    const payload = batchPayloadOf(this.#source);
    emit("consumer.start_batch_process", payload);
    if (eachMessage !== null) await this.#eachMessage(eachMessage);
    else if (eachBatch !== null) await this.#eachBatch(eachBatch);
    emit("consumer.end_batch_process", { ...payload, duration: Math.round(clock.now() - sinceMs) });
  }

  /** The hot path: one promise for each message, which is the handler's. */
  async #eachMessage(handle: NonNullable<ResolvedRunConfig["eachMessage"]>): Promise<void> {
    const { topic, partition } = this.partition;
    const { records } = this.#source;
    const { committer } = this.#context;
    const isCommittingWithin = committer.isCommittingWithin;
    const heartbeat = () => this.#heartbeat();
    const pause = () => this.#context.pause(this.partition);
    let handled = 0;
    try {
      for (const record of records) {
        if (!this.#context.isRunning() || this.isStale || this.isRevoked) return;
        await handle({ topic, partition, message: messageOf(record), heartbeat, pause });
        handled += 1;
        if (isCommittingWithin) {
          this.#resolve(record.offset);
          const committing = committer.commitIfDue();
          if (committing !== null) await committing;
        }
        if (this.#context.isPaused(this.partition)) return;
      }
    } catch (error) {
      this.#log("eachMessage", records[handled]?.offset ?? null, error);
      throw error;
    } finally {
      const last = records[handled - 1];
      if (last !== undefined) this.#resolve(last.offset);
    }
  }

  async #eachBatch(handle: NonNullable<ResolvedRunConfig["eachBatch"]>): Promise<void> {
    const { committer, config } = this.#context;
    const { ledger } = committer;
    try {
      await handle({
        batch: new FetchedBatch(this.#source),
        resolveOffset: (offset) => this.#resolve(BigInt(offset)),
        heartbeat: () => this.#heartbeat(),
        pause: () => this.#context.pause(this.partition),
        commitOffsetsIfNecessary: async (offsets) => {
          await (offsets === undefined ? committer.commitIfDue() : committer.commitGiven(nextOffsetsOf(offsets)));
        },
        uncommittedOffsets: () => ({ topics: topicOffsetsOf(ledger.uncommitted()) }),
        isRunning: () => this.#context.isRunning(),
        isStale: () => this.isStale,
      });
    } catch (error) {
      this.#log("eachBatch", this.#source.records[0]?.offset ?? null, error);
      throw error;
    }
    if (config.eachBatchAutoResolve) ledger.resolve({ ...this.partition, offset: this.next });
  }

  /** Behind the last message there may be what is none, such as the end of a transaction: it is done with too. */
  #resolve(offset: bigint): void {
    const isLast = offset === this.#source.records.at(-1)?.offset;
    this.#context.committer.ledger.resolve({ ...this.partition, offset: isLast ? this.next : offset + 1n });
  }

  async #heartbeat(): Promise<void> {
    if (this.isRevoked) throw protocolErrorOfCode(rebalanceInProgress);
  }

  #log(handler: string, at: bigint | null, error: unknown): void {
    if (isOfMembership(error)) return;
    const { stack } = error instanceof Error ? error : new Error(String(error));
    const offset = at === null ? null : String(at);
    this.#context.logger.error(`Error when calling ${handler}`, { ...this.partition, offset, stack, error });
  }
}

function bytesOf({ records }: BatchSource): number {
  let bytes = 0;
  for (const { serializedKeySize, serializedValueSize } of records) bytes += serializedKeySize + serializedValueSize;
  return bytes;
}

const nextOffsetsOf = ({ topics }: Offsets): NextOffset[] =>
  topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({ topic, partition: Number(partition), offset: BigInt(offset) })),
  );
