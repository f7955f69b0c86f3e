import type { ClientOptions, ProducerOptions } from "odradek";
import { callTimeoutMs, connectTimeoutMs } from "../client/client-options.ts";
import type { KafkaConfig } from "../client/kafka-config.ts";
import { registeredCodecs } from "../compression/compression-codecs.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { givenWholeNumber, longestMs } from "../given-number.ts";
import type { ICustomPartitioner } from "../partitioners/partitioner.ts";
import { type ResolvedRetryOptions, type RetryOptions, resolveRetryOptions } from "../retry-options.ts";

/** What kafkajs does not have; names and meaning are those of Kafka's Java client. */
export type MoreProducerOptions = Pick<
  ProducerOptions,
  | "lingerMs"
  | "batchSize"
  | "bufferMemory"
  | "maxRequestSize"
  | "deliveryTimeoutMs"
  | "compressionType"
  | "compressionGzipLevel"
  | "compressionLz4Level"
  | "compressionZstdLevel"
  | "interceptors"
  | "partitioner"
  | "partitionerAdaptivePartitioningEnable"
  | "partitionerAvailabilityTimeoutMs"
  | "partitionerIgnoreKeys"
>;

/** What `kafka.producer` takes. */
export interface ProducerConfig {
  /** @default Partitioners.DefaultPartitioner */
  createPartitioner?: ICustomPartitioner;
  /** Goes before the `retry` of `new Kafka`. An idempotent producer that says nothing of `retries` has no limit. */
  retry?: RetryOptions;
  /** Age at which metadata is asked for again although nothing seems to have changed, milliseconds. @default 300_000 */
  metadataMaxAge?: number;
  /** Whether a broker may create a topic because something is sent to it. @default true */
  allowAutoTopicCreation?: boolean;
  /** Whether brokers take each message once and in order, however often it is sent. @default false */
  idempotent?: boolean;
  transactionalId?: string;
  /** How long a transaction may stay open, milliseconds. @default 60_000 */
  transactionTimeout?: number;
  /** How many requests to one broker may be under way. @default 1; 5 of an idempotent producer, and no more */
  maxInFlightRequests?: number | null;
  /**
   * What kafkajs does not have. `compressionType` is for sends that say nothing of `compression`. A `partitioner` takes the place of
   * `createPartitioner`, and chooses for messages that name no partition; `null` is Kafka's own, which keeps messages without a key in
   * one partition until a batch is full.
   */
  odradek?: MoreProducerOptions;
}

/** The same, complete. */
export interface ResolvedProducerConfig {
  readonly createPartitioner: ICustomPartitioner | null;
  readonly retry: ResolvedRetryOptions;
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
  readonly idempotent: boolean;
  readonly transactionalId: string | null;
  readonly transactionTimeout: number;
  /** `null` for the usual number. */
  readonly maxInFlightRequests: number | null;
  readonly odradek: MoreProducerOptions;
}

/** Most that an idempotent producer may have under way. */
const mostInOrder = 5;
const mostRetries = 0x7fff_ffff;

/** @throws KafkaJSNonRetriableError */
export function resolveProducerConfig(
  given: ProducerConfig,
  clientRetry: RetryOptions | undefined,
): ResolvedProducerConfig {
  const idempotent = Boolean(given.idempotent);
  const unlimited: RetryOptions = idempotent ? { retries: Number.MAX_SAFE_INTEGER } : {};
  const retry = resolveRetryOptions(unlimited, clientRetry, given.retry);
  if (idempotent && retry.retries < 1) {
    throw new KafkaJSNonRetriableError("Idempotent producer must allow retries to protect against transient errors");
  }
  return Object.freeze({
    createPartitioner: given.createPartitioner ?? null,
    retry,
    metadataMaxAge: givenWholeNumber(given.metadataMaxAge, 300_000),
    allowAutoTopicCreation: given.allowAutoTopicCreation ?? true,
    idempotent,
    transactionalId: given.transactionalId || null,
    transactionTimeout: givenWholeNumber(given.transactionTimeout, 60_000),
    maxInFlightRequests: givenWholeNumber(given.maxInFlightRequests, 0) || null,
    odradek: given.odradek ?? {},
  });
}

/** Without idempotence, a batch that is sent again would come behind those that followed it: messages of one `send` stay in order. */
function requestsInFlight(given: number | null, isIdempotent: boolean): number {
  if (isIdempotent) return Math.min(given ?? mostInOrder, mostInOrder);
  return given ?? 1;
}

/** What the producers of the layer below are made with. @param isIdempotent which transactions are, whatever the producer is */
export function producerOptionsOf(
  client: ClientOptions,
  config: KafkaConfig,
  { retry, maxInFlightRequests, allowAutoTopicCreation, odradek }: ResolvedProducerConfig,
  isIdempotent: boolean,
): ProducerOptions {
  const { lingerMs = 0 } = odradek;
  return {
    ...client,
    retries: Math.min(Math.ceil(retry.retries), mostRetries),
    enableIdempotence: isIdempotent,
    maxInFlightRequestsPerConnection: requestsInFlight(maxInFlightRequests, isIdempotent),
    maxBlockMs: connectTimeoutMs({ config, retry }),
    deliveryTimeoutMs: Math.min(longestMs, callTimeoutMs({ config, retry }) + lingerMs),
    allowAutoCreateTopics: allowAutoTopicCreation,
    compressionCodecs: registeredCodecs,
    // One large `send` should not need a request for every 16 KiB.
    batchSize: 262_144,
    // What is too large is for the broker to say.
    maxRequestSize: 104_857_600,
    bufferMemory: 134_217_728,
    ...odradek,
    lingerMs,
  };
}
