import type {
  ClientOptions,
  ConsumerDiagnosticsMessages,
  ConsumerOptions,
  ConsumerRebalanceListener,
  DiagnosticsListener,
  RawPartitionAssignor,
} from "odradek";
import { registeredCodecs } from "../compression/compression-codecs.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { givenWholeNumber, longestMs } from "../given-number.ts";
import { type ResolvedRetryOptions, type RetryOptions, resolveRetryOptions } from "../retry-options.ts";
import type { PartitionAssigner } from "./partition-assigner.ts";
import { PartitionAssigners } from "./round-robin-assigner.ts";
import type { SubscribedTopics } from "./subscribed-topics.ts";

/** What kafkajs does not have; names and meaning are those of Kafka's Java client. */
export interface MoreConsumerOptions
  extends Pick<
    ConsumerOptions<Buffer, Buffer>,
    | "groupInstanceId"
    | "groupProtocol"
    | "groupRemoteAssignor"
    | "interceptors"
    | "maxPollRecords"
    | "partitionAssignmentStrategy"
  > {
  /**
   * Told which partitions come, go and are lost, when the handlers have finished their messages, and before others get what goes. The
   * group waits for it.
   */
  readonly rebalanceListener?: ConsumerRebalanceListener;
}

/** What `kafka.consumer` takes. */
export interface ConsumerConfig {
  groupId: string;
  /** How the group divides partitions, the best liked first; all members must have one in common. @default [PartitionAssigners.roundRobin] */
  partitionAssigners?: PartitionAssigner[];
  /** @default 300_000 */
  metadataMaxAge?: number;
  /** Without a heartbeat for so long a member is dead for its group, milliseconds. @default 30_000 */
  sessionTimeout?: number;
  /** How long a rebalance waits for a handler that is at work, milliseconds. @default 60_000 */
  rebalanceTimeout?: number;
  /** @default 3_000 */
  heartbeatInterval?: number;
  /** @default 1_048_576 */
  maxBytesPerPartition?: number;
  /** @default 1 */
  minBytes?: number;
  /** 104_857_600 at most. @default 10_485_760 */
  maxBytes?: number;
  /** How long a broker waits for `minBytes`, milliseconds; 500 at most. @default 5_000 */
  maxWaitTimeInMs?: number;
  /** Without it, 5 retries, whatever the `retry` of `new Kafka` says. */
  retry?: RetryOptions;
  /** @default true */
  allowAutoTopicCreation?: boolean;
  /** Without effect: a broker is never asked for messages by more than one request at a time. */
  maxInFlightRequests?: number | null;
  /** Whether messages of open and of aborted transactions are read. @default false */
  readUncommitted?: boolean;
  /** The rack of the nearest replica (KIP-392). */
  rackId?: string;
  /** What kafkajs does not have. */
  odradek?: MoreConsumerOptions;
}

/** The same, complete. */
export interface ResolvedConsumerConfig extends Required<Omit<ConsumerConfig, "maxInFlightRequests" | "retry">> {
  readonly retry: ResolvedRetryOptions;
  readonly restartOnFailure: ((error: Error) => Promise<boolean>) | null;
}

/** The largest answer that clients of the layer below take. */
const mostFetchedBytes = 104_857_600;

/** @throws KafkaJSNonRetriableError */
export function resolveConsumerConfig(
  given: Partial<ConsumerConfig>,
  clientRetry: RetryOptions | undefined,
): ResolvedConsumerConfig {
  const { groupId } = given;
  const sessionTimeout = givenWholeNumber(given.sessionTimeout, 30_000, { least: 1 });
  const heartbeatInterval = givenWholeNumber(given.heartbeatInterval, 3_000, { least: 1 });
  if (!groupId) throw new KafkaJSNonRetriableError("Consumer groupId must be a non-empty string.");
  if (heartbeatInterval >= sessionTimeout) {
    throw new KafkaJSNonRetriableError(
      `Consumer heartbeatInterval (${heartbeatInterval}) must be lower than sessionTimeout (${sessionTimeout}). It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.`,
    );
  }
  return Object.freeze({
    groupId,
    partitionAssigners: given.partitionAssigners ?? [PartitionAssigners.roundRobin],
    sessionTimeout,
    heartbeatInterval,
    rebalanceTimeout: givenWholeNumber(given.rebalanceTimeout, 60_000, { least: 1 }),
    metadataMaxAge: givenWholeNumber(given.metadataMaxAge, 300_000),
    maxBytesPerPartition: givenWholeNumber(given.maxBytesPerPartition, 1_048_576, { least: 1 }),
    minBytes: givenWholeNumber(given.minBytes, 1),
    maxBytes: givenWholeNumber(given.maxBytes, 10_485_760, { most: mostFetchedBytes }),
    maxWaitTimeInMs: givenWholeNumber(given.maxWaitTimeInMs, 5_000),
    allowAutoTopicCreation: given.allowAutoTopicCreation ?? true,
    readUncommitted: given.readUncommitted ?? false,
    rackId: given.rackId ?? "",
    odradek: given.odradek ?? {},
    retry: resolveRetryOptions(clientRetry, given.retry ?? { retries: 5 }),
    restartOnFailure: given.retry?.restartOnFailure ?? clientRetry?.restartOnFailure ?? null,
  });
}

/** A partition that brings more again is fetched when the fetch of the others on its broker is answered. */
const longestFetchWaitMs = 500;

/** What a consumer has besides its configuration. */
export interface ConsumerParts {
  readonly client: ClientOptions;
  readonly topics: SubscribedTopics;
  readonly assignors: readonly RawPartitionAssignor[];
  readonly diagnostics: DiagnosticsListener<ConsumerDiagnosticsMessages>;
}

/** Commits are made by the layer above, of what the handlers are done with. */
export function consumerOptionsOf(
  config: ResolvedConsumerConfig,
  { client, topics, assignors, diagnostics }: ConsumerParts,
): ConsumerOptions<Buffer, Buffer> {
  const { maxWaitTimeInMs, rackId } = config;
  const { rebalanceListener: _, ...odradek } = config.odradek;
  const isClassic = (odradek.groupProtocol ?? "classic") === "classic";
  const classic = {
    sessionTimeoutMs: config.sessionTimeout,
    heartbeatIntervalMs: config.heartbeatInterval,
    partitionAssignmentStrategy: assignors,
  };
  const fetchMaxWaitMs = Math.min(maxWaitTimeInMs, longestFetchWaitMs);
  return {
    ...client,
    // A fetch of a quiet topic is answered after that time, and not before.
    requestTimeoutMs: Math.min(longestMs, Math.max(client.requestTimeoutMs ?? 0, fetchMaxWaitMs + 1_000)),
    diagnostics,
    groupId: config.groupId,
    enableAutoCommit: false,
    // Where topics begin at different ends, those that begin at the last message are sent there as they are assigned.
    autoOffsetReset: topics.allFromBeginning === false ? "latest" : "earliest",
    isolationLevel: config.readUncommitted ? "read_uncommitted" : "read_committed",
    maxPollIntervalMs: config.rebalanceTimeout,
    maxPollRecords: 10_000,
    fetchMinBytes: config.minBytes,
    fetchMaxWaitMs,
    fetchMaxBytes: config.maxBytes,
    maxPartitionFetchBytes: config.maxBytesPerPartition,
    allowAutoCreateTopics: config.allowAutoTopicCreation,
    compressionCodecs: registeredCodecs,
    keyDeserializer: asIs,
    valueDeserializer: asIs,
    ...(rackId === "" ? {} : { clientRack: rackId }),
    ...(isClassic ? classic : {}),
    ...odradek,
  };
}

/** Said to give values, it is not asked whether it gave a promise. */
const asIs = { isAsync: false, deserialize: (bytes: Buffer): Buffer => bytes };
