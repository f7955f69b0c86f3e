import type { Clock, TopicPartition } from "odradek";
import { KafkaJSProtocolError } from "../errors/errors.ts";
import { protocolErrorOfCode } from "../errors/protocol-errors.ts";
import type { Logger } from "../logger.ts";
import type { Offsets } from "../producer/transactions.ts";
import { type Batch, batchPayloadOf } from "./batch.ts";
import type { BatchPayload } from "./consumer-events.ts";
import { type NextOffset, type OffsetLedger, topicOffsetsOf } from "./offset-ledger.ts";
import type { ResolvedRunConfig } from "./run-config.ts";

/** Where a batch is handled. */
export interface BatchRunContext {
  readonly config: ResolvedRunConfig;
  readonly ledger: OffsetLedger;
  readonly logger: Logger;
  readonly clock: Clock;
  isRunning(): boolean;
  isPaused(partition: TopicPartition): boolean;
  /** @returns what resumes it */
  pause(partition: TopicPartition): () => void;
  commit(offsets: readonly NextOffset[]): Promise<void>;
  /** Commits what is resolved, where the interval or the threshold says that it is time; else `null`, which costs no turn. */
  commitIfDue(): Promise<void> | null;
  /** Tells the events' listeners. */
  began(payload: BatchPayload): void;
  ended(payload: BatchPayload & { readonly duration: number }): void;
}

const rebalanceInProgress = 27;

/** One batch on its way through the user's handler. */
export class BatchRun {
  readonly partition: TopicPartition;
  /** Offset of what comes behind the batch. */
  readonly next: bigint;
  /** Of all keys and values. */
  readonly bytes: number;
  /** A `seek` says that the partition goes on elsewhere. */
  isStale = false;
  /** Settles when the batch is done with, one way or the other; set as soon as that has begun. */
  done: Promise<void> = Promise.resolve();
  readonly #batch: Batch;
  readonly #context: BatchRunContext;
  readonly #revocation = new AbortController();

  constructor(batch: Batch, next: bigint, bytes: number, context: BatchRunContext) {
    this.partition = { topic: batch.topic, partition: batch.partition };
    this.next = next;
    this.bytes = bytes;
    this.#batch = batch;
    this.#context = context;
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

  /** Whether an error is what `heartbeat` told the handler, which let it pass. */
  isOfRevocation(error: unknown): boolean {
    return this.isRevoked && error instanceof KafkaJSProtocolError && error.code === rebalanceInProgress;
  }

  /** @throws what the handler throws, and what commits within the batch throw */
  async run(): Promise<void> {
    const { config, clock } = this.#context;
    const sinceMs = clock.now();
    this.#context.began(batchPayloadOf(this.#batch));
    if (config.eachMessage !== null) await this.#eachMessage(config.eachMessage);
    else if (config.eachBatch !== null) await this.#eachBatch(config.eachBatch);
    this.#context.ended({ ...batchPayloadOf(this.#batch), duration: clock.now() - sinceMs });
  }

  async #eachMessage(handle: NonNullable<ResolvedRunConfig["eachMessage"]>): Promise<void> {
    const { topic, partition } = this.partition;
    const heartbeat = () => this.#heartbeat();
    const pause = () => this.#context.pause(this.partition);
    for (const message of this.#batch.messages) {
      if (!this.#context.isRunning() || this.isStale || this.isRevoked) return;
      try {
        await handle({ topic, partition, message, heartbeat, pause });
      } catch (error) {
        this.#log("eachMessage", message.offset, error);
        throw error;
      }
      this.#resolve(message.offset);
      const committing = this.#context.commitIfDue();
      if (committing !== null) await committing;
      if (this.#context.isPaused(this.partition)) return;
    }
  }

  async #eachBatch(handle: NonNullable<ResolvedRunConfig["eachBatch"]>): Promise<void> {
    const { ledger, config } = this.#context;
    try {
      await handle({
        batch: this.#batch,
        resolveOffset: (offset) => this.#resolve(offset),
        heartbeat: () => this.#heartbeat(),
        pause: () => this.#context.pause(this.partition),
        commitOffsetsIfNecessary: async (offsets) => {
          await (offsets === undefined ? this.#context.commitIfDue() : this.#context.commit(nextOffsetsOf(offsets)));
        },
        uncommittedOffsets: () => ({ topics: topicOffsetsOf(ledger.uncommitted()) }),
        isRunning: () => this.#context.isRunning(),
        isStale: () => this.isStale,
      });
    } catch (error) {
      this.#log("eachBatch", this.#batch.firstOffset(), error);
      throw error;
    }
    if (config.eachBatchAutoResolve) ledger.resolve({ ...this.partition, offset: this.next });
  }

  /** Behind the last message there may be what is none, such as the end of a transaction: it is done with too. */
  #resolve(offset: string): void {
    const isLast = offset === this.#batch.messages.at(-1)?.offset;
    this.#context.ledger.resolve({ ...this.partition, offset: isLast ? this.next : BigInt(offset) + 1n });
  }

  async #heartbeat(): Promise<void> {
    if (this.isRevoked) throw protocolErrorOfCode(rebalanceInProgress);
  }

  #log(handler: string, offset: string | null, error: unknown): void {
    if (this.isOfRevocation(error)) return;
    const { stack } = error instanceof Error ? error : new Error(String(error));
    this.#context.logger.error(`Error when calling ${handler}`, { ...this.partition, offset, stack, error });
  }
}

const nextOffsetsOf = ({ topics }: Offsets): NextOffset[] =>
  topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({ topic, partition: Number(partition), offset: BigInt(offset) })),
  );
