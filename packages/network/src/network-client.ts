import type { Api, Fields, Input, Output, VersionBounds } from "@odradek/protocol";
import { Metadata as MetadataApi } from "@odradek/protocol/messages/metadata";
import { BrokerConnections, type Purpose } from "./broker-connections.ts";
import type { NetworkOptions } from "./client-options.ts";
import { Alarm, type Clock } from "./clock.ts";
import type { Node } from "./cluster-snapshot.ts";
import type { Connection } from "./connection.ts";
import type { Deadline } from "./deadline.ts";
import { ClosedError, ConnectionError, TimeoutError } from "./errors.ts";
import { Metadata } from "./metadata.ts";

/** A request, or how to make it once the version is known: some versions name topics, later ones their ids. */
export type Body<Req extends Fields> = Input<Req> | ((version: number) => Input<Req>);

export interface SendOptions {
  /** @default "main" */
  readonly purpose?: Purpose;
  /** Versions that the caller can use, where that is not all of ours. */
  readonly bounds?: VersionBounds;
  /** @default requestTimeoutMs of the client */
  readonly timeoutMs?: number;
}

export interface RequestOptions extends SendOptions {
  /** Whom to ask: a broker by its id, the controller, or whoever is least busy. */
  readonly to: number | "any" | "controller";
  /** Until when to wait for a connection. */
  readonly deadline: Deadline;
}

/**
 * Everything that a client says to its cluster goes through here: it knows who is there, holds the connections, and
 * keeps the metadata true. Nothing above it knows of sockets. Source: Kafka's `NetworkClient`.
 *
 * Two ways to ask: loops that batch (`Sender`, `Fetcher`) look whether a node is `ready` and `send`, and look again when
 * they are woken; calls that just want an answer use `request`, which waits.
 */
export class NetworkClient {
  readonly metadata: Metadata;
  /** For messages of errors: `producer`, `consumer`, `admin client`. */
  readonly #owner: string;
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #connections: BrokerConnections;
  readonly #alarm: Alarm;
  readonly #listeners = new Set<() => void>();
  #isRefreshing = false;
  #isClosed = false;
  #wakeIsQueued = false;

  constructor(owner: string, options: NetworkOptions, clock: Clock) {
    this.#owner = owner;
    this.#options = options;
    this.#clock = clock;
    this.metadata = new Metadata(options, clock, () => this.#refreshIfDue());
    this.#connections = new BrokerConnections(options, clock, () => this.#wake());
    this.#alarm = new Alarm(clock, () => this.#refreshIfDue());
  }

  /** Calls `listener` whenever a connection or the metadata changed, so that a waiting loop may look again. */
  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether a request to the node can be written right now; where not, a connection is begun if its back-off allows. */
  ready(nodeId: number, purpose: Purpose = "main"): boolean {
    const node = this.metadata.snapshot.nodes.get(nodeId);
    return node !== undefined && !this.#isClosed && this.#connections.ready(node, purpose) !== null;
  }

  /** When to ask `ready` again although nothing woke the caller; `Infinity` where a wake will come. */
  retryAtMs(nodeId: number, purpose: Purpose = "main"): number {
    const node = this.metadata.snapshot.nodes.get(nodeId);
    return node === undefined ? Number.POSITIVE_INFINITY : this.#connections.retryAtMs(node, purpose);
  }

  /**
   * Writes a request to a node that is `ready`, at once and in the order of the calls. The promise settles when the
   * answer is there and the buffers that the body refers to are free again.
   *
   * @throws ConnectionError where the node is not ready (any more), UnsupportedVersionError, EncodeError: nothing was written
   */
  async send<Req extends Fields, Res extends Fields>(
    nodeId: number,
    api: Api<Req, Res>,
    body: Body<Req>,
    options: SendOptions = {},
  ): Promise<Output<Res>> {
    const connection = this.#readyConnection(nodeId, options.purpose);
    const version = connection.versions.usableVersion(api, options.bounds);
    return connection.request(api, version, bodyOf(body, version), options.timeoutMs);
  }

  /** The same for a request that has no answer; settles when it was handed to the system. */
  async sendOnly<Req extends Fields>(
    nodeId: number,
    api: Api<Req, Fields>,
    body: Body<Req>,
    options: SendOptions = {},
  ): Promise<void> {
    const connection = this.#readyConnection(nodeId, options.purpose);
    const version = connection.versions.usableVersion(api, options.bounds);
    return connection.send(api, version, bodyOf(body, version));
  }

  /**
   * Waits for a connection, then asks once. It does not ask again: whether that is safe only the caller knows.
   *
   * @throws TimeoutError where no connection came about before the deadline, its cause being the last failure
   */
  async request<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    body: Body<Req>,
    { to, deadline, ...options }: RequestOptions,
  ): Promise<Output<Res>> {
    const purpose = options.purpose ?? "main";
    const node = await this.#waitFor(deadline, `a connection for ${api.name}`, () => {
      const node = this.#resolve(to);
      return node !== null && this.#connections.ready(node, purpose) !== null ? node : null;
    });
    return this.send(node.id, api, body, options);
  }

  /**
   * Waits until `find` finds something in the metadata, asking for updates meanwhile.
   *
   * @throws TimeoutError with `what` where it does not before the deadline, and what `find` throws
   */
  awaitMetadata<T>(deadline: Deadline, what: string, find: () => T | null): Promise<T> {
    return this.#waitFor(deadline, what, () => {
      const found = find();
      if (found === null) this.metadata.requestUpdate();
      return found;
    });
  }

  /**
   * The broker that an arbitrary request goes to: one with nothing under way, else the least busy, else one that is
   * being connected to, else the one whose last attempt is longest ago. `null` where none can be reached for now.
   */
  leastLoadedNode(): Node | null {
    const nodes = [...this.metadata.snapshot.nodes.values()];
    const start = Math.floor(Math.random() * nodes.length);
    let ready: { node: Node; inFlightCount: number } | null = null;
    let connecting: Node | null = null;
    let connectable: { node: Node; lastAttemptMs: number } | null = null;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[(start + i) % nodes.length];
      if (node === undefined) continue;
      const load = this.#connections.load(node);
      if (load.isReady) {
        if (load.inFlightCount === 0) return node;
        if (ready === null || load.inFlightCount < ready.inFlightCount) ready = { node, ...load };
      } else if (load.isConnecting) {
        connecting = node;
      } else if (load.canConnect && (connectable === null || load.lastAttemptMs < connectable.lastAttemptMs)) {
        connectable = { node, ...load };
      }
    }
    return ready?.node ?? connecting ?? connectable?.node ?? null;
  }

  /** Says that the metadata seems to be wrong: it is asked for again as soon as the back-off allows. */
  requestUpdate(): void {
    this.metadata.requestUpdate();
  }

  /** Something changed that a loop may wait for. Also the way to have due metadata looked after at once. */
  wake(): void {
    this.#wake();
  }

  /**
   * Takes no more requests, lets those under way finish for `timeoutMs`, closes every connection. Who still waits for
   * one gets a ClosedError. Afterwards no socket and no timer is left.
   */
  async close({ timeoutMs = this.#options.requestTimeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#isClosed = true;
    this.#alarm.cancel();
    this.#wake();
    await this.#connections.close(timeoutMs);
  }

  #readyConnection(nodeId: number, purpose: Purpose = "main"): Connection {
    if (this.#isClosed) throw new ClosedError(this.#owner);
    const node = this.metadata.snapshot.nodes.get(nodeId);
    if (node === undefined) throw new ConnectionError({ host: `node ${nodeId}`, port: 0 }, "no such broker is known");
    const connection = this.#connections.ready(node, purpose);
    if (connection === null) throw new ConnectionError(node, "not ready");
    return connection;
  }

  #resolve(to: RequestOptions["to"]): Node | null {
    const { nodes, controllerId } = this.metadata.snapshot;
    if (to === "any") return this.leastLoadedNode();
    if (to === "controller") return controllerId === null ? null : (nodes.get(controllerId) ?? null);
    return nodes.get(to) ?? null;
  }

  /** Looks at every wake, and when a back-off ends, whether `find` finds. */
  #waitFor<T>(deadline: Deadline, what: string, find: () => T | null): Promise<T> {
    return new Promise((resolve, reject) => {
      const alarm = new Alarm(this.#clock, () => look());
      const unsubscribe = this.onWake(() => look());
      const end = (settle: () => void) => {
        unsubscribe();
        alarm.cancel();
        settle();
      };
      const look = () => {
        try {
          if (this.#isClosed) throw new ClosedError(this.#owner);
          const found = find();
          if (found !== null) return end(() => resolve(found));
          if (deadline.isOver) throw new TimeoutError(what, deadline.timeoutMs, { cause: this.#lastError() });
        } catch (error) {
          return end(() => reject(error));
        }
        this.#refreshIfDue();
        alarm.set(Math.min(deadline.atMs, this.#nextRetryAtMs()));
      };
      look();
    });
  }

  /** Asks for metadata if it is time, and sees to it that it will be. One question at a time. */
  #refreshIfDue(): void {
    if (this.#isRefreshing || this.#isClosed) return;
    const nowMs = this.#clock.now();
    const dueAtMs = this.metadata.dueAtMs;
    if (dueAtMs > nowMs) {
      this.#alarm.set(dueAtMs);
      return;
    }
    const node = this.leastLoadedNode();
    const connection = node === null ? null : this.#connections.ready(node, "main");
    if (connection === null) {
      // Either a connection is being made, and its end wakes us, or all back off.
      this.#alarm.set(Math.max(nowMs + 1, this.#nextRetryAtMs()));
      return;
    }
    this.#isRefreshing = true;
    this.metadata.started();
    this.#askForMetadata(connection)
      .catch(() => this.metadata.failed())
      .finally(() => {
        this.#isRefreshing = false;
        this.#wake();
      });
  }

  async #askForMetadata(connection: Connection): Promise<void> {
    const version = connection.versions.usableVersion(MetadataApi);
    const topics = this.metadata.question?.map((name) => ({ name })) ?? null;
    const response = await connection.request(MetadataApi, version, {
      topics,
      allowAutoTopicCreation: this.#options.allowAutoCreateTopics ?? true,
    });
    this.metadata.update(response, version);
    this.#connections.retain(this.metadata.snapshot.nodes.values());
  }

  #nextRetryAtMs(): number {
    const nodes = [...this.metadata.snapshot.nodes.values()];
    return nodes.reduce(
      (nearest, node) => Math.min(nearest, this.#connections.retryAtMs(node, "main")),
      Number.POSITIVE_INFINITY,
    );
  }

  #lastError(): Error | null {
    for (const node of this.metadata.snapshot.nodes.values()) {
      const error = this.#connections.lastError(node, "main");
      if (error !== null) return error;
    }
    return null;
  }

  /** Listeners run in a turn of their own: many changes in one turn wake once, and nobody is called in the midst of a change. */
  #wake(): void {
    if (this.#wakeIsQueued) return;
    this.#wakeIsQueued = true;
    queueMicrotask(() => {
      this.#wakeIsQueued = false;
      this.#refreshIfDue();
      for (const listener of [...this.#listeners]) listener();
    });
  }
}

const bodyOf = <Req extends Fields>(body: Body<Req>, version: number): Input<Req> =>
  typeof body === "function" ? body(version) : body;
