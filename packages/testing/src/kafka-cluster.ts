import type { BrokerErrorName } from "@odradek/protocol";
import type { Broker } from "./broker.ts";
import { Cluster } from "./cluster.ts";
import { type KafkaClusterOptions, resolveOptions, resolveTopic, type TopicOptions } from "./cluster-options.ts";
import { type TopicRecord, waitForRecords } from "./committed-records.ts";
import { coordinatorType } from "./coordinator-type.ts";
import * as effects from "./faults/effect.ts";
import type { Fault, FaultScope, PartitionScope } from "./faults/faults.ts";
import type { RecordedRequest } from "./faults/journal.ts";
import { waitForCommitted } from "./group-progress.ts";
import type { CommittedOffset } from "./groups/committed-offsets.ts";
import { type ApiName, handlerNamed, type RequestBody } from "./handlers/index.ts";
import { type PartitionView, viewOf } from "./partition-view.ts";
import type { Partition } from "./topics/partition.ts";
import type { Topic } from "./topics/topic.ts";

/** A request that came, with its body as the protocol reads it. */
export type RequestOfApi<N extends ApiName> = RecordedRequest<N, RequestBody<N>>;

/** Which requests, of one API or of all. */
export interface AnyApiScope<N extends ApiName> extends FaultScope<RequestOfApi<N>> {
  /** @default any */
  readonly api?: N;
}

export interface WaitForOptions {
  /** By the machine's clock, whatever that of the cluster is. @default 5,000 */
  readonly timeoutMs?: number;
}

const defaultWaitMs = 5_000;

/**
 * A Kafka cluster inside this process: brokers on ports of 127.0.0.1 that speak the wire protocol to any client, keep
 * everything in memory, and break on command.
 *
 * ```ts
 * await using cluster = await KafkaCluster.start({ topics: { orders: { partitions: 3 } } });
 * const producer = new KafkaProducer({ bootstrapServers: cluster.bootstrapServers });
 * ```
 */
export class KafkaCluster implements AsyncDisposable {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws TypeError for an option that cannot be, and what the system says of a port that is taken */
  static async start(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const cluster = new Cluster(resolveOptions(options));
    try {
      await cluster.start();
      for (const topic of cluster.options.topics) cluster.topics.create(topic);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return new KafkaCluster(cluster);
  }

  /** `host:port` of each broker, also of those that are stopped. */
  get bootstrapServers(): string[] {
    return this.#cluster.brokers.map(({ host, port }) => `${host}:${port}`);
  }

  get clusterId(): string {
    return this.#cluster.id;
  }

  /** Closes all ports and connections, and forgets everything. */
  close(): Promise<void> {
    return this.#cluster.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A broker: `stop`, `start`, `pause` and `resume` it.
   *
   * @param id 1, 2, ...
   * @throws RangeError where there is none
   */
  broker(id: number): Broker {
    const broker = this.#cluster.broker(id);
    if (broker === undefined)
      throw new RangeError(`there is no broker ${id}; there are 1 to ${this.#cluster.brokers.length}`);
    return broker;
  }

  /** Creates a topic without a client. @throws TypeError for an option that cannot be, Error in the words of Kafka's controller */
  createTopic(name: string, topic: TopicOptions = {}): void {
    this.#cluster.topics.create(resolveTopic(name, name, topic, this.#cluster.brokers.length));
  }

  // What goes wrong.

  /**
   * Answers requests with an error instead of doing what they ask; for APIs with partitions, where they name one.
   *
   * @param error Kafka's name of it, or its code
   * @throws TypeError for an API, an error or a scope that there is not, as all of these do
   */
  fail<N extends ApiName>(api: N, error: BrokerErrorName | number, scope: PartitionScope<RequestOfApi<N>> = {}): Fault {
    if (handlerNamed(api).hasErrorOfWhole && (scope.topic !== undefined || scope.partition !== undefined)) {
      throw new TypeError(`${api} has an error for the request, not for each partition: leave out topic and partition`);
    }
    return this.#arrange(api, effects.failure(error), scope);
  }

  /** Takes requests `ms` later, by the cluster's clock. What comes behind them on the connection waits. */
  delay<N extends ApiName>(api: N, ms: number, scope?: FaultScope<RequestOfApi<N>>): Fault {
    return this.#arrange(api, effects.delay(ms), scope);
  }

  /** Does what is asked and says nothing: the answer is lost, and the connection stays silent from then on. */
  dropResponse<N extends ApiName>(api: N, scope?: FaultScope<RequestOfApi<N>>): Fault {
    return this.#arrange(api, effects.drop, scope);
  }

  /** Does what is asked, sends that many bytes of the answer, and closes the connection. @param scope without `api` any */
  closeAfter<N extends ApiName>(bytes: number, scope: AnyApiScope<N> = {}): Fault {
    return this.#arrange(scope.api, effects.closeAfter(bytes), scope);
  }

  /** Sends answers in pieces of that many bytes, one by one. @param scope without `times` all answers, without `api` of all */
  splitWrites<N extends ApiName>(bytes = 1, scope: AnyApiScope<N> = {}): Fault {
    return this.#arrange(scope.api, effects.split(bytes), { times: Number.POSITIVE_INFINITY, ...scope });
  }

  /** Tells clients in answers that they are over their quota and have to wait (KIP-219). */
  throttle<N extends ApiName>(api: N, ms: number, scope?: FaultScope<RequestOfApi<N>>): Fault {
    return this.#arrange(api, effects.throttle(ms), scope);
  }

  /** Has another replica lead a partition, in a new epoch. Its broker has to live. */
  moveLeader(topic: string, partition: number, brokerId: number): void {
    const found = this.#partition(topic, partition);
    if (!found.replicas.includes(brokerId) || !this.broker(brokerId).isAlive) {
      throw new RangeError(
        `broker ${brokerId} cannot lead ${topic}-${partition}: of its replicas, those that live can`,
      );
    }
    found.lead(brokerId);
  }

  /** Raises the leader epoch of a partition; the leader stays. */
  bumpEpoch(topic: string, partition: number): void {
    const found = this.#partition(topic, partition);
    found.lead(found.leaderId);
  }

  /**
   * Loses the records of a partition from `offset` on, in a new leader epoch, as an unclean election does. A batch goes whole,
   * and the log ends at `offset` all the same.
   *
   * @throws RangeError for an offset that the log does not reach
   */
  truncate(topic: string, partition: number, offset: bigint | number): void {
    const found = this.#partition(topic, partition);
    const { logEndOffset } = found.log;
    if (!(offset >= 0 && offset <= logEndOffset)) {
      throw new RangeError(`${topic}-${partition} cannot end at ${offset}: there is 0 to ${logEndOffset}`);
    }
    found.log.truncateTo(BigInt(offset));
    found.lead(found.leaderId);
  }

  /** Has another broker coordinate a group; what is known of the group moves with it. @throws RangeError for one that is stopped */
  moveCoordinator(groupId: string, brokerId: number): void {
    this.#cluster.moveCoordinator(coordinatorType.group, groupId, this.#living(brokerId).id);
  }

  /** Has another broker coordinate a transactional id. @throws RangeError for one that is stopped */
  moveTransactionCoordinator(transactionalId: string, brokerId: number): void {
    this.#cluster.moveCoordinator(coordinatorType.transaction, transactionalId, this.#living(brokerId).id);
  }

  /** Ends the sessions of the members of a group, or of one of them, as if they had been silent for too long. */
  expireSession(groupId: string, memberId?: string): void {
    const membership = this.#cluster.groups.get(groupId)?.membership;
    const ids = memberId === undefined ? (membership?.members ?? []).map((member) => member.memberId) : [memberId];
    if (ids.length === 0) throw new RangeError(`the group ${groupId} has no members`);
    for (const id of ids) {
      if (membership?.expire(id) !== true) throw new RangeError(`the group ${groupId} has no member ${id}`);
    }
  }

  /** Has all brokers forget their incremental fetch sessions. */
  expireFetchSessions(): void {
    for (const { sessions } of this.#cluster.brokers) sessions.clear();
  }

  /**
   * Does to the logs of a topic what its `cleanup.policy` says, now instead of when Kafka comes to it: segments that are too old
   * by `retention.ms` go, and of the records of a key only the last is left. What is written to is closed first, so that it is no
   * exception. A tombstone is left by the first call that finds it, and goes `delete.retention.ms` later, by the cluster's clock.
   *
   * @param partition one of them. @default all
   * @throws RangeError where there is none
   */
  async cleanUp(topic: string, partition?: number): Promise<void> {
    const { partitions } = this.#topic(topic);
    const wanted = partition === undefined ? partitions : [this.#partition(topic, partition)];
    await Promise.all(wanted.map(({ log }) => this.#cluster.logs.cleanUp(log)));
  }

  // What is to be seen.

  /** The latest requests, those of one API or all, in the order in which they were taken. */
  requests(): RecordedRequest[];
  requests<N extends ApiName>(api: N): RequestOfApi<N>[];
  requests(api?: ApiName): RecordedRequest[] {
    if (api !== undefined) handlerNamed(api);
    return this.#cluster.journal.requests().filter((request) => api === undefined || request.api === api);
  }

  /** Forgets the requests so far. */
  clearRequests(): void {
    this.#cluster.journal.clear();
  }

  /**
   * A request of the API that the predicate takes: the first that is remembered, or the next that comes.
   *
   * @throws Error when none comes in time
   */
  async waitFor<N extends ApiName>(
    api: N,
    predicate: (request: RequestOfApi<N>) => boolean = () => true,
    { timeoutMs = defaultWaitMs }: WaitForOptions = {},
  ): Promise<RequestOfApi<N>> {
    handlerNamed(api);
    const isIt = (request: RecordedRequest): request is RequestOfApi<N> => request.api === api;
    const { closing, journal } = this.#cluster;
    const failure = () => `no ${api} request came within ${timeoutMs} ms that the predicate takes`;
    const patience = { timeoutMs, closing, failure };
    const found = await journal.waitFor((request) => isIt(request) && predicate(request), patience);
    if (isIt(found)) return found;
    throw new Error(`a request of ${found.api} was taken for one of ${api}`);
  }

  /** A partition as it is now. */
  log(topic: string, partition = 0): PartitionView {
    return viewOf(this.#partition(topic, partition));
  }

  /**
   * Waits until `count` records of a topic can be read, those of open and aborted transactions aside.
   *
   * @returns all that can be read then, by partition and offset
   * @throws Error when they do not come in time, with how many came; RangeError where there is no such topic
   */
  async waitForRecords(
    topic: string,
    count: number,
    { timeoutMs = defaultWaitMs }: WaitForOptions = {},
  ): Promise<TopicRecord[]> {
    return waitForRecords(this.#topic(topic), count, timeoutMs, this.#cluster.closing);
  }

  /**
   * Waits until a group is done with a topic: until nothing is left to read from the offsets on that it committed, records of
   * open and aborted transactions aside.
   *
   * @returns what it has committed of the topic
   * @throws Error when it does not come to that in time, with how many records are left; RangeError where there is no such topic
   */
  async waitForCommitted(
    groupId: string,
    topic: string,
    { timeoutMs = defaultWaitMs }: WaitForOptions = {},
  ): Promise<CommittedOffset[]> {
    const { groups, closing } = this.#cluster;
    return waitForCommitted(groupId, this.#topic(topic), groups, { timeoutMs, closing });
  }

  /** What a group has committed. */
  committed(groupId: string): CommittedOffset[] {
    return this.#cluster.groups.get(groupId)?.offsets.all() ?? [];
  }

  #arrange(api: ApiName | undefined, effect: effects.Effect, scope: PartitionScope = {}): Fault {
    if (scope.broker !== undefined) this.broker(scope.broker);
    return this.#cluster.faults.arrange(api === undefined ? null : handlerNamed(api).api.key, effect, scope);
  }

  #living(brokerId: number): Broker {
    const broker = this.broker(brokerId);
    if (!broker.isAlive) throw new RangeError(`broker ${brokerId} is stopped, and cannot coordinate anything`);
    return broker;
  }

  #topic(name: string): Topic {
    const topic = this.#cluster.topics.byName(name);
    if (topic === undefined) throw new RangeError(`there is no topic ${name}`);
    return topic;
  }

  #partition(topic: string, index: number): Partition {
    const partition = this.#cluster.topics.partition(topic, index);
    if (partition === undefined) throw new RangeError(`there is no partition ${topic}-${index}`);
    return partition;
  }
}
