import { isIPv6 } from "node:net";
import { type Address, OptionsError } from "./errors.ts";
import type { OptionReader } from "./option-reader.ts";

/** What all clients have in common. Names, meaning and defaults are those of Kafka's Java client. */
export interface ClientOptions {
  /** Where to ask first, as `host:port`; the cluster tells the rest. IPv6 in brackets: `[::1]:9092`. */
  readonly bootstrapServers: readonly string[];
  /** Says who asks, in the brokers' logs, quotas and metrics. @default "odradek" */
  readonly clientId?: string;
  /** How long a request waits for its answer, milliseconds; then its connection is closed. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /** How long a call may take that says nothing else, retries included, milliseconds. @default 60_000 */
  readonly defaultApiTimeoutMs?: number;
  /** First wait before a request is tried again, milliseconds; doubles up to `retryBackoffMaxMs`. @default 100 */
  readonly retryBackoffMs?: number;
  /** Longest wait before a request is tried again, milliseconds. @default 1_000 */
  readonly retryBackoffMaxMs?: number;
  /** First wait before a broker is tried again, milliseconds; doubles up to `reconnectBackoffMaxMs`. @default 50 */
  readonly reconnectBackoffMs?: number;
  /** Longest wait before a broker is tried again, milliseconds. @default 1_000 */
  readonly reconnectBackoffMaxMs?: number;
  /** How long TCP and ApiVersions may take together, milliseconds; doubles with each failure. @default 10_000 */
  readonly socketConnectionSetupTimeoutMs?: number;
  /** Longest that setting up a connection may take, milliseconds. @default 30_000 */
  readonly socketConnectionSetupTimeoutMaxMs?: number;
  /** Age at which metadata is asked for again although nothing seems to have changed, milliseconds. @default 300_000 */
  readonly metadataMaxAgeMs?: number;
  /** Largest frame that is taken from a broker, bytes. @default 104_857_600 */
  readonly receiveMessageMaxBytes?: number;
  /**
   * Most items of arrays, other than numbers, that are taken in one frame: each becomes an object, which may take many times
   * its bytes. A partition in a Metadata answer is one item. @default 1_000_000
   */
  readonly receiveMessageMaxItems?: number;
}

/** The same, complete. */
export interface ResolvedClientOptions {
  readonly bootstrapServers: readonly Address[];
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly defaultApiTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  readonly socketConnectionSetupTimeoutMs: number;
  readonly socketConnectionSetupTimeoutMaxMs: number;
  readonly metadataMaxAgeMs: number;
  readonly receiveMessageMaxBytes: number;
  readonly receiveMessageMaxItems: number;
}

/** What the network needs besides, which is not the same for every kind of client. */
export interface NetworkOptions extends ResolvedClientOptions {
  readonly maxInFlightRequestsPerConnection: number;
  /** Whether asking for the metadata of a topic may create it, where the broker does that. @default true */
  readonly allowAutoCreateTopics?: boolean;
}

/** Brokers are told how long they may take as an int32, and a frame says its length as one. */
const maxInt32 = 0x7fff_ffff;

/** @throws OptionsError naming option, value and what is allowed */
export function resolveClientOptions(reader: OptionReader): ResolvedClientOptions {
  const retryBackoffMs = reader.integer("retryBackoffMs", 100, 0);
  const reconnectBackoffMs = reader.integer("reconnectBackoffMs", 50, 0);
  const setupMs = reader.integer("socketConnectionSetupTimeoutMs", 10_000, 1);
  return Object.freeze({
    bootstrapServers: reader
      .required("bootstrapServers", isTextArray, "a list of host:port that is not empty")
      .map(parseAddress),
    clientId: reader.string("clientId", "odradek"),
    requestTimeoutMs: reader.integer("requestTimeoutMs", 30_000, 1, maxInt32),
    defaultApiTimeoutMs: reader.integer("defaultApiTimeoutMs", 60_000, 0, maxInt32),
    retryBackoffMs,
    retryBackoffMaxMs: atLeast(retryBackoffMs, reader.integer("retryBackoffMaxMs", 1_000, 0)),
    reconnectBackoffMs,
    reconnectBackoffMaxMs: atLeast(reconnectBackoffMs, reader.integer("reconnectBackoffMaxMs", 1_000, 0)),
    socketConnectionSetupTimeoutMs: setupMs,
    socketConnectionSetupTimeoutMaxMs: atLeast(setupMs, reader.integer("socketConnectionSetupTimeoutMaxMs", 30_000, 1)),
    metadataMaxAgeMs: reader.integer("metadataMaxAgeMs", 300_000, 0),
    receiveMessageMaxBytes: reader.integer("receiveMessageMaxBytes", 104_857_600, 1_048_576, maxInt32),
    receiveMessageMaxItems: reader.integer("receiveMessageMaxItems", 1_000_000, 1_000, maxInt32),
  });
}

/** Java raises a maximum that is below its first value, instead of refusing the pair. */
const atLeast = (initialMs: number, maxMs: number): number => Math.max(initialMs, maxMs);

function isTextArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string");
}

function parseAddress(server: string): Address {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:\s[\]/@]+)):(?<port>\d{1,5})$/.exec(server.trim());
  const { v6, name, port: digits } = match?.groups ?? {};
  const host = v6 === undefined || isIPv6(v6) ? (v6 ?? name) : undefined;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new OptionsError(
      "bootstrapServers",
      withoutUser(server),
      "host:port without a scheme, such as broker-1:9092 or [::1]:9092,",
    );
  }
  return { host, port };
}

/** A server without the name and password that a URL may carry: they must not get into a message. */
const withoutUser = (server: string): string => server.replace(/^.*@/, "");
