import { givenNumber } from "../given-number.ts";
import type { Offsets } from "../producer/transactions.ts";
import type { Batch } from "./batch.ts";
import type { KafkaMessage } from "./kafka-message.ts";

export interface EachMessagePayload {
  topic: string;
  partition: number;
  message: KafkaMessage;
  /** Rejects, where the partition is to be given up: let that pass. Heartbeats go on by themselves. */
  heartbeat(): Promise<void>;
  /** Pauses the partition behind this message. @returns what resumes it */
  pause(): () => void;
}

export interface EachBatchPayload {
  batch: Batch;
  /** The message at the offset, and those before it, are done with. */
  resolveOffset(offset: string): void;
  /** Rejects, where the partition is to be given up: let that pass. Heartbeats go on by themselves. */
  heartbeat(): Promise<void>;
  pause(): () => void;
  /** Commits these offsets; without any, what is resolved, where `autoCommitInterval` or `autoCommitThreshold` say that it is time. */
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>;
  /** Of all partitions: where they would be committed. */
  uncommittedOffsets(): Offsets;
  /** `false` once the consumer stops. */
  isRunning(): boolean;
  /** Whether a `seek` makes the rest of the batch void. */
  isStale(): boolean;
}

/** As `@types/kafkajs` called it. */
export type ConsumerEachMessagePayload = EachMessagePayload;
/** As `@types/kafkajs` called it. */
export type ConsumerEachBatchPayload = EachBatchPayload;

export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>;
export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>;

/** What `consumer.run` takes. */
export interface ConsumerRunConfig {
  /** Whether what is resolved is committed: behind each batch, and before partitions are given up. @default true */
  autoCommit?: boolean;
  /** Commits within a batch too, when so much time went by, milliseconds. @default null */
  autoCommitInterval?: number | null;
  /** Commits within a batch too, when so many messages are resolved. @default null */
  autoCommitThreshold?: number | null;
  /** Whether a batch is resolved as a whole when its handler is done with it. @default true */
  eachBatchAutoResolve?: boolean;
  /** How many partitions are handled at the same time. @default 1 */
  partitionsConsumedConcurrently?: number;
  eachBatch?: EachBatchHandler;
  /** Goes before `eachBatch`. */
  eachMessage?: EachMessageHandler;
}

/** The same, complete. */
export interface ResolvedRunConfig {
  readonly autoCommit: boolean;
  readonly autoCommitInterval: number | null;
  readonly autoCommitThreshold: number | null;
  readonly eachBatchAutoResolve: boolean;
  readonly partitionsConsumedConcurrently: number;
  readonly eachBatch: EachBatchHandler | null;
  readonly eachMessage: EachMessageHandler | null;
}

const numberOrNull = (given: unknown): number | null => {
  const number = givenNumber(given, Number.NaN);
  return Number.isNaN(number) ? null : number;
};

export const resolveRunConfig = (given: ConsumerRunConfig): ResolvedRunConfig =>
  Object.freeze({
    autoCommit: given.autoCommit ?? true,
    autoCommitInterval: numberOrNull(given.autoCommitInterval),
    autoCommitThreshold: numberOrNull(given.autoCommitThreshold),
    eachBatchAutoResolve: given.eachBatchAutoResolve ?? true,
    partitionsConsumedConcurrently: Math.max(1, givenNumber(given.partitionsConsumedConcurrently, 1)),
    eachBatch: given.eachBatch ?? null,
    eachMessage: given.eachMessage ?? null,
  });
