import type { ClientOptions, CompressionType, ProducerOptions } from "odradek";
import { callTimeoutMs, connectTimeoutMs } from "../client/client-options.ts";
import type { KafkaConfig } from "../client/kafka-config.ts";
import { CompressionTypes } from "../constants.ts";
import { KafkaJSNonRetriableError, KafkaJSNotImplemented } from "../errors/errors.ts";
import type { ICustomPartitioner } from "../partitioners/partitioner.ts";
import { type ResolvedRetryOptions, type RetryOptions, resolveRetryOptions } from "../retry-options.ts";

/** What kafkajs does not have; names and meaning are those of Kafka's Java client. */
export type MoreProducerOptions = Pick<
  ProducerOptions,
  "lingerMs" | "batchSize" | "bufferMemory" | "maxRequestSize" | "deliveryTimeoutMs" | "compressionType"
>;

/** What `kafka.producer` takes. */
export interface ProducerConfig {
  /** @default Partitioners.DefaultPartitioner */
  createPartitioner?: ICustomPartitioner;
  /** Goes before the `retry` of `new Kafka`. An idempotent producer that says nothing of `retries` has no limit. */
  retry?: RetryOptions;
  /** Age at which metadata is asked for again although nothing seems to have changed, milliseconds. @default 300_000 */
  metadataMaxAge?: number;
  /** `false` is not there yet: it is a KafkaJSNotImplemented. @default true */
  allowAutoTopicCreation?: boolean;
  /** Whether brokers take each message once and in order, however often it is sent. @default false */
  idempotent?: boolean;
  transactionalId?: string;
  /** How long a transaction may stay open, milliseconds. @default 60_000 */
  transactionTimeout?: number;
  /** How many requests to one broker may be under way. @default 1; 5 of an idempotent producer, and no more */
  maxInFlightRequests?: number | null;
  /** What kafkajs does not have. `compressionType` is for transactions, whose sends cannot choose. */
  odradek?: MoreProducerOptions;
}

/** The same, complete. */
export interface ResolvedProducerConfig {
  readonly createPartitioner: ICustomPartitioner | null;
  readonly retry: ResolvedRetryOptions;
  readonly metadataMaxAge: number;
  readonly idempotent: boolean;
  readonly transactionalId: string | null;
  readonly transactionTimeout: number;
  readonly maxInFlightRequests: number;
  readonly odradek: MoreProducerOptions;
}

/** Most that an idempotent producer may have under way. */
const mostInOrder = 5;
const longestInt32 = 0x7fff_ffff;

/** @throws KafkaJSNonRetriableError, KafkaJSNotImplemented */
export function resolveProducerConfig(
  given: ProducerConfig,
  clientRetry: RetryOptions | undefined,
): ResolvedProducerConfig {
  const { idempotent = false, allowAutoTopicCreation = true } = given;
  if (!allowAutoTopicCreation) {
    throw new KafkaJSNotImplemented("allowAutoTopicCreation: false is not there yet for producers: leave it out");
  }
  const unlimited: RetryOptions = idempotent ? { retries: Number.MAX_SAFE_INTEGER } : {};
  const retry = resolveRetryOptions(unlimited, clientRetry, given.retry);
  if (idempotent && retry.retries < 1) {
    throw new KafkaJSNonRetriableError("Idempotent producer must allow retries to protect against transient errors");
  }
  return Object.freeze({
    createPartitioner: given.createPartitioner ?? null,
    retry,
    metadataMaxAge: given.metadataMaxAge ?? 300_000,
    idempotent,
    transactionalId: given.transactionalId || null,
    transactionTimeout: given.transactionTimeout ?? 60_000,
    maxInFlightRequests: requestsInFlight(given.maxInFlightRequests, idempotent),
    odradek: given.odradek ?? {},
  });
}

/** Without idempotence, a batch that is sent again would come behind those that followed it: messages of one `send` stay in order. */
function requestsInFlight(given: number | null | undefined, idempotent: boolean): number {
  if (idempotent) return Math.min(given || mostInOrder, mostInOrder);
  return given || 1;
}

/** What the sends have in common that share a producer of the layer below. */
export interface Delivery {
  readonly acks: -1 | 0 | 1;
  readonly compressionType: CompressionType;
}

const compressionTypes: ReadonlyMap<unknown, CompressionType> = new Map([
  [CompressionTypes.None, "none"],
  [CompressionTypes.GZIP, "gzip"],
  [CompressionTypes.Snappy, "snappy"],
  [CompressionTypes.LZ4, "lz4"],
  [CompressionTypes.ZSTD, "zstd"],
]);

/** @throws KafkaJSNonRetriableError for values that there are not */
export function deliveryOf(acks: number, compression: unknown): Delivery {
  const compressionType = compressionTypes.get(compression);
  if (compressionType === undefined) {
    throw new KafkaJSNonRetriableError(`Invalid compression ${String(compression)}: use one of CompressionTypes`);
  }
  if (acks !== -1 && acks !== 0 && acks !== 1) {
    throw new KafkaJSNonRetriableError(`Invalid acks ${String(acks)}: -1, 0 and 1 are allowed`);
  }
  return { acks, compressionType };
}

/** What all producers of the layer below have in common, transactional ones too. */
export function producerOptionsOf(
  client: ClientOptions,
  config: KafkaConfig,
  { retry, maxInFlightRequests, odradek }: ResolvedProducerConfig,
): ProducerOptions {
  const { compressionType: _, ...more } = odradek;
  const lingerMs = more.lingerMs ?? 0;
  return {
    ...client,
    retries: Math.min(retry.retries, longestInt32),
    maxInFlightRequestsPerConnection: maxInFlightRequests,
    maxBlockMs: connectTimeoutMs({ config, retry }),
    deliveryTimeoutMs: callTimeoutMs({ config, retry }) + lingerMs,
    lingerMs: 0,
    // One large `send` should not need a request for every 16 KiB.
    batchSize: 262_144,
    // What is too large is for the broker to say.
    maxRequestSize: 104_857_600,
    bufferMemory: 134_217_728,
    ...more,
  };
}
