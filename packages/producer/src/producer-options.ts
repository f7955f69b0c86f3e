import {
  type ClientOptions,
  type Encoded,
  isSerializer,
  type NetworkOptions,
  OptionReader,
  OptionsError,
  readCompressionCodecs,
  resolveClientOptions,
  type SerdeContext,
  SerializationError,
  type Serializer,
  type SerializerFunction,
  serializerOf,
} from "@odradek/network";
import {
  type CompressionCodec,
  type CompressionCodecs,
  type CompressionType,
  compressionTypes,
} from "@odradek/protocol";
import { type Partitioner, type PartitionerClass, type PartitionFunction, partitionerOf } from "./partitioner.ts";
import type { ProducerInterceptor } from "./producer-interceptors.ts";
import type { Compression } from "./send-settings.ts";

/** What `KafkaProducer` takes. Names, meaning and defaults are those of Kafka's Java client. */
export interface ProducerOptions<K = Uint8Array | string, V = Uint8Array | string> extends ClientOptions {
  /**
   * Who must have a record before it counts as delivered: every in-sync replica (`"all"`, or -1), the leader (1), or
   * nobody (0): then it counts as soon as it was written to the socket, and its offset is not known.
   * @default "all"
   */
  readonly acks?: "all" | -1 | 0 | 1;
  /** Size at which a batch is sent, bytes; a larger record travels alone. @default 16_384 */
  readonly batchSize?: number;
  /** How long a batch waits for more records, milliseconds. With 0, for those of the same turn of the event loop. @default 5 */
  readonly lingerMs?: number;
  /**
   * Memory for records that are not delivered yet, bytes; with compression, for those too that are still to be
   * compressed, at their full size. When it is all in use, `send` waits. What a codec needs while it works comes on top.
   *
   * It is the promise of `send` that waits, and not its caller: records that wait for memory are kept besides it. Who sends with
   * callbacks, or awaits nothing, gets no back-pressure, and has to keep count of what is under way.
   * @default 33_554_432
   */
  readonly bufferMemory?: number;
  /** How long `send` may wait for serializers that give a promise, metadata and memory together, milliseconds. @default 60_000 */
  readonly maxBlockMs?: number;
  /** Limit for one record and for one request, bytes. The broker has one of its own, `max.message.bytes`. @default 1_048_576 */
  readonly maxRequestSize?: number;
  /**
   * How long a batch may take from its first record to its outcome, milliseconds, retries included; the time that `send`
   * waits before that counts for `maxBlockMs`. At least
   * `lingerMs + requestTimeoutMs`; where only those were given, it is raised to that.
   * @default 120_000
   */
  readonly deliveryTimeoutMs?: number;
  /** How often a batch is sent again after an error that may pass; `deliveryTimeoutMs` is the better limit. @default 2_147_483_647 */
  readonly retries?: number;
  /**
   * How many requests to one broker may be under way. The order of a partition's records holds with up to 5 where the producer
   * is idempotent, and where it is not, only with 1: else a batch that is sent again comes behind those that followed it.
   *
   * @default 5
   */
  readonly maxInFlightRequestsPerConnection?: number;
  /**
   * Whether brokers take each batch once and in order, however often it is sent: an id of the producer and sequence numbers let
   * them know it again (KIP-98). Needs `acks` of `"all"`, `retries` above 0, and at most 5 requests under way.
   *
   * @default true, unless `acks` or `retries` say otherwise
   */
  readonly enableIdempotence?: boolean;
  /**
   * Makes the producer transactional, under this name over all restarts: whoever uses it next fences the one before. Call
   * `initTransactions` first.
   *
   * @default no transactions
   */
  readonly transactionalId?: string;
  /** How long a transaction may stay open before its coordinator aborts it, milliseconds. @default 60_000 */
  readonly transactionTimeoutMs?: number;
  /**
   * Takes part in a two-phase commit: transactions never time out, so that `prepareTransaction` can leave one open until a database
   * has decided how it ends (KIP-939). Needs `transactionalId`, and no `transactionTimeoutMs`; brokers that have
   * `transaction.two.phase.commit.enable`, and, while Kafka does not call it stable, `unstable.api.versions.enable`.
   *
   * @default false
   */
  readonly transactionTwoPhaseCommitEnable?: boolean;
  /** How long the metadata of a topic that nothing is sent to is kept, milliseconds. @default 300_000 */
  readonly metadataMaxIdleMs?: number;
  /** What batches are compressed with. @default "none" */
  readonly compressionType?: CompressionType;
  /** From 1, fast, to 9, small; -1 is zlib's own choice. @default -1 */
  readonly compressionGzipLevel?: number;
  /** From 1, fast, to 17, small. @default 9 */
  readonly compressionLz4Level?: number;
  /** From -131072, fast, to 22, small. @default 3 */
  readonly compressionZstdLevel?: number;
  /**
   * Codecs of one's own that take the places of the built-in ones, by name. One without `compressSync` does its work while the batches
   * behind it in its partition wait.
   * @default none
   */
  readonly compressionCodecs?: Partial<CompressionCodecs>;
  /** Whether a broker may create a topic because something was sent to it. Java's producer always lets it. @default true */
  readonly allowAutoCreateTopics?: boolean;
  /**
   * Chooses partitions: a function, or where that is not enough an object with a method `partition`, or a class of such, like
   * `RoundRobinPartitioner`, of which the producer makes its own.
   * @default by the key's hash; without a key one partition until a batch is full, then another
   */
  readonly partitioner?:
    | Partitioner<NoInfer<K>, NoInfer<V>>
    | PartitionFunction<NoInfer<K>, NoInfer<V>>
    | PartitionerClass<NoInfer<K>, NoInfer<V>>
    | null;
  /**
   * Sends records without a key less often to partitions whose brokers take them more slowly than others. It has no effect where a
   * `partitioner` is given.
   * @default true
   */
  readonly partitionerAdaptivePartitioningEnable?: boolean;
  /**
   * Sends records without a key to no partition of a broker that has taken nothing for so long while there was something for it,
   * milliseconds; 0 for brokers that may always be chosen. It has no effect where a `partitioner` is given, or
   * `partitionerAdaptivePartitioningEnable` is off.
   * @default 0
   */
  readonly partitionerAvailabilityTimeoutMs?: number;
  /** Treats records with a key as if they had none when a partition is chosen. @default false */
  readonly partitionerIgnoreKeys?: boolean;
  /** Turns keys into bytes. @default takes bytes and text as they are */
  readonly keySerializer?: Serializer<K> | SerializerFunction<K>;
  /** Turns values into bytes. @default takes bytes and text as they are */
  readonly valueSerializer?: Serializer<V> | SerializerFunction<V>;
  /** Look at records on their way in, and at what became of them, in this order. @default none */
  readonly interceptors?: readonly ProducerInterceptor<NoInfer<K>, NoInfer<V>>[];
}

/** The same, complete. */
export interface ResolvedProducerOptions<K, V> extends NetworkOptions {
  readonly acks: -1 | 0 | 1;
  readonly batchSize: number;
  readonly lingerMs: number;
  readonly bufferMemory: number;
  readonly maxBlockMs: number;
  readonly maxRequestSize: number;
  readonly deliveryTimeoutMs: number;
  readonly retries: number;
  readonly enableIdempotence: boolean;
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  readonly transactionTwoPhaseCommitEnable: boolean;
  readonly compression: Compression | null;
  /** What a single `send` may ask for instead. */
  readonly compressions: Readonly<Record<CompressionType, Compression | null>>;
  readonly codecs: CompressionCodecs;
  readonly allowAutoCreateTopics: boolean;
  /** `null` for the built-in one. */
  readonly partitioner: Partitioner<K, V> | null;
  readonly partitionerAdaptivePartitioningEnable: boolean;
  readonly partitionerAvailabilityTimeoutMs: number;
  readonly partitionerIgnoreKeys: boolean;
  readonly interceptors: readonly ProducerInterceptor<K, V>[];
  readonly keySerializer: Serializer<K>;
  readonly valueSerializer: Serializer<V>;
}

/** @throws OptionsError naming option, value and what is allowed */
export function resolveProducerOptions<K, V>(options: ProducerOptions<K, V>): ResolvedProducerOptions<K, V> {
  const reader = new OptionReader(options);
  const client = resolveClientOptions(reader);
  const acks = reader.oneOf("acks", "all", ["all", -1, 0, 1]);
  // Java takes 0 and makes it 1: every record is a batch of its own.
  const batchSize = Math.max(1, reader.integer("batchSize", 16_384, 0, 0x7fff_ffff));
  const bufferMemory = reader.integer("bufferMemory", 33_554_432, 1);
  const lingerMs = reader.integer("lingerMs", 5, 0);
  const codecs = readCompressionCodecs(reader);
  const compressions = compressionsOf(reader, codecs);
  const resolved: ResolvedProducerOptions<K, V> = {
    ...client,
    acks: acks === "all" ? -1 : acks,
    batchSize,
    lingerMs,
    bufferMemory,
    maxBlockMs: reader.integer("maxBlockMs", 60_000, 0),
    maxRequestSize: reader.integer("maxRequestSize", 1_048_576, 1, 0x7fff_ffff),
    deliveryTimeoutMs: deliveryTimeoutMs(reader, lingerMs + client.requestTimeoutMs),
    ...exactlyOnce(reader, acks),
    // Java lets no one ask for less than 5 s: the topic of a slow producer would be asked for again and again.
    metadataMaxIdleMs: reader.integer("metadataMaxIdleMs", 300_000, 5_000),
    compression: compressions[reader.oneOf("compressionType", "none", compressionTypes)],
    compressions,
    codecs,
    allowAutoCreateTopics: reader.boolean("allowAutoCreateTopics", true),
    partitioner: partitioner(reader),
    partitionerAdaptivePartitioningEnable: reader.boolean("partitionerAdaptivePartitioningEnable", true),
    partitionerAvailabilityTimeoutMs: reader.integer("partitionerAvailabilityTimeoutMs", 0, 0),
    partitionerIgnoreKeys: reader.boolean("partitionerIgnoreKeys", false),
    interceptors: interceptors(reader),
    keySerializer: serializer<K>(reader, "keySerializer"),
    valueSerializer: serializer<V>(reader, "valueSerializer"),
  };
  reader.finish();
  if (bufferMemory < batchSize) {
    throw new OptionsError("bufferMemory", bufferMemory, `at least batchSize (${batchSize})`);
  }
  return Object.freeze(resolved);
}

type ExactlyOnce =
  | "retries"
  | "maxInFlightRequestsPerConnection"
  | "enableIdempotence"
  | "transactionalId"
  | "transactionTimeoutMs"
  | "transactionTwoPhaseCommitEnable";

/** What idempotence needs. Where it was asked for, nothing may contradict it; the default gives way, as in Java. */
function exactlyOnce(
  reader: OptionReader,
  acks: "all" | -1 | 0 | 1,
): Pick<ResolvedProducerOptions<unknown, unknown>, ExactlyOnce> {
  const retries = reader.integer("retries", 0x7fff_ffff, 0, 0x7fff_ffff);
  const maxInFlightRequestsPerConnection = reader.integer("maxInFlightRequestsPerConnection", 5, 1);
  const isWanted = reader.boolean("enableIdempotence", true);
  const transactionalId = reader.string("transactionalId", null);
  const isAll = acks === "all" || acks === -1;
  const isExplicit = reader.has("enableIdempotence") || transactionalId !== null;
  const enableIdempotence = isWanted && (isExplicit || (isAll && retries > 0));
  if (transactionalId !== null && !isWanted) {
    throw new OptionsError("enableIdempotence", isWanted, "true, which transactionalId needs,");
  }
  if (enableIdempotence && !isAll) throw new OptionsError("acks", acks, '"all", which enableIdempotence needs,');
  if (enableIdempotence && retries === 0) {
    throw new OptionsError("retries", retries, "more than 0, which enableIdempotence needs,");
  }
  if (enableIdempotence && maxInFlightRequestsPerConnection > 5) {
    const allowed = "at most 5, as many batches as brokers remember for enableIdempotence,";
    throw new OptionsError("maxInFlightRequestsPerConnection", maxInFlightRequestsPerConnection, allowed);
  }
  if (reader.has("transactionTimeoutMs") && transactionalId === null) {
    throw new OptionsError("transactionTimeoutMs", "given", "nothing without transactionalId,");
  }
  const transactionTimeoutMs = reader.integer("transactionTimeoutMs", 60_000, 1, 0x7fff_ffff);
  const transactionTwoPhaseCommitEnable = reader.boolean("transactionTwoPhaseCommitEnable", false);
  if (transactionTwoPhaseCommitEnable && transactionalId === null) {
    throw new OptionsError("transactionTwoPhaseCommitEnable", true, "false without transactionalId,");
  }
  if (transactionTwoPhaseCommitEnable && reader.has("transactionTimeoutMs")) {
    const allowed = "nothing with transactionTwoPhaseCommitEnable, whose transactions do not time out,";
    throw new OptionsError("transactionTimeoutMs", transactionTimeoutMs, allowed);
  }
  return {
    retries,
    maxInFlightRequestsPerConnection,
    enableIdempotence,
    transactionalId,
    transactionTimeoutMs,
    transactionTwoPhaseCommitEnable,
  };
}

/** A timeout that was asked for must be long enough; the default is raised in silence, as in Java. */
function deliveryTimeoutMs(reader: OptionReader, leastMs: number): number {
  const timeoutMs = reader.integer("deliveryTimeoutMs", 120_000, 0);
  if (timeoutMs >= leastMs) return timeoutMs;
  if (!reader.has("deliveryTimeoutMs")) return leastMs;
  throw new OptionsError("deliveryTimeoutMs", timeoutMs, `at least lingerMs + requestTimeoutMs (${leastMs})`);
}

/** Every level is checked, also those of codecs that are not in use: a wrong one would show on the day of the change. */
function compressionsOf(
  reader: OptionReader,
  { gzip, snappy, lz4, zstd }: CompressionCodecs,
): ResolvedProducerOptions<unknown, unknown>["compressions"] {
  return Object.freeze({
    none: null,
    gzip: Object.freeze({ codec: gzip, level: level(reader, "compressionGzipLevel", gzip) }),
    snappy: Object.freeze({ codec: snappy, level: undefined }),
    lz4: Object.freeze({ codec: lz4, level: level(reader, "compressionLz4Level", lz4) }),
    zstd: Object.freeze({ codec: zstd, level: level(reader, "compressionZstdLevel", zstd) }),
  });
}

function level(reader: OptionReader, name: string, codec: CompressionCodec): number | undefined {
  const levels = codec.levels ?? null;
  if (levels === null) {
    return reader.value(name, undefined, isNothing, "nothing, since the codec in compressionCodecs has no levels,");
  }
  const { min, max, default: fallback } = levels;
  return reader.value(
    name,
    fallback,
    (value): value is number =>
      Number.isInteger(value) && ((Number(value) >= min && Number(value) <= max) || value === fallback),
    `a whole number from ${min} to ${max}${fallback < min ? `, or ${fallback}` : ""}`,
  );
}

const isNothing = (value: unknown): value is undefined => value === undefined;

/** Takes what needs no serializer. */
const bytesOrText: Serializer<unknown> = Object.freeze({
  serialize(value: unknown, { role }: SerdeContext): Encoded {
    if (typeof value === "string" || value instanceof Uint8Array) return value;
    throw new SerializationError(
      `the ${role} is neither Uint8Array nor string but ${typeof value}: set ${role}Serializer`,
    );
  },
});

const serializer = <T>(reader: OptionReader, name: string): Serializer<T> =>
  serializerOf(
    reader.value<Serializer<T> | SerializerFunction<T>>(
      name,
      bytesOrText,
      isSerializer<T>,
      "a function, or an object with serialize()",
    ),
  );

function partitioner<K, V>(reader: OptionReader): Partitioner<K, V> | null {
  const given = reader.value<Partitioner<K, V> | PartitionFunction<K, V> | PartitionerClass<K, V> | null>(
    "partitioner",
    null,
    isPartitioner,
    "a function, or an object with partition() or a class of such",
  );
  return given === null ? null : partitionerOf(given);
}

function isPartitioner(value: unknown): value is Partitioner | PartitionFunction | PartitionerClass | null {
  if (value === null || typeof value === "function") return true;
  return typeof value === "object" && "partition" in value && typeof value.partition === "function";
}

function interceptors<K, V>(reader: OptionReader): readonly ProducerInterceptor<K, V>[] {
  const allowed = `an array of objects with some of ${interceptorMethods.map((name) => `${name}()`).join(", ")}`;
  return [...reader.value<readonly ProducerInterceptor<K, V>[]>("interceptors", [], areInterceptors, allowed)];
}

const interceptorMethods = ["onSend", "onAcknowledgement", "close"] as const;

/** One without any of the methods would do nothing, which nobody means. */
function areInterceptors<K, V>(value: unknown): value is readonly ProducerInterceptor<K, V>[] {
  return (
    Array.isArray(value) &&
    value.every((interceptor: unknown) => {
      if (typeof interceptor !== "object" || interceptor === null) return false;
      const kinds = interceptorMethods.map((name) => typeof Reflect.get(interceptor, name));
      return kinds.includes("function") && kinds.every((kind) => kind === "function" || kind === "undefined");
    })
  );
}
