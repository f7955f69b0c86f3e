import { BrokerError, UnsupportedVersionError } from "@odradek/protocol";
import { Metadata as MetadataApi, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import { canonicalServers, type NameResolver, systemResolver, warnOfLocal } from "./bootstrap-servers.ts";
import type { BrokerConnections } from "./broker-connections.ts";
import type { ResolvedClientOptions } from "./client-options.ts";
import { Alarm, type Clock } from "./clock.ts";
import { bootstrapSnapshot, type Node } from "./cluster-snapshot.ts";
import type { Connection } from "./connection.ts";
import { controllerMetadata } from "./controller-metadata.ts";
import { type Address, ConnectionError } from "./errors.ts";
import type { Metadata } from "./metadata.ts";
import { type MetadataQuestion, questionBody } from "./metadata-question.ts";
import { State } from "./state.ts";

const updaterStates = () =>
  new State("idle", {
    idle: ["resolving", "asking", "dormant", "closed"], // waits for an update to be due, or for a broker to ask
    resolving: ["idle", "closed"], // looks up what the names of the bootstrap servers stand for
    asking: ["idle", "dormant", "closed"], // one question at a time
    dormant: ["idle", "closed"], // nobody tells us anything: asks again only when somebody wants it to
    closed: [],
  });

/** Less would close connections that are just being made. */
const leastTriggerMs = 1_000;

type CommonOptions =
  | "clientDnsLookup"
  | "logger"
  | "metadataMaxAgeMs"
  | "metadataRecoveryRebootstrapTriggerMs"
  | "metadataRecoveryStrategy";

export interface MetadataUpdaterOptions extends Pick<ResolvedClientOptions, CommonOptions> {
  /** Whether a question may create the topics that it asks for, where the broker does that. */
  readonly allowAutoTopicCreation: boolean;
  /** Whether controllers are asked for one another, in place of brokers. @default false */
  readonly asksControllers?: boolean;
  /** Called after every answer, and after every question that came to nothing. */
  readonly onUpdate: () => void;
  /** @default the system's */
  readonly resolver?: NameResolver;
}

/** What an updater needs of the connections. */
export type MetadataConnections = Pick<
  BrokerConnections,
  | "authenticationError"
  | "clusterId"
  | "fatalError"
  | "isAlive"
  | "lastReadyAtMs"
  | "leastLoaded"
  | "nextRetryAtMs"
  | "reset"
  | "retain"
  | "retryAtMs"
>;

/**
 * Asks the cluster for metadata whenever that is due, and begins again with the bootstrap servers where the brokers that are
 * known lead nowhere (KIP-899, KIP-1102). Source: Kafka's `DefaultMetadataUpdater`.
 */
export class MetadataUpdater {
  readonly #metadata: Metadata;
  readonly #connections: MetadataConnections;
  readonly #clock: Clock;
  readonly #options: MetadataUpdaterOptions;
  readonly #alarm: Alarm;
  readonly #state = updaterStates();
  readonly #isCanonical: boolean;
  /** How long to wait for an answer before beginning again. */
  readonly #triggerMs: number;
  #bootstrapNodes: readonly Node[];
  /** Since when updates were due and no answer came; `null` while none is due. */
  #waitingSinceMs: number | null = null;
  /** Since when it rests. */
  #restingSinceMs = Number.NEGATIVE_INFINITY;
  #hasWarned = false;
  #lastError: Error | null = null;

  constructor(metadata: Metadata, connections: MetadataConnections, clock: Clock, options: MetadataUpdaterOptions) {
    this.#metadata = metadata;
    this.#connections = connections;
    this.#clock = clock;
    this.#options = options;
    this.#alarm = new Alarm(clock, () => this.#onAlarm());
    this.#isCanonical = options.clientDnsLookup === "resolve_canonical_bootstrap_servers_only";
    const triggerMs = Math.max(options.metadataRecoveryRebootstrapTriggerMs, leastTriggerMs);
    this.#triggerMs = this.#mayRebootstrap ? triggerMs : Number.POSITIVE_INFINITY;
    this.#bootstrapNodes = nodesAt(metadata.bootstrapServers);
  }

  /** Why the last question came to nothing; `null` where it did not. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** The last error if asking again will not mend it: the brokers have no metadata that we could read. */
  get fatalError(): Error | null {
    return this.#lastError instanceof UnsupportedVersionError ? this.#lastError : null;
  }

  /** Asks if it is time and somebody can be asked, and else sees to it that it will be looked at again. */
  updateIfDue(): void {
    const isAwoken = this.#state.is("dormant") && this.#isWorthAnAttempt();
    if (isAwoken) this.#state.to("idle");
    else if (this.#state.is("dormant")) this.#alarm.set(this.#nextAttemptAtMs);
    if (!this.#state.is("idle")) return;
    const nowMs = this.#clock.now();
    const dueAtMs = this.#metadata.dueAtMs;
    if (dueAtMs > nowMs) {
      this.#alarm.set(dueAtMs);
      return;
    }
    this.#waitingSinceMs ??= nowMs;
    if (nowMs >= this.#overdueAtMs) this.rebootstrap(this.#overdueText);
    else if (this.#isAstray()) this.rebootstrap("no broker that is known can be reached");
    const refusal = isAwoken ? null : this.#refusal();
    if (refusal === null) this.#askSomebody();
    else this.#rest(refusal);
  }

  /**
   * Begins again with the bootstrap servers, unless the user does not want that: all connections are closed, and nobody
   * is known but them.
   *
   * @param reason for logs, and for what was under way
   */
  rebootstrap(reason: string): void {
    if (!this.#mayRebootstrap || this.#state.is("closed")) return;
    this.#options.logger.info("begins again with the bootstrap servers", { reason });
    this.#waitingSinceMs = this.#clock.now();
    this.#metadata.rebootstrap(this.#isCanonical ? [] : this.#metadata.bootstrapServers);
    this.#connections.clusterId = null;
    this.#connections.reset(new ConnectionError(null, `beginning again with the bootstrap servers: ${reason}`));
    if (this.#state.is("dormant")) this.#state.to("idle");
  }

  /** Asks nobody any more; an answer that is under way is not looked at. */
  close(): void {
    if (!this.#state.is("closed")) this.#state.to("closed");
    this.#alarm.cancel();
  }

  get #mayRebootstrap(): boolean {
    return this.#options.metadataRecoveryStrategy === "rebootstrap";
  }

  get #nodes(): readonly Node[] {
    return [...this.#metadata.snapshot.nodes.values()];
  }

  get #overdueAtMs(): number {
    return (this.#waitingSinceMs ?? Number.POSITIVE_INFINITY) + this.#triggerMs;
  }

  get #overdueText(): string {
    return `no metadata for ${this.#triggerMs} ms`;
  }

  #onAlarm(): void {
    // What is under way ends with its connection, and is asked again elsewhere.
    if (this.#state.is("asking")) this.rebootstrap(this.#overdueText);
    else this.updateIfDue();
  }

  /**
   * Whether bootstrap servers may know more than the brokers that are known, of which none can be reached for now or none
   * is one. Where the servers cannot be reached either, nothing is gained by forgetting who leads what.
   */
  #isAstray(): boolean {
    const nodes = this.#nodes;
    // Who gets on with a broker, for whatever purpose, is not astray, and would lose that connection.
    if (!this.#mayRebootstrap || nodes.length === 0 || this.#connections.isAlive) return false;
    const areAway = (all: readonly Node[]) => all.every((node) => this.#isBackingOff(node));
    const areHopeless = (all: readonly Node[]) => this.#connections.fatalError(all, "main") !== null;
    return [areAway, areHopeless].some((are) => are(nodes) && !are(this.#bootstrapNodes));
  }

  #isBackingOff(node: Node): boolean {
    const retryAtMs = this.#connections.retryAtMs(node, "main");
    return retryAtMs > this.#clock.now() && retryAtMs < Number.POSITIVE_INFINITY;
  }

  /** Why no broker tells us anything, where another attempt would not mend it. */
  #refusal(): Error | null {
    const nodes = this.#nodes;
    return this.#connections.fatalError(nodes, "main") ?? this.#connections.authenticationError(nodes, "main");
  }

  /** Asks no more by itself: a password that is wrong would be sent again and again. */
  #rest(refusal: Error): void {
    this.#metadata.started();
    this.#failed(refusal);
    this.#state.to("dormant");
    this.#restingSinceMs = this.#clock.now();
    // Nobody is waited for: what counts is the time from the next attempt on.
    this.#waitingSinceMs = null;
    this.#alarm.set(this.#nextAttemptAtMs);
  }

  /** When an updater that rests is worth another look: somebody wants it, or gets on with the brokers that refused it. */
  get #nextAttemptAtMs(): number {
    if (this.#metadata.isWanted) return this.#metadata.dueAtMs;
    return this.#connections.isAlive ? this.#restingSinceMs + this.#options.metadataMaxAgeMs : Number.POSITIVE_INFINITY;
  }

  /** Whether somebody wants another attempt by now, or was let in where it was refused. */
  #isWorthAnAttempt(): boolean {
    const nowMs = this.#clock.now();
    if (this.#metadata.isWanted && this.#metadata.dueAtMs <= nowMs) return true;
    if (this.fatalError === null && this.#connections.lastReadyAtMs > this.#restingSinceMs) return true;
    return this.#connections.isAlive && nowMs >= this.#restingSinceMs + this.#options.metadataMaxAgeMs;
  }

  #askSomebody(): void {
    const nodes = this.#nodes;
    if (nodes.length === 0) {
      void this.#resolve();
      return;
    }
    const connection = this.#connections.leastLoaded(nodes, "main");
    if (connection !== null) void this.#ask(connection);
    else this.#alarm.set(Math.min(this.#connections.nextRetryAtMs(nodes, "main"), this.#overdueAtMs));
  }

  async #resolve(): Promise<void> {
    this.#state.to("resolving");
    this.#alarm.cancel();
    try {
      const { resolver = systemResolver, logger } = this.#options;
      const servers = await canonicalServers(this.#metadata.bootstrapServers, resolver, logger);
      this.#bootstrapNodes = nodesAt(servers);
      this.#metadata.rebootstrap(servers);
    } catch (error) {
      this.#metadata.started();
      this.#failed(error);
    }
    this.#ended("idle");
  }

  async #ask(connection: Connection): Promise<void> {
    this.#state.to("asking");
    this.#alarm.set(this.#overdueAtMs);
    const question = this.#metadata.started();
    try {
      const isOfControllers = this.#options.asksControllers === true;
      const answer = isOfControllers ? controllerMetadata(connection) : this.#askBroker(connection, question);
      const { response, version } = await answer;
      this.#refuseOtherCluster(response, connection);
      this.#metadata.update(response, version);
      this.#connections.clusterId = this.#metadata.snapshot.clusterId;
      this.#connections.retain(this.#nodes);
      this.#waitingSinceMs = null;
      this.#lastError = null;
      if (!this.#hasWarned) this.#hasWarned = warnOfLocal(connection.peer, this.#nodes, this.#options.logger);
    } catch (error) {
      this.#failed(error);
      if (error instanceof BrokerError && error.code === "REBOOTSTRAP_REQUIRED") this.rebootstrap(error.message);
    }
    if (this.fatalError !== null) this.#restingSinceMs = this.#clock.now();
    this.#ended(this.fatalError === null ? "idle" : "dormant");
  }

  async #askBroker(connection: Connection, question: MetadataQuestion) {
    const version = connection.versions.usableVersion(MetadataApi);
    const body = questionBody(question, version, this.#options.allowAutoTopicCreation);
    return { response: await connection.request(MetadataApi, version, body), version };
  }

  #failed(error: unknown): void {
    this.#metadata.failed();
    this.#lastError = error instanceof Error ? error : new Error(String(error));
  }

  #ended(next: "idle" | "dormant"): void {
    if (this.#state.is("closed")) return;
    this.#state.to(next);
    this.#alarm.cancel();
    this.#options.onUpdate();
  }

  /** A broker of another cluster, behind an address that was of ours, would have us write to its topics. */
  #refuseOtherCluster({ clusterId }: MetadataResponse, connection: Connection): void {
    const known = this.#metadata.snapshot.clusterId;
    if (known === null || clusterId === null || clusterId === known) return;
    const reason = `the broker is of cluster ${clusterId.slice(0, 80)}, and those that are known are of ${known}`;
    const error = new ConnectionError(connection.peer, reason, { retriable: false });
    connection.destroy(error);
    throw error;
  }
}

const nodesAt = (servers: readonly Address[]): readonly Node[] => [...bootstrapSnapshot(servers).nodes.values()];
