import { BrokerError, codeOf, KafkaError } from "@odradek/protocol";
import { type Backoff, exponentialBackoff } from "./backoff.ts";
import type { NetworkOptions } from "./client-options.ts";
import type { Clock } from "./clock.ts";
import { ClusterFeatures } from "./cluster-features.ts";
import type { Node } from "./cluster-snapshot.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import type { Purpose } from "./connection-peer.ts";
import { AuthenticationError, addressText, ClosedError, ConnectionError } from "./errors.ts";
import { leastLoadedNode, type NodeLoad } from "./least-loaded-node.ts";
import type { NetworkObserver } from "./observation/network-observer.ts";
import type { OwnMechanism } from "./security/sasl-mechanism.ts";

/** The broker at the other end of a line. Its id is learned where it was a bootstrap server at first. */
interface LinePeer {
  nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly purpose: Purpose;
}

/** Who refused us, or is no broker, is not asked again before, however short the back-off is, milliseconds. */
const leastRefusedMs = 100;

/**
 * One address, one purpose: the connection there is, and what came of the attempts before it. By address and not by
 * id, so that the connection to a bootstrap server goes on as that of the broker which it turns out to be.
 */
interface Line {
  readonly peer: LinePeer;
  connection: Connection | null;
  /** Attempts since one last got as far as `ready`. */
  attempts: number;
  lastAttemptMs: number;
  /** When another attempt may be made. */
  retryAtMs: number;
  /** How the last connection ended; `null` while one is ready, and before the first. */
  failure: { readonly error: Error; readonly atMs: number } | null;
  /** The address of the host at which the last attempt came to nothing: others go first at the next one. */
  avoidAddress: string | null;
}

export interface BrokerConnectionsListener {
  /** A connection became ready, has room again, or is gone. */
  onChange(): void;
  /** A connection ended, or was not made, without us having closed it. */
  onLost(): void;
  /** A broker says that it is not of the cluster that we mean (KIP-1102). */
  onRebootstrapRequired(cause: BrokerError): void;
}

/**
 * The connections of one client: made on demand, one for each broker and purpose, and made again only after a
 * back-off that grows with every failure. Source: Kafka's `ClusterConnectionStates`.
 */
export class BrokerConnections {
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #observer: NetworkObserver;
  readonly #listener: BrokerConnectionsListener;
  readonly #sasl: OwnMechanism | null;
  readonly #reconnectBackoff: Backoff;
  readonly #setupTimeout: Backoff;
  readonly #lines = new Map<string, Line>();
  /** Every connection whose socket is not closed yet, those that no line has any more included. */
  readonly #open = new Set<Connection>();
  #lastReadyAtMs = Number.NEGATIVE_INFINITY;
  /** Of which cluster the brokers are, as soon as the metadata says so: a broker of another one is not what we want. */
  clusterId: string | null = null;
  /** What the cluster has settled on, as far as its brokers have told. */
  readonly features = new ClusterFeatures();

  constructor(options: NetworkOptions, clock: Clock, observer: NetworkObserver, listener: BrokerConnectionsListener) {
    this.#options = options;
    this.#clock = clock;
    this.#observer = observer;
    this.#listener = listener;
    this.#sasl = options.security.sasl?.(clock) ?? null;
    this.#reconnectBackoff = exponentialBackoff(options.reconnectBackoffMs, options.reconnectBackoffMaxMs);
    this.#setupTimeout = exponentialBackoff(
      options.socketConnectionSetupTimeoutMs,
      options.socketConnectionSetupTimeoutMaxMs,
    );
  }

  /** The connection that takes a request right now; where there is none, one is begun if its back-off allows. */
  ready(node: Node, purpose: Purpose): Connection | null {
    const line = this.#line(node, purpose);
    if (line.connection === null && this.#clock.now() >= line.retryAtMs) this.#connect(line);
    return line.connection !== null && this.#hasRoom(line.connection) ? line.connection : null;
  }

  /** When `ready` is worth asking again although nothing woke the caller; `Infinity` where a wake will come. */
  retryAtMs(node: Node, purpose: Purpose): number {
    const line = this.#line(node, purpose);
    return line.connection === null ? line.retryAtMs : Number.POSITIVE_INFINITY;
  }

  /** The least loaded of `nodes`; `null` where none can be reached for now. */
  leastLoadedNode(nodes: readonly Node[], purpose: Purpose): Node | null {
    return leastLoadedNode(nodes, (node) => this.#load(node, purpose));
  }

  /** The connection to the least loaded of `nodes` that takes a request right now; begun as `ready` does. */
  leastLoaded(nodes: readonly Node[], purpose: Purpose): Connection | null {
    const node = this.leastLoadedNode(nodes, purpose);
    return node === null ? null : this.ready(node, purpose);
  }

  /** When `leastLoaded` is worth asking again although nothing woke the caller: when the next back-off ends. */
  nextRetryAtMs(nodes: readonly Node[], purpose: Purpose): number {
    const nowMs = this.#clock.now();
    let nextMs = Number.POSITIVE_INFINITY;
    let isOverdue = false;
    for (const node of nodes) {
      const { connection, retryAtMs } = this.#line(node, purpose);
      // One that there is wakes whoever waits, and until then no other is made.
      if (connection !== null) return Number.POSITIVE_INFINITY;
      if (retryAtMs > nowMs) nextMs = Math.min(nextMs, retryAtMs);
      else isOverdue = true;
    }
    // It ended between two looks at the clock.
    return isOverdue ? nowMs : nextMs;
  }

  /** How the latest of the connections to `nodes` ended; `null` where none did, or one is ready. */
  lastError(nodes: Iterable<Node>, purpose: Purpose): Error | null {
    let latest: Line["failure"] = null;
    for (const node of nodes) {
      const { connection, failure } = this.#line(node, purpose);
      if (connection?.state === "ready") return null;
      if (failure !== null && (latest === null || failure.atMs > latest.atMs)) latest = failure;
    }
    return latest?.error ?? null;
  }

  /**
   * The error of `nodes` of which none will do at another attempt: they are no brokers, or none for us. It holds until the
   * back-off of one of them is over, since things may have been mended meanwhile.
   */
  fatalError(nodes: readonly Node[], purpose: Purpose): Error | null {
    const nowMs = this.#clock.now();
    const isHopeless = ({ connection, failure, retryAtMs }: Line) =>
      connection === null && failure !== null && !isRetriable(failure.error) && nowMs < retryAtMs;
    return nodes.every((node) => isHopeless(this.#line(node, purpose))) ? this.lastError(nodes, purpose) : null;
  }

  /** Why `nodes` do not let us in, where one of them has said so a moment ago and there is no connection to any other. */
  authenticationError(nodes: readonly Node[], purpose: Purpose): AuthenticationError | null {
    const nowMs = this.#clock.now();
    let found: AuthenticationError | null = null;
    for (const node of nodes) {
      const { connection, failure, retryAtMs } = this.#line(node, purpose);
      if (connection !== null) return null;
      if (failure?.error instanceof AuthenticationError && nowMs < retryAtMs) found = failure.error;
    }
    return found;
  }

  /** Whether there is a connection that takes requests, for whatever purpose. */
  get isAlive(): boolean {
    for (const { wasReady, state } of this.#open)
      if (wasReady && state !== "closing" && state !== "closed") return true;
    return false;
  }

  /** When one last became ready, for whatever purpose. */
  get lastReadyAtMs(): number {
    return this.#lastReadyAtMs;
  }

  /** Lets go of addresses that no broker has any more. */
  retain(nodes: Iterable<Node>): void {
    const addresses = new Set([...nodes].map(addressText));
    for (const [key, line] of this.#lines) {
      if (addresses.has(addressText(line.peer))) continue;
      this.#lines.delete(key);
      // Whoever is still under way then may ask another.
      const cause = new ConnectionError(line.peer, "closed, since the broker has left the cluster");
      void line.connection?.close(this.#options.requestTimeoutMs, cause);
    }
  }

  /** Closes every connection at once: all that is under way fails with `cause`. Back-offs stay as they are. */
  reset(cause: Error): void {
    for (const connection of this.#open) connection.destroy(cause);
  }

  /** Lets every connection finish what is under way, for `timeoutMs` at most; resolves when all sockets are closed. */
  async close(timeoutMs: number): Promise<void> {
    this.#lines.clear();
    await Promise.all([...this.#open].map((connection) => connection.close(timeoutMs)));
    this.#sasl?.close?.();
  }

  #line(node: Node, purpose: Purpose): Line {
    const key = keyOf({ host: node.host, port: node.port, purpose });
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = {
        peer: { nodeId: node.id, host: node.host, port: node.port, purpose },
        connection: null,
        attempts: 0,
        lastAttemptMs: Number.NEGATIVE_INFINITY,
        retryAtMs: Number.NEGATIVE_INFINITY,
        failure: null,
        avoidAddress: null,
      };
      this.#lines.set(key, line);
    }
    line.peer.nodeId = node.id;
    return line;
  }

  #hasRoom(connection: Connection): boolean {
    return connection.hasRoom(this.#options.maxInFlightRequestsPerConnection);
  }

  #load(node: Node, purpose: Purpose): NodeLoad {
    const line = this.#line(node, purpose);
    const inFlightCount = line.connection?.inFlightCount ?? 0;
    return { state: this.#loadState(line), inFlightCount, lastAttemptMs: line.lastAttemptMs };
  }

  #loadState({ connection, retryAtMs }: Line): NodeLoad["state"] {
    if (connection === null) return this.#clock.now() >= retryAtMs ? "connectable" : "unavailable";
    if (!connection.wasReady && !isEnding(connection)) return "connecting";
    return this.#hasRoom(connection) ? "ready" : "unavailable";
  }

  #connect(line: Line): void {
    const setupTimeoutMs = this.#setupTimeout(line.attempts);
    line.attempts += 1;
    line.lastAttemptMs = this.#clock.now();
    const options = this.#connectionOptions(setupTimeoutMs, line.avoidAddress);
    const connection = new Connection(line.peer, options, this.#clock, this.#observer, {
      onReady: () => {
        this.#lastReadyAtMs = this.#clock.now();
        line.attempts = 0;
        line.failure = null;
        line.avoidAddress = null;
        this.features.update(connection.versions);
        this.#listener.onChange();
      },
      onRoom: () => this.#listener.onChange(),
      onClosed: (cause) => {
        this.#open.delete(connection);
        if (!connection.wasReady) line.avoidAddress = connection.remoteAddress;
        this.#onClosed(line, cause);
      },
    });
    line.connection = connection;
    this.#open.add(connection);
  }

  #connectionOptions(setupTimeoutMs: number, avoidAddress: string | null): ConnectionOptions {
    const { clientId, requestTimeoutMs, connectionsMaxIdleMs, throttleTimeMaxMs } = this.#options;
    const { receiveMessageMaxBytes, receiveMessageMaxItems, metadataClusterCheckEnable } = this.#options;
    const { security, socketFactory } = this.#options;
    return {
      clientId,
      clusterId: metadataClusterCheckEnable ? this.clusterId : null,
      requestTimeoutMs,
      setupTimeoutMs,
      connectionsMaxIdleMs,
      throttleTimeMaxMs,
      receiveMessageMaxBytes,
      receiveMessageMaxItems,
      tls: security.tls,
      sasl: this.#sasl,
      socketFactory,
      avoidAddress,
    };
  }

  #onClosed(line: Line, cause: Error): void {
    line.connection = null;
    // What we have closed ourselves, such as an idle one, may be made again at once; or its broker is gone from the cluster.
    const isOurs = cause instanceof ClosedError || this.#lines.get(keyOf(line.peer)) !== line;
    if (!isOurs) this.#onLost(line, cause);
    this.#listener.onChange();
  }

  #onLost(line: Line, cause: Error): void {
    const nowMs = this.#clock.now();
    line.failure = { error: cause, atMs: nowMs };
    const backoffMs = this.#reconnectBackoff(Math.max(0, line.attempts - 1));
    line.retryAtMs = nowMs + (isRetriable(cause) ? backoffMs : Math.max(leastRefusedMs, backoffMs));
    if (cause instanceof BrokerError && cause.errorCode === rebootstrapRequired) {
      this.#listener.onRebootstrapRequired(cause);
    }
    this.#listener.onLost();
  }
}

const rebootstrapRequired = codeOf("REBOOTSTRAP_REQUIRED");

const isRetriable = (error: Error): boolean => error instanceof KafkaError && error.retriable;

const keyOf = ({ purpose, ...address }: Omit<LinePeer, "nodeId">): string => `${addressText(address)} ${purpose}`;

const isEnding = ({ state }: Connection): boolean => state === "closing" || state === "closed";
