import type { BrokerErrorName } from "@odradek/protocol";
import type { Clock } from "../clock.ts";
import type { PartitionLog } from "../log/partition-log.ts";
import { type IsAlive, Partition } from "./partition.ts";
import { invalidTopicName, Topic } from "./topic.ts";
import { InvalidConfigError, TopicConfigs } from "./topic-configs.ts";

/** Thrown for what the controller refuses, under Kafka's name for why. */
export class ControllerError extends Error {
  readonly code: BrokerErrorName;

  constructor(code: BrokerErrorName, message: string) {
    super(message);
    this.code = code;
  }
}

export interface NewTopic {
  readonly name: string;
  /** -1 for the cluster's default. */
  readonly partitions: number;
  /** -1 for the cluster's default. */
  readonly replicationFactor: number;
  /** The brokers of each partition; empty to have them chosen. */
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicDefaults {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** What a controller makes at a time, so that nobody asks it for all there is. */
export const maxPartitionsAtOnce = 10_000;

/** The topics of a cluster: what the controller does to them. */
export class Topics {
  readonly #clock: Clock;
  readonly #brokerIds: readonly number[];
  readonly #defaults: TopicDefaults;
  readonly #isAlive: IsAlive;
  readonly #byName = new Map<string, Topic>();
  readonly #byId = new Map<string, Topic>();
  readonly #onChange: () => void;
  /** Where the next topic begins, so that leaders are spread. */
  #nextBroker = 0;

  constructor(
    clock: Clock,
    brokerIds: readonly number[],
    defaults: TopicDefaults,
    isAlive: IsAlive,
    /** Called when topics or their partitions come or go: groups of the consumer protocol are assigned anew. */
    onChange: () => void,
  ) {
    this.#clock = clock;
    this.#brokerIds = brokerIds;
    this.#defaults = defaults;
    this.#isAlive = isAlive;
    this.#onChange = onChange;
  }

  /** In the order of their names. */
  all(): Topic[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  byName(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id);
  }

  partition(name: string, index: number): Partition | undefined {
    return this.#byName.get(name)?.partitions[index];
  }

  *partitions(): Generator<{ readonly topic: Topic; readonly partition: Partition }> {
    for (const topic of this.#byName.values()) for (const partition of topic.partitions) yield { topic, partition };
  }

  *logs(): Generator<PartitionLog> {
    for (const { partition } of this.partitions()) yield partition.log;
  }

  /** @throws ControllerError */
  create(wanted: NewTopic, validateOnly = false): Topic {
    const invalid = invalidTopicName(wanted.name);
    if (invalid !== null) throw new ControllerError("INVALID_TOPIC_EXCEPTION", invalid);
    if (this.#byName.has(wanted.name)) {
      throw new ControllerError("TOPIC_ALREADY_EXISTS", `Topic '${wanted.name}' already exists.`);
    }
    const topic = new Topic(wanted.name, this.#configsOf(wanted));
    for (const replicas of this.#placement(wanted)) this.#addPartition(topic, replicas);
    if (validateOnly) return topic;
    this.#byName.set(topic.name, topic);
    this.#byId.set(topic.id, topic);
    this.#onChange();
    return topic;
  }

  /** A topic that is created because somebody asked for it. */
  autoCreate(name: string): Topic {
    return this.create({ name, partitions: -1, replicationFactor: -1, assignments: [], configs: {} });
  }

  delete(topic: Topic): void {
    this.#byName.delete(topic.name);
    this.#byId.delete(topic.id);
    for (const { log } of topic.partitions) log.wake();
    this.#onChange();
  }

  /**
   * Raises the number of partitions.
   *
   * @throws ControllerError
   */
  addPartitions(
    topic: Topic,
    count: number,
    assignments: readonly { readonly brokerIds: readonly number[] }[] | null,
    validateOnly = false,
  ): void {
    const before = topic.partitions.length;
    if (count <= before) {
      const reason =
        count === before
          ? `Topic already has ${before} partition(s).`
          : `The topic ${topic.name} currently has ${before} partition(s); ${count} would not be an increase.`;
      throw new ControllerError("INVALID_PARTITIONS", reason);
    }
    if (assignments !== null && assignments.length !== count - before) {
      const reason = `Attempted to add ${count - before} additional partition(s), but only ${assignments.length} assignment(s) were specified.`;
      throw new ControllerError("INVALID_REPLICA_ASSIGNMENT", reason);
    }
    const factor = topic.partitions[0]?.replicas.length ?? 1;
    const placed =
      assignments?.map(({ brokerIds }) => this.#checkedReplicas(brokerIds)) ?? this.#spread(count - before, factor);
    if (validateOnly) return;
    for (const replicas of placed) this.#addPartition(topic, replicas);
    this.#onChange();
  }

  /** Elects new leaders after brokers came or went. */
  elect(): void {
    for (const { partition } of this.partitions()) partition.elect(this.#isAlive);
  }

  #addPartition(topic: Topic, replicas: readonly number[]): void {
    topic.partitions.push(new Partition(topic.partitions.length, replicas, this.#clock, topic.configs, this.#isAlive));
  }

  #configsOf(wanted: NewTopic): TopicConfigs {
    try {
      return new TopicConfigs(this.#defaults.configs, wanted.configs);
    } catch (error) {
      throw error instanceof InvalidConfigError ? new ControllerError("INVALID_CONFIG", error.message) : error;
    }
  }

  #placement({ partitions, replicationFactor, assignments }: NewTopic): readonly (readonly number[])[] {
    if (assignments.length > 0) {
      if (partitions !== -1 || replicationFactor !== -1) {
        const reason =
          "A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.";
        throw new ControllerError("INVALID_REQUEST", reason);
      }
      const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
      if (!sorted.every(({ partitionIndex }, index) => partitionIndex === index)) {
        const reason = "partitions should be a consecutive 0-based integer sequence";
        throw new ControllerError("INVALID_REPLICA_ASSIGNMENT", reason);
      }
      return sorted.map(({ brokerIds }) => this.#checkedReplicas(brokerIds));
    }
    if (partitions === 0 || partitions < -1) {
      throw new ControllerError("INVALID_PARTITIONS", "Number of partitions was set to an invalid non-positive value.");
    }
    if (replicationFactor === 0 || replicationFactor < -1) {
      const reason = "Replication factor must be larger than 0, or -1 to use the default value.";
      throw new ControllerError("INVALID_REPLICATION_FACTOR", reason);
    }
    const count = partitions === -1 ? this.#defaults.partitions : partitions;
    return this.#spread(count, replicationFactor === -1 ? this.#defaults.replicationFactor : replicationFactor);
  }

  #checkedReplicas(brokerIds: readonly number[]): readonly number[] {
    const isValid =
      brokerIds.length > 0 &&
      new Set(brokerIds).size === brokerIds.length &&
      brokerIds.every((id) => this.#brokerIds.includes(id));
    if (isValid) return [...brokerIds];
    const reason = `The manual partition assignment [${brokerIds.join(", ")}] is empty, has a broker twice, or names one that there is not.`;
    throw new ControllerError("INVALID_REPLICA_ASSIGNMENT", reason);
  }

  #spread(partitions: number, replicationFactor: number): number[][] {
    if (partitions > maxPartitionsAtOnce) {
      throw new ControllerError("POLICY_VIOLATION", "Excessively large number of partitions per request.");
    }
    const brokers = this.#brokerIds.length;
    if (replicationFactor > brokers) {
      const reason = `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} cannot be reached because only ${brokers} broker(s) are registered.`;
      throw new ControllerError("INVALID_REPLICATION_FACTOR", reason);
    }
    return Array.from({ length: partitions }, () => {
      const first = this.#nextBroker++;
      return Array.from({ length: replicationFactor }, (_, n) => this.#brokerIds[(first + n) % brokers] ?? 0);
    });
  }
}
