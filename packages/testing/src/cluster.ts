import type { RequestHeader } from "@odradek/protocol";
import { type ApiRange, advertisedApis } from "./advertised-apis.ts";
import { Broker } from "./broker.ts";
import type { Clock } from "./clock.ts";
import type { ResolvedOptions } from "./cluster-options.ts";
import { type CoordinatorType, coordinatorType } from "./coordinator-type.ts";
import { Faults } from "./faults/faults.ts";
import { Journal } from "./faults/journal.ts";
import { ClassicGroup } from "./groups/classic-group.ts";
import { GroupCoordinator } from "./groups/group-coordinator.ts";
import { handlers } from "./handlers/index.ts";
import type { KafkaVersion } from "./kafka-version.ts";
import { LogManager } from "./log/log-manager.ts";
import { randomUuid } from "./topics/topic.ts";
import { Topics } from "./topics/topics.ts";
import { TransactionCoordinator } from "./transactions/transaction-coordinator.ts";

/** All that the brokers have in common: they are one process, and what one knows the others know at once. */
export class Cluster {
  readonly id: string = randomUuid();
  readonly version: KafkaVersion;
  /** What the brokers speak. */
  readonly apis: readonly ApiRange[];
  readonly clock: Clock;
  readonly options: ResolvedOptions;
  readonly brokers: readonly Broker[];
  readonly topics: Topics;
  readonly logs: LogManager;
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  readonly faults: Faults = new Faults();
  readonly journal: Journal = new Journal();
  /** Who coordinates a key, where it was moved. */
  readonly #moved = new Map<string, number>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | null = null;

  constructor(options: ResolvedOptions) {
    this.options = options;
    this.version = options.version;
    const apis = Object.values(handlers).map(({ api }) => api);
    this.apis = advertisedApis(options.version, apis);
    this.clock = options.clock;
    this.brokers = Array.from({ length: options.brokers }, (_, index) => {
      const port = options.port === 0 ? 0 : options.port + index;
      return new Broker(index + 1, port, options.racks[index] ?? null, this);
    });
    this.topics = new Topics(
      this.clock,
      this.brokers.map(({ id }) => id),
      options.topicDefaults,
      (id) => this.isAlive(id),
      () => this.groups.onTopicsChanged(),
    );
    this.logs = new LogManager(this.clock, () => this.topics.logs());
    this.groups = new GroupCoordinator(this.clock, this.topics, options.groups);
    this.transactions = new TransactionCoordinator(this.clock, this.topics, this.groups, options.transactions);
  }

  async start(): Promise<void> {
    // All of them have to be settled before one that failed can be told of, so that the others can be stopped.
    const started = await Promise.allSettled(this.brokers.map((broker) => broker.start()));
    for (const each of started) if (each.status === "rejected") throw each.reason;
    this.logs.start(this.options.logs);
    this.groups.start();
  }

  /** Aborted from the moment on in which the cluster is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  broker(id: number): Broker | undefined {
    return this.brokers.find((broker) => broker.id === id);
  }

  isAlive(id: number): boolean {
    return this.broker(id)?.isAlive ?? false;
  }

  /** Those that serve. */
  get live(): readonly Broker[] {
    return this.brokers.filter(({ isAlive }) => isAlive);
  }

  /** In KRaft any broker is named, since all of them pass requests on to the controller. */
  get controllerId(): number {
    return this.live[0]?.id ?? -1;
  }

  onBrokerStarted(): void {
    this.topics.elect();
  }

  onBrokerStopped(): void {
    if (!this.closing.aborted) this.topics.elect();
  }

  /** Who coordinates a group or a transactional id; `undefined` where no broker lives. */
  coordinatorOf(type: CoordinatorType, key: string): Broker | undefined {
    const moved = this.broker(this.#moved.get(`${type}:${key}`) ?? -1);
    if (moved?.isAlive === true) return moved;
    const first = hashCode(key) % this.brokers.length;
    return [...this.brokers.slice(first), ...this.brokers.slice(0, first)].find(({ isAlive }) => isAlive);
  }

  moveCoordinator(type: CoordinatorType, key: string, brokerId: number): void {
    const before = this.coordinatorOf(type, key)?.id;
    this.#moved.set(`${type}:${key}`, brokerId);
    const membership = type === coordinatorType.group ? this.groups.get(key)?.membership : undefined;
    if (before !== brokerId && membership instanceof ClassicGroup) membership.resign();
  }

  /** Tells whoever follows along of a request. */
  observe(brokerId: number, api: string, header: RequestHeader): void {
    this.options.onRequest?.({ broker: brokerId, api, apiVersion: header.apiVersion, clientId: header.clientId ?? "" });
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.logs.close();
    this.groups.close();
    this.transactions.close();
    await Promise.all(this.brokers.map((broker) => broker.stop()));
  }
}

/** Java's hash of a string, without its sign. */
function hashCode(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash & 0x7fff_ffff;
}
