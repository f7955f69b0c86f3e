import { type Backoff, exponentialBackoff } from "./backoff.ts";
import type { NetworkOptions } from "./client-options.ts";
import type { Clock } from "./clock.ts";
import type { Node } from "./cluster-snapshot.ts";
import { Connection } from "./connection.ts";
import { type Address, addressText } from "./errors.ts";

/**
 * What a connection is for. Each purpose has its own to a broker, so that a heartbeat does not wait behind a fetch
 * that the broker holds for half a second.
 */
export type Purpose = "main" | "fetch" | "coordinator";

/**
 * One address, one purpose: the connection there is, and what came of the attempts before it. By address and not by
 * id, so that the connection to a bootstrap server goes on as that of the broker which it turns out to be.
 */
interface Line {
  readonly address: Address;
  connection: Connection | null;
  failedAttempts: number;
  lastAttemptMs: number;
  /** When another attempt may be made. */
  retryAtMs: number;
  lastError: Error | null;
}

/** What the lines to one node amount to, for `leastLoadedNode`. */
export interface NodeLoad {
  readonly isReady: boolean;
  readonly isConnecting: boolean;
  readonly canConnect: boolean;
  readonly inFlightCount: number;
  readonly lastAttemptMs: number;
}

/**
 * The connections of one client: made on demand, one for each broker and purpose, and made again only after a
 * back-off that grows with every failure. Source: Kafka's `ClusterConnectionStates`.
 */
export class BrokerConnections {
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #reconnectBackoff: Backoff;
  readonly #setupTimeout: Backoff;
  readonly #lines = new Map<string, Line>();

  /** @param wake called when a connection became ready, has room again, or is gone */
  constructor(options: NetworkOptions, clock: Clock, wake: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#wake = wake;
    this.#reconnectBackoff = exponentialBackoff(options.reconnectBackoffMs, options.reconnectBackoffMaxMs);
    this.#setupTimeout = exponentialBackoff(
      options.socketConnectionSetupTimeoutMs,
      options.socketConnectionSetupTimeoutMaxMs,
    );
  }

  /** The connection that takes a request right now; where there is none, one is begun if its back-off allows. */
  ready(node: Node, purpose: Purpose): Connection | null {
    const line = this.#line(node, purpose);
    if (line.connection?.state === "ready") {
      return line.connection.inFlightCount < this.#options.maxInFlightRequestsPerConnection ? line.connection : null;
    }
    if (line.connection === null && this.#clock.now() >= line.retryAtMs) this.#connect(line);
    return null;
  }

  /** When `ready` is worth asking again although nothing woke the caller; `Infinity` where a wake will come. */
  retryAtMs(node: Node, purpose: Purpose): number {
    const line = this.#line(node, purpose);
    return line.connection === null ? line.retryAtMs : Number.POSITIVE_INFINITY;
  }

  /** Why the last attempt failed; `null` after one that did not. */
  lastError(node: Node, purpose: Purpose): Error | null {
    return this.#line(node, purpose).lastError;
  }

  load(node: Node): NodeLoad {
    const { connection, retryAtMs, lastAttemptMs } = this.#line(node, "main");
    return {
      isReady: connection?.state === "ready",
      isConnecting: connection !== null && connection.state !== "ready",
      canConnect: connection === null && this.#clock.now() >= retryAtMs,
      inFlightCount: connection?.inFlightCount ?? 0,
      lastAttemptMs,
    };
  }

  /** Lets go of addresses that no broker has any more. */
  retain(nodes: Iterable<Node>): void {
    const addresses = new Set([...nodes].map(addressText));
    for (const [key, line] of this.#lines) {
      if (addresses.has(addressText(line.address))) continue;
      this.#lines.delete(key);
      void line.connection?.close(this.#options.requestTimeoutMs);
    }
  }

  /** Lets every connection finish what is under way, for `timeoutMs` at most. */
  async close(timeoutMs: number): Promise<void> {
    const connections = [...this.#lines.values()].flatMap(({ connection }) => connection ?? []);
    this.#lines.clear();
    await Promise.all(connections.map((connection) => connection.close(timeoutMs)));
  }

  #line(node: Node, purpose: Purpose): Line {
    const key = `${addressText(node)} ${purpose}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = {
        address: { host: node.host, port: node.port },
        connection: null,
        failedAttempts: 0,
        lastAttemptMs: 0,
        retryAtMs: 0,
        lastError: null,
      };
      this.#lines.set(key, line);
    }
    return line;
  }

  #connect(line: Line): void {
    const { clientId, requestTimeoutMs, receiveMessageMaxBytes } = this.#options;
    const setupTimeoutMs = this.#setupTimeout(line.failedAttempts);
    const options = { clientId, requestTimeoutMs, receiveMessageMaxBytes, setupTimeoutMs };
    line.lastAttemptMs = this.#clock.now();
    line.connection = new Connection(line.address, options, this.#clock, {
      onReady: () => {
        line.failedAttempts = 0;
        line.lastError = null;
        this.#wake();
      },
      onRoom: this.#wake,
      onClosed: (cause) => {
        line.connection = null;
        line.lastError = cause;
        line.retryAtMs = this.#clock.now() + this.#reconnectBackoff(line.failedAttempts);
        line.failedAttempts += 1;
        this.#wake();
      },
    });
  }
}
