import { isIPv6 } from "node:net";
import { type Address, OptionsError } from "./errors.ts";
import { type DiagnosticsListener, isDiagnosticsListener, noListener } from "./observation/diagnostics.ts";
import { isLogger, type Logger, silentLogger } from "./observation/logger.ts";
import type { OptionReader } from "./option-reader.ts";
import type { SaslOptions } from "./security/sasl-options.ts";
import { isAnything, withheld } from "./security/secret-option.ts";
import { resolveSecurity, type Security, type SecurityProtocol } from "./security/security-options.ts";
import type { SslOptions } from "./security/tls-settings.ts";
import type { SocketFactory } from "./socket.ts";

const dnsLookups = ["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"] as const;
export type DnsLookup = (typeof dnsLookups)[number];

const metadataRecoveryStrategies = ["rebootstrap", "none"] as const;
export type MetadataRecoveryStrategy = (typeof metadataRecoveryStrategies)[number];

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
  /**
   * How long DNS, TCP, TLS, ApiVersions and SASL may take together, milliseconds; doubles with each failure.
   *
   * @default 10_000
   */
  readonly socketConnectionSetupTimeoutMs?: number;
  /** Longest that setting up a connection may take, milliseconds. @default 30_000 */
  readonly socketConnectionSetupTimeoutMaxMs?: number;
  /** Age at which metadata is asked for again although nothing seems to have changed, milliseconds. @default 300_000 */
  readonly metadataMaxAgeMs?: number;
  /** How long a connection may go without a request before it is closed, milliseconds; -1 for as long as it likes. @default 540_000; admin client 300_000 */
  readonly connectionsMaxIdleMs?: number;
  /**
   * What a name of `bootstrapServers` stands for: a host whose addresses are all tried, or a list of hosts, namely the canonical
   * names of those addresses, as Kerberos and certificates may want them.
   *
   * @default "use_all_dns_ips"
   */
  readonly clientDnsLookup?: DnsLookup;
  /**
   * What to do where no broker that is known can be reached any more: begin again with `bootstrapServers`, or go on trying
   * those (KIP-899).
   *
   * @default "rebootstrap"
   */
  readonly metadataRecoveryStrategy?: MetadataRecoveryStrategy;
  /** How long no broker has told its metadata before that is done anyway, milliseconds (KIP-1102). @default 300_000 */
  readonly metadataRecoveryRebootstrapTriggerMs?: number;
  /**
   * Whether brokers of Kafka 4.4 and later are told which broker of which cluster is meant, so that any other says so and
   * the client begins again with `bootstrapServers` (KIP-1242). `false` for proxies that answer in the name of others.
   *
   * @default true
   */
  readonly metadataClusterCheckEnable?: boolean;
  /** Longest that a broker that throttles may keep a connection from sending, milliseconds (KIP-219). @default 600_000 */
  readonly throttleTimeMaxMs?: number;
  /** Whether connections are encrypted, and how: `true`, or what `tls.connect` of Node takes. @default false */
  readonly ssl?: SslOptions;
  /** How the client proves who it is. @default not at all */
  readonly sasl?: SaslOptions;
  /** Follows from `ssl` and `sasl`; stated, it is checked against them. */
  readonly securityProtocol?: SecurityProtocol;
  /**
   * Opens the sockets to brokers, such as through a proxy. It gives a `net.Socket` or another `stream.Duplex`, or a promise of one, which
   * may still be connecting; TLS is spoken over it where `ssl` says so. Whatever it throws counts as a connection that could not be
   * made, and is tried again after the back-off.
   *
   * @default `net.connect`, with all addresses of the host
   */
  readonly socketFactory?: SocketFactory;
  /** Where to say what goes wrong and right, such as `console`. @default nowhere */
  readonly logger?: Logger;
  /**
   * Who is told what this client alone does: a function for each of the diagnostics channels that is of interest, by its name, such as
   * `{ "odradek:response": ({ api, latencyMs }) => ... }`. They are called at once, in the way of the connection. @default nobody
   */
  readonly diagnostics?: DiagnosticsListener;
  /** How many windows the rates, averages and maxima of `metrics()` look back on. @default 2 */
  readonly metricsNumSamples?: number;
  /** How long such a window is, milliseconds. @default 30_000 */
  readonly metricsSampleWindowMs?: number;
  /** Largest frame that is taken from a broker, bytes. @default 104_857_600 */
  readonly receiveMessageMaxBytes?: number;
  /**
   * Most that an answer may become, in items of 100 bytes of memory: a broker in a Metadata answer takes two, a partition with
   * three replicas four. @default 1_000_000
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
  readonly connectionsMaxIdleMs: number;
  readonly clientDnsLookup: DnsLookup;
  readonly metadataRecoveryStrategy: MetadataRecoveryStrategy;
  readonly metadataRecoveryRebootstrapTriggerMs: number;
  readonly metadataClusterCheckEnable: boolean;
  readonly throttleTimeMaxMs: number;
  readonly security: Security;
  readonly socketFactory: SocketFactory | null;
  readonly logger: Logger;
  readonly diagnostics: DiagnosticsListener;
  readonly metricsNumSamples: number;
  readonly metricsSampleWindowMs: number;
  readonly receiveMessageMaxBytes: number;
  readonly receiveMessageMaxItems: number;
}

/** What the network needs besides, which is not the same for every kind of client. */
export interface NetworkOptions extends ResolvedClientOptions {
  readonly maxInFlightRequestsPerConnection: number;
  /** Whether asking for the metadata of a topic may create it, where the broker does that. @default true */
  readonly allowAutoCreateTopics?: boolean;
  /** Whether the bootstrap servers are controllers, which are asked for one another in place of brokers (KIP-919). @default false */
  readonly asksControllers?: boolean;
  /** How long the metadata of a topic that nobody uses is kept, milliseconds. @default for ever */
  readonly metadataMaxIdleMs?: number;
}

/** What differs between the kinds of clients. */
export interface ClientDefaults {
  readonly connectionsMaxIdleMs: number;
  /** The option that names the servers to begin with. @default "bootstrapServers" */
  readonly bootstrapOption?: "bootstrapServers" | "bootstrapControllers";
}

/** Of Java's producer and consumer. */
const usualDefaults: ClientDefaults = Object.freeze({ connectionsMaxIdleMs: 540_000 });

/** Brokers are told how long they may take as an int32, and a frame says its length as one. */
const maxInt32 = 0x7fff_ffff;

/** @throws OptionsError naming option, value and what is allowed */
export function resolveClientOptions(
  reader: OptionReader,
  defaults: ClientDefaults = usualDefaults,
): ResolvedClientOptions {
  const retryBackoffMs = reader.integer("retryBackoffMs", 100, 0);
  const reconnectBackoffMs = reader.integer("reconnectBackoffMs", 50, 0);
  const setupMs = reader.integer("socketConnectionSetupTimeoutMs", 10_000, 1);
  return Object.freeze({
    bootstrapServers: bootstrapServers(reader, defaults.bootstrapOption ?? "bootstrapServers"),
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
    connectionsMaxIdleMs: orNever(reader.integer("connectionsMaxIdleMs", defaults.connectionsMaxIdleMs, -1)),
    clientDnsLookup: reader.oneOf("clientDnsLookup", "use_all_dns_ips", dnsLookups),
    metadataRecoveryStrategy: reader.oneOf("metadataRecoveryStrategy", "rebootstrap", metadataRecoveryStrategies),
    metadataRecoveryRebootstrapTriggerMs: reader.integer("metadataRecoveryRebootstrapTriggerMs", 300_000, 0),
    metadataClusterCheckEnable: reader.boolean("metadataClusterCheckEnable", true),
    throttleTimeMaxMs: reader.integer("throttleTimeMaxMs", 600_000, 0),
    security: resolveSecurity(reader),
    socketFactory: reader.value("socketFactory", null, isFactory, "a function"),
    logger: reader.value<Logger>("logger", silentLogger, isLogger, "an object with debug, info, warn and error"),
    diagnostics: reader.value(
      "diagnostics",
      noListener,
      isDiagnosticsListener,
      "an object with functions, by channel,",
    ),
    metricsNumSamples: reader.integer("metricsNumSamples", 2, 1),
    metricsSampleWindowMs: reader.integer("metricsSampleWindowMs", 30_000, 1),
    receiveMessageMaxBytes: reader.integer("receiveMessageMaxBytes", 104_857_600, 1_048_576, maxInt32),
    receiveMessageMaxItems: reader.integer("receiveMessageMaxItems", 1_000_000, 1_000, maxInt32),
  });
}

const isFactory = (value: unknown): value is SocketFactory | null => value === null || typeof value === "function";

/** Java raises a maximum that is below its first value, instead of refusing the pair. */
const atLeast = (initialMs: number, maxMs: number): number => Math.max(initialMs, maxMs);

/** Kafka writes -1 where a time has no end. */
const orNever = (ms: number): number => (ms < 0 ? Number.POSITIVE_INFINITY : ms);

function bootstrapServers(reader: OptionReader, name: string): Address[] {
  const allowed = "a list of host:port that is not empty";
  const given = reader.required(name, isAnything, allowed);
  if (isTextArray(given)) return given.map((server) => parseAddress(server, name));
  // One text, as other clients take it, may be a URL with a password.
  throw new OptionsError(name, withheld(given), allowed);
}

function isTextArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string");
}

function parseAddress(server: string, name: string): Address {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:\s[\]/@]+)):(?<port>\d{1,5})$/.exec(server.trim());
  const { v6, name: hostName, port: digits } = match?.groups ?? {};
  const host = v6 === undefined || isIPv6(v6) ? (v6 ?? hostName) : undefined;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new OptionsError(
      name,
      withoutUser(server),
      "host:port without a scheme, such as broker-1:9092 or [::1]:9092,",
    );
  }
  return { host, port };
}

/** A server without the name and password that a URL may carry: they must not get into a message. */
const withoutUser = (server: string): string => server.replace(/^.*@/, "");
