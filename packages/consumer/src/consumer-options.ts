import {
  bytes,
  type ClientOptions,
  type Deserializer,
  type DeserializerFunction,
  type DiagnosticsListener,
  deserializerOf,
  isDeserializer,
  type NetworkOptions,
  OptionReader,
  OptionsError,
  readCompressionCodecs,
  resolveClientOptions,
} from "@odradek/network";
import type { CompressionCodecs } from "@odradek/protocol";
import type { ConsumerInterceptor } from "./consumer-interceptors.ts";
import type { ConsumerDiagnosticsMessages } from "./group/group-diagnostics.ts";
import { type GroupOptions, type ResolvedGroupOptions, resolveGroupOptions } from "./group/group-options.ts";
import { type AutoOffsetReset, parseAutoOffsetReset, type ResetPolicy } from "./positions/auto-offset-reset.ts";

const isolationLevels = ["read_uncommitted", "read_committed"] as const;

/** Whether records of transactions that are not committed are seen. Kafka's names. */
export type IsolationLevel = (typeof isolationLevels)[number];

/** What `KafkaConsumer` takes. Names, meaning and defaults are those of Kafka's Java client. */
export interface ConsumerOptions<K = Uint8Array, V = Uint8Array> extends ClientOptions, GroupOptions {
  /** Reads keys, when they are looked at, or before records are handed out where it gives promises. @default bytes */
  readonly keyDeserializer?: Deserializer<K> | DeserializerFunction<K>;
  /** Reads values, in the same way. @default bytes */
  readonly valueDeserializer?: Deserializer<V> | DeserializerFunction<V>;
  /**
   * Where to begin in a partition that has no position, or whose position the log does not have (any more):
   * `earliest`, `latest`, `none` for an error, or `by_duration:<ISO 8601>`, such as `by_duration:PT12H` for the first
   * record that is at most twelve hours old.
   * @default "latest"
   */
  readonly autoOffsetReset?: AutoOffsetReset;
  /**
   * `read_committed` leaves out the records of aborted transactions and goes no further than the first transaction
   * that is still open. @default "read_uncommitted"
   */
  readonly isolationLevel?: IsolationLevel;
  /** Most records that one poll gives. @default 500 */
  readonly maxPollRecords?: number;
  /** How much a broker gathers before it answers, unless `fetchMaxWaitMs` is over, bytes. @default 1 */
  readonly fetchMinBytes?: number;
  /** How long a broker waits for `fetchMinBytes`, milliseconds. @default 500 */
  readonly fetchMaxWaitMs?: number;
  /**
   * Most that one broker gives in one answer, and about the most that is kept ready: brokers that are asked at the same time share
   * it, and what waits to be polled counts, but each may give as much as `maxPartitionFetchBytes`, and what was fetched of paused
   * partitions comes on top. A batch that alone is larger comes nevertheless. Bytes; at most `receiveMessageMaxBytes`.
   * @default 52_428_800
   */
  readonly fetchMaxBytes?: number;
  /** Most of one partition in one answer, bytes. A batch that alone is larger comes nevertheless. @default 1_048_576 */
  readonly maxPartitionFetchBytes?: number;
  /** Whether the checksum of every batch is compared. Costs about half a nanosecond a byte. @default true */
  readonly checkCrcs?: boolean;
  /**
   * Most bytes that a compressed batch may have after decompression: a larger one is a CorruptLogError, so that a few
   * bytes from a broker cannot fill the memory. A poll also ends, with fewer records, once the batches that it has
   * decompressed make up a quarter of it. @default 67_108_864
   */
  readonly maxDecompressedBytes?: number;
  /** Codecs of one's own that take the places of the built-in ones, by name. @default none */
  readonly compressionCodecs?: Partial<CompressionCodecs>;
  /** Whether a broker may create a topic because this consumer asked about it. @default true */
  readonly allowAutoCreateTopics?: boolean;
  /** Who is told what this consumer alone does, on its connections and in its group: a function for each channel that is of interest. @default nobody */
  readonly diagnostics?: DiagnosticsListener<ConsumerDiagnosticsMessages>;
  /** Look at records on their way to the application, and at what is committed, in this order. @default none */
  readonly interceptors?: readonly ConsumerInterceptor<NoInfer<K>, NoInfer<V>>[];
  /**
   * Whether each record that is handed out has memory of its own, as `record.copy()` gives it: one that is kept does not keep alive the
   * whole answer that it came in, up to `fetchMaxBytes`. It costs about half a microsecond a record, and its bytes once more. Where few
   * of the records are kept, it is cheaper to copy those. @default false
   */
  readonly copyRecords?: boolean;
}

/** The same, complete. */
export interface ResolvedConsumerOptions<K, V> extends NetworkOptions, ResolvedGroupOptions {
  readonly diagnostics: DiagnosticsListener<ConsumerDiagnosticsMessages>;
  readonly keyDeserializer: Deserializer<K>;
  readonly valueDeserializer: Deserializer<V>;
  readonly interceptors: readonly ConsumerInterceptor<K, V>[];
  readonly copyRecords: boolean;
  readonly autoOffsetReset: ResetPolicy;
  readonly isolationLevel: IsolationLevel;
  readonly maxPollRecords: number;
  readonly fetchMinBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly fetchMaxBytes: number;
  readonly maxPartitionFetchBytes: number;
  readonly checkCrcs: boolean;
  readonly maxDecompressedBytes: number;
  readonly codecs: CompressionCodecs;
  readonly allowAutoCreateTopics: boolean;
}

/** A consumer has one Fetch under way on a connection and few questions besides; more would mean that a broker is stuck. */
const maxInFlightRequestsPerConnection = 100;

const int32Max = 0x7fff_ffff;

/** @throws OptionsError naming option, value and what is allowed */
export function resolveConsumerOptions<K, V>(options: ConsumerOptions<K, V>): ResolvedConsumerOptions<K, V> {
  const reader = new OptionReader(options);
  const client = resolveClientOptions(reader);
  // An answer that is larger than a frame may be would close its connection, again and again.
  const largestFetchBytes = client.receiveMessageMaxBytes;
  const resolved = {
    ...client,
    ...resolveGroupOptions(reader),
    maxInFlightRequestsPerConnection,
    keyDeserializer: deserializer<K>(reader, "keyDeserializer"),
    valueDeserializer: deserializer<V>(reader, "valueDeserializer"),
    interceptors: interceptors<K, V>(reader),
    copyRecords: reader.boolean("copyRecords", false),
    autoOffsetReset: resetPolicy(reader.string("autoOffsetReset", "latest")),
    isolationLevel: reader.oneOf("isolationLevel", "read_uncommitted", isolationLevels),
    maxPollRecords: reader.integer("maxPollRecords", 500, 1),
    fetchMinBytes: reader.integer("fetchMinBytes", 1, 0, int32Max),
    fetchMaxWaitMs: reader.integer("fetchMaxWaitMs", 500, 0, int32Max),
    fetchMaxBytes: reader.integer("fetchMaxBytes", Math.min(52_428_800, largestFetchBytes), 0, largestFetchBytes),
    maxPartitionFetchBytes: reader.integer("maxPartitionFetchBytes", 1_048_576, 0, int32Max),
    checkCrcs: reader.boolean("checkCrcs", true),
    maxDecompressedBytes: reader.integer("maxDecompressedBytes", 67_108_864, 1, int32Max),
    codecs: readCompressionCodecs(reader),
    allowAutoCreateTopics: reader.boolean("allowAutoCreateTopics", true),
  };
  reader.finish();
  if (resolved.fetchMaxWaitMs >= resolved.requestTimeoutMs) {
    const allowed = `less than requestTimeoutMs (${resolved.requestTimeoutMs}), or every fetch of a quiet topic times out;`;
    throw new OptionsError("fetchMaxWaitMs", resolved.fetchMaxWaitMs, allowed);
  }
  return Object.freeze(resolved);
}

function resetPolicy(text: string): ResetPolicy {
  const policy = parseAutoOffsetReset(text);
  if (policy !== null) return policy;
  throw new OptionsError("autoOffsetReset", text, "one of earliest, latest, none, by_duration:<such as PT12H>");
}

function deserializer<T>(reader: OptionReader, name: string): Deserializer<T> {
  // Where the user gave none, T is the default of the type parameter: what `bytes` reads.
  const fallback = bytes as Deserializer<unknown> as Deserializer<T>;
  const given = deserializerOf(
    reader.value<Deserializer<T> | DeserializerFunction<T>>(
      name,
      fallback,
      isDeserializer<T>,
      "a function, or an object with deserialize()",
    ),
  );
  const { isAsync } = given;
  if (isAsync === undefined || typeof isAsync === "boolean") return given;
  throw new OptionsError(`${name}.isAsync`, isAsync, "true, false or left out");
}

function interceptors<K, V>(reader: OptionReader): readonly ConsumerInterceptor<K, V>[] {
  const allowed = `an array of objects with some of ${interceptorMethods.map((name) => `${name}()`).join(", ")}`;
  return [...reader.value<readonly ConsumerInterceptor<K, V>[]>("interceptors", [], areInterceptors, allowed)];
}

const interceptorMethods = ["onConsume", "onCommit", "close"] as const;

/** One without any of the methods would do nothing, which nobody means. */
function areInterceptors<K, V>(value: unknown): value is readonly ConsumerInterceptor<K, V>[] {
  return (
    Array.isArray(value) &&
    value.every((interceptor: unknown) => {
      if (typeof interceptor !== "object" || interceptor === null) return false;
      const kinds = interceptorMethods.map((name) => typeof Reflect.get(interceptor, name));
      return kinds.includes("function") && kinds.every((kind) => kind === "function" || kind === "undefined");
    })
  );
}
