import type { Api, Fields, Input, Output } from "@odradek/protocol";
import { BrokerConnections } from "./broker-connections.ts";
import type { NetworkOptions } from "./client-options.ts";
import { Alarm, type Clock } from "./clock.ts";
import type { Node } from "./cluster-snapshot.ts";
import type { Connection } from "./connection.ts";
import type { Purpose } from "./connection-peer.ts";
import { Deadline } from "./deadline.ts";
import { type AuthenticationError, ClosedError, ConnectionError, TimeoutError } from "./errors.ts";
import { Metadata } from "./metadata.ts";
import { MetadataUpdater } from "./metadata-updater.ts";
import type { Logger } from "./observation/logger.ts";
import type { ClientKind, Metric } from "./observation/metric-registry.ts";
import { NetworkObserver } from "./observation/network-observer.ts";
import type { Body, RequestOptions, SendOptions, WaitOptions } from "./request-options.ts";
import { WakeSignal } from "./wake-signal.ts";

/** Whom a wait is for. */
interface Addressees {
  readonly nodes: readonly Node[];
  readonly purpose: Purpose;
  /** False where metadata must tell first who it is; the nodes are those that metadata can come from. */
  readonly areKnown: boolean;
}

/** Whom a wait is for that only time ends. */
const nobody: Addressees = Object.freeze({ nodes: [], purpose: "main", areKnown: true });

/** Something that is waited for. */
interface Wait<T> {
  /** For the message of an error, such as "CreateTopics to the controller". */
  readonly what: string;
  readonly deadline: Deadline;
  readonly signal?: AbortSignal | undefined;
  readonly addressees: () => Addressees;
  /** Looks whether it is there, after every change; `null` where it is not yet. */
  readonly look: () => T | Promise<T> | null;
}

/**
 * Everything that a client says to its cluster goes through here: it knows who is there, holds the connections, and
 * keeps the metadata true. Nothing above it knows of sockets. Source: Kafka's `NetworkClient`.
 *
 * Two ways to ask: loops that batch (`Sender`, `Fetcher`) look whether a node is `ready` and `send`, and look again
 * when they are woken; calls that just want an answer use `request`, which waits.
 */
export class NetworkClient {
  readonly metadata: Metadata;
  /** Where measurements go, and what is said of connections. */
  readonly observer: NetworkObserver;
  /** For messages of errors. */
  readonly #owner: string;
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #connections: BrokerConnections;
  readonly #updater: MetadataUpdater;
  readonly #signal = new WakeSignal();
  #isClosed = false;

  constructor(kind: ClientKind, options: NetworkOptions, clock: Clock) {
    this.#owner = kind.replace("-", " ");
    this.#options = options;
    this.#clock = clock;
    const { clientId, logger, diagnostics } = options;
    const sampling = { numSamples: options.metricsNumSamples, sampleWindowMs: options.metricsSampleWindowMs };
    this.observer = new NetworkObserver({ kind, clientId, logger, diagnostics, clock, ...sampling });
    this.metadata = new Metadata(options, clock, () => this.#updater.updateIfDue());
    this.#connections = new BrokerConnections(options, clock, this.observer, {
      onChange: () => this.#signal.wake(),
      // What is known of the cluster may be why.
      onLost: () => this.metadata.suspect(),
      onRebootstrapRequired: (cause) => this.#updater.rebootstrap(cause.message),
    });
    this.#updater = new MetadataUpdater(this.metadata, this.#connections, clock, {
      ...options,
      logger: this.observer.logger,
      allowAutoTopicCreation: options.allowAutoCreateTopics ?? true,
      onUpdate: () => {
        this.observer.retainNodes(this.metadata.snapshot.nodes.keys());
        this.#signal.wake();
      },
    });
    // The first to listen: metadata goes before the requests that others have for a node that became ready.
    this.#signal.onWake(() => this.#updater.updateIfDue());
    warnOfRisks(options, this.observer.logger);
  }

  /** Calls `listener` whenever a connection or the metadata changed, so that a waiting loop may look again. */
  onWake(listener: () => void): () => void {
    return this.#signal.onWake(listener);
  }

  /** Whether the node takes a request right now; where there is no connection, one is begun if its back-off allows. */
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
   * @throws ConnectionError where the node is not ready (any more), UnsupportedVersionError, EncodeError: nothing was
   *   written. ConnectionError, TimeoutError, ClosedError where the answer does not come: it may have been carried out
   */
  async send<Req extends Fields, Res extends Fields>(
    nodeId: number,
    api: Api<Req, Res>,
    body: Body<Req>,
    options: SendOptions = {},
  ): Promise<Output<Res>> {
    return ask(this.#readyConnection(nodeId, options.purpose), api, body, options);
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
   * @throws TimeoutError where there was no answer before the deadline, its cause being why there was no connection;
   *   a request that was sent may have been carried out. ConnectionError at once where nobody in the cluster is a
   *   broker; AuthenticationError where the one to ask does not let us in; the reason of the signal. Else the same as `send`
   */
  request<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    body: Body<Req>,
    { to, deadline, signal, ...options }: RequestOptions,
  ): Promise<Output<Res>> {
    const what = `${api.name} to ${typeof to === "number" ? `broker ${to}` : addresseeTexts[to]}`;
    const addressees = () => this.#addressees(to, options.purpose);
    return this.#waitFor({
      what,
      deadline,
      signal,
      addressees,
      // Sent in the same turn in which the connection was found: later it may have no room any more.
      look: () => {
        const { nodes, purpose, areKnown } = addressees();
        if (!areKnown) this.metadata.wantUpdate();
        if (!areKnown || deadline.isOver) return null;
        // Before another connection is begun, which would hide it: what one broker has refused is not shown to all of them.
        const refusal = this.#connections.authenticationError(nodes, purpose);
        if (refusal !== null) throw refusal;
        const connection = this.#connections.leastLoaded(nodes, purpose);
        return connection === null ? null : this.#before(deadline, signal, what, ask(connection, api, body, options));
      },
    });
  }

  /**
   * Waits until `find` finds something in the metadata, asking for updates meanwhile.
   *
   * @throws TimeoutError with `what` where it does not before the deadline; ConnectionError, AuthenticationError,
   *   UnsupportedVersionError at once where nobody who could be asked has metadata for us; the reason of the signal; and
   *   what `find` throws
   */
  awaitMetadata<T>(deadline: Deadline, what: string, find: () => T | null, { signal }: WaitOptions = {}): Promise<T> {
    return this.#waitFor({
      what,
      deadline,
      signal,
      addressees: () => this.#sourcesOfMetadata(),
      look: () => {
        const found = find();
        if (found === null) this.metadata.wantUpdate();
        return found;
      },
    });
  }

  /**
   * Waits until the deadline, as before another attempt.
   *
   * @throws ClosedError at once when the client is closed; ConnectionError where nobody in the cluster is a broker
   */
  async pause(deadline: Deadline, { signal }: WaitOptions = {}): Promise<void> {
    await this.#waitFor({
      what: "waiting",
      deadline,
      signal,
      addressees: () => nobody,
      look: () => (deadline.isOver ? true : null),
    });
  }

  /**
   * Why requests to a node are in vain for now: it does not let us in. `null` where it does, or the next attempt is due. Loops
   * look at it where `ready` says no, and tell their users.
   */
  authenticationError(nodeId: number, purpose: Purpose = "main"): AuthenticationError | null {
    const node = this.metadata.snapshot.nodes.get(nodeId);
    return node === undefined ? null : this.#connections.authenticationError([node], purpose);
  }

  /** How the last connection to a node ended, or came to nothing: for the message of a time-out. `null` while there is one. */
  lastError(nodeId: number, purpose: Purpose = "main"): Error | null {
    const node = this.metadata.snapshot.nodes.get(nodeId);
    return node === undefined ? null : this.#connections.lastError([node], purpose);
  }

  /** Why nothing can be learned of the cluster: nobody in it is a broker, lets us in, or has metadata that we could read. */
  get fatalError(): Error | null {
    return this.#fatalError(this.#sourcesOfMetadata());
  }

  /** The level of a feature that the cluster has settled on, such as `transaction.version`; 0 where it does not say. */
  featureLevel(feature: string): number {
    return this.#connections.features.level(feature);
  }

  /** What was measured so far: one value for each name, group and set of tags. */
  metrics(): Metric[] {
    return this.observer.registry.metrics();
  }

  /**
   * The broker that an arbitrary request goes to: the least busy of those that are ready, else one that is being
   * connected to, else the one whose last attempt is longest ago. `null` where none can be reached for now.
   */
  leastLoadedNode(): Node | null {
    return this.#connections.leastLoadedNode(this.#nodes(), "main");
  }

  /** Says that the metadata seems to be wrong: it is asked for again as soon as the back-off allows. */
  requestUpdate(): void {
    this.metadata.requestUpdate();
  }

  /** Says that something changed that a loop may wait for. */
  wake(): void {
    this.#signal.wake();
  }

  /**
   * Takes no more requests, lets those under way finish for `timeoutMs`, closes every connection. Who still waits for
   * one gets a ClosedError. Afterwards no socket and no timer is left. May be called again, with less time.
   *
   * @throws OptionsError for a time that is none; the client stays open
   */
  async close({ timeoutMs = this.#options.requestTimeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs: waitMs } = new Deadline(this.#clock, timeoutMs);
    this.#isClosed = true;
    this.#updater.close();
    this.#signal.wake();
    await this.#connections.close(waitMs);
  }

  #readyConnection(nodeId: number, purpose: Purpose = "main"): Connection {
    if (this.#isClosed) throw new ClosedError(this.#owner);
    const node = this.metadata.snapshot.nodes.get(nodeId);
    if (node === undefined) throw new ConnectionError(null, `broker ${nodeId} is not known`);
    const connection = this.#connections.ready(node, purpose);
    if (connection === null) throw new ConnectionError(node, "not ready");
    return connection;
  }

  #nodes(): Node[] {
    return [...this.metadata.snapshot.nodes.values()];
  }

  #sourcesOfMetadata(): Addressees {
    return { nodes: this.#nodes(), purpose: "main", areKnown: false };
  }

  #addressees(to: RequestOptions["to"], purpose: Purpose = "main"): Addressees {
    const { nodes, controllerId } = this.metadata.snapshot;
    // Nobody is known while the names of the bootstrap servers are being looked up.
    if (to === "any" && nodes.size > 0) return { nodes: this.#nodes(), purpose, areKnown: true };
    if (to === "any") return this.#sourcesOfMetadata();
    const id = to === "controller" ? controllerId : to;
    const node = id === null ? undefined : nodes.get(id);
    return node === undefined ? this.#sourcesOfMetadata() : { nodes: [node], purpose, areKnown: true };
  }

  /** Looks after every change, and when a back-off ends. */
  #waitFor<T>({ what, deadline, signal, addressees, look }: Wait<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const alarm = new Alarm(this.#clock, () => check());
      const unsubscribe = this.onWake(() => check());
      const abort = () => end(() => reject(signal?.reason));
      const end = (settle: () => void) => {
        unsubscribe();
        alarm.cancel();
        signal?.removeEventListener("abort", abort);
        settle();
      };
      const check = () => {
        try {
          if (this.#isClosed) throw new ClosedError(this.#owner);
          // Before the look, for which the end may be what it waits for.
          const { isOver } = deadline;
          const found = look();
          if (found !== null) return end(() => resolve(found));
          const whom = addressees();
          const fatal = this.#fatalError(whom);
          if (fatal !== null) throw fatal;
          if (isOver) throw this.#timeoutError(what, deadline, whom);
          alarm.set(Math.min(deadline.atMs, this.#nextRetryAtMs(whom)));
        } catch (error) {
          end(() => reject(error));
        }
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      check();
    });
  }

  /** The answer, if it comes before the deadline and the signal. Else it is dropped when it comes, and its connection goes on. */
  #before<T>(deadline: Deadline, signal: AbortSignal | undefined, what: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      const timer = this.#clock.after(deadline.remainingMs, () => reject(new TimeoutError(what, deadline.timeoutMs)));
      signal?.addEventListener("abort", abort);
      answer.then(resolve, reject).finally(() => {
        timer.cancel();
        signal?.removeEventListener("abort", abort);
      });
    });
  }

  /**
   * Why waiting is in vain: nobody in the cluster is a broker, who is asked does not let us in, or none has metadata where
   * that is needed. One node alone that is no broker does not make it vain: its broker may be about to move, and its port be
   * somebody else's by now.
   */
  #fatalError({ nodes, purpose, areKnown }: Addressees): Error | null {
    return (
      this.#connections.fatalError(this.#nodes(), purpose) ??
      this.#connections.authenticationError(nodes, purpose) ??
      (areKnown ? null : this.#updater.fatalError)
    );
  }

  /** Metadata that is missing is asked for by the updater, and its answer wakes us. */
  #nextRetryAtMs({ nodes, purpose, areKnown }: Addressees): number {
    return areKnown ? this.#connections.nextRetryAtMs(nodes, purpose) : Number.POSITIVE_INFINITY;
  }

  #timeoutError(what: string, deadline: Deadline, { nodes, purpose, areKnown }: Addressees): TimeoutError {
    const cause = this.#connections.lastError(nodes, purpose) ?? (areKnown ? null : this.#updater.lastError);
    return new TimeoutError(what, deadline.timeoutMs, { cause: cause ?? undefined });
  }
}

const addresseeTexts = { any: "any broker", controller: "the controller" };

function ask<Req extends Fields, Res extends Fields>(
  connection: Connection,
  api: Api<Req, Res>,
  body: Body<Req>,
  { bounds, timeoutMs }: SendOptions,
): Promise<Output<Res>> {
  const version = connection.versions.usableVersion(api, bounds);
  return connection.request(api, version, bodyOf(body, version), timeoutMs);
}

const bodyOf = <Req extends Fields>(body: Body<Req>, version: number): Input<Req> =>
  typeof body === "function" ? body(version) : body;

/** Says once, where somebody listens, what its user may not have meant. */
function warnOfRisks({ security: { protocol, tls, sasl }, socketFactory }: NetworkOptions, logger: Logger): void {
  // What a factory gives may be encrypted already.
  if (sasl !== null && tls === null && socketFactory === null)
    logger.warn(`${protocol}: credentials travel without encryption, set ssl`);
  if (tls?.isVerifying === false)
    logger.warn("ssl.rejectUnauthorized is false: whoever answers is taken for the broker");
}
