import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Cluster } from "./cluster.ts";
import { Connection } from "./connection.ts";
import { FetchSessions } from "./fetching/fetch-sessions.ts";
import { State } from "./state.ts";

/**
 * `stopped` refuses connections. `running` serves. `paused` has its connections open, takes new ones, and answers
 * nothing, as a process that was stopped by a signal.
 */
type BrokerState = "stopped" | "running" | "paused";

const arrows: Readonly<Record<BrokerState, readonly BrokerState[]>> = {
  stopped: ["running"],
  running: ["stopped", "paused"],
  paused: ["stopped", "running"],
};

const host = "127.0.0.1";

/** One broker of the cluster: a port on loopback, and who is connected to it. */
export class Broker {
  readonly id: number;
  readonly rack: string | null;
  readonly host: string = host;
  /** The incremental fetch sessions that clients have with it. @internal */
  readonly sessions: FetchSessions;
  readonly #cluster: Cluster;
  readonly #connections = new Set<Connection>();
  /** All that are open, those that are still busy with TLS too. */
  readonly #sockets = new Set<Socket>();
  readonly #state = new State<BrokerState>("stopped", arrows);
  #server: Server | null = null;
  #starting: Promise<void> | null = null;
  #port: number;

  /** @param port 0 for a free one @internal */
  constructor(id: number, port: number, rack: string | null, cluster: Cluster) {
    this.id = id;
    this.rack = rack;
    this.#port = port;
    this.#cluster = cluster;
    this.sessions = new FetchSessions(cluster.clock);
  }

  /** Where it listens; the same after a restart. */
  get port(): number {
    return this.#port;
  }

  get isAlive(): boolean {
    return !this.#state.is("stopped");
  }

  get isPaused(): boolean {
    return this.#state.is("paused");
  }

  /** Begins to serve, on the same port as before. What it led before is led by others until `moveLeader`. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  /** Closes its port and all connections at once. Others take over what it led and coordinated. */
  async stop(): Promise<void> {
    if (this.#starting !== null) await this.#starting.catch(() => {});
    if (this.#state.is("stopped")) return;
    this.#state.to("stopped");
    const server = this.#server;
    this.#server = null;
    const closed = server === null ? null : once(server, "close");
    server?.close();
    this.disconnectAll();
    this.sessions.clear();
    this.#cluster.onBrokerStopped();
    await closed;
  }

  /** Answers nothing from now on. It stays the leader of what it leads: others know nothing of it. */
  pause(): void {
    if (this.#state.is("running")) this.#state.to("paused");
  }

  /** Goes on where `pause` found it. */
  resume(): void {
    if (!this.#state.is("paused")) return;
    this.#state.to("running");
    for (const connection of this.#connections) connection.work();
  }

  /** Closes all connections; clients may connect again at once. */
  disconnectAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #start(): Promise<void> {
    if (!this.#state.is("stopped")) return;
    if (this.#cluster.closing.aborted) throw new Error(`broker ${this.id} cannot start: the cluster was closed`);
    const { tls } = this.#cluster.options;
    const accept = (socket: Socket) => this.#accept(socket);
    const server = tls === null ? createServer(accept) : createTlsServer(tls, accept);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, host);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a broker listens on a TCP port");
    this.#port = address.port;
    this.#server = server;
    this.#state.to("running");
    this.#cluster.onBrokerStarted();
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this, this.#cluster);
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
  }
}
