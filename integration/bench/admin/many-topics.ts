import { randomUUID } from "node:crypto";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { KafkaAdmin, KafkaProducer, type Results } from "odradek";
import type { KafkaCluster } from "../../cluster/kafka-cluster.ts";
import { until } from "../../cluster/readiness.ts";
import { type Address, ask } from "../../cluster/wire.ts";
import { say } from "../run.ts";
import { type Target, topicNames } from "./target.ts";

/** How many topics one request creates or deletes: brokers are slow to make them. */
const perRequest = 200;

/** Topics of one replica, some of whose partitions have a record. */
export class ManyTopics implements AsyncDisposable {
  readonly target: Target;
  /** In all of them together. */
  readonly records: number;

  private constructor(target: Target, records: number) {
    this.target = target;
    this.records = records;
  }

  /** @throws Error where they are not led, at every broker, within a while */
  static async create(cluster: KafkaCluster, topics: number, partitions: number): Promise<ManyTopics> {
    const { bootstrapServers } = cluster;
    const target: Target = { bootstrapServers, prefix: `bench-${randomUUID()}`, topics, partitions };
    const names = topicNames(target);
    say(`admin: creating ${topics} topics of ${partitions} partitions`);
    await using admin = new KafkaAdmin({ bootstrapServers, requestTimeoutMs: 120_000, defaultApiTimeoutMs: 300_000 });
    await inParts(names, (some) =>
      admin.createTopics(some.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: 1 }))),
    );
    for (const broker of cluster.brokers) {
      await until(`${topics} topics are led`, () => looksLed(broker, names, topics * partitions));
    }
    const filled = names.filter((_, index) => index % 10 === 0);
    await using producer = new KafkaProducer({ bootstrapServers, maxBlockMs: 120_000 });
    await Promise.all(filled.map((topic) => producer.send({ topic, partition: 0, value: "v" })));
    return new ManyTopics(target, filled.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { bootstrapServers } = this.target;
    await using admin = new KafkaAdmin({ bootstrapServers, requestTimeoutMs: 120_000, defaultApiTimeoutMs: 300_000 });
    await inParts(topicNames(this.target), (some) => admin.deleteTopics(some));
  }
}

/** Brokers learn of topics one after the other, and any of them may be asked. */
async function looksLed(broker: Address, names: readonly string[], wanted: number): Promise<true | string> {
  const body = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false };
  const { topics } = await ask(broker, Metadata, body);
  const led = topics.flatMap(({ partitions }) => partitions).filter(({ leaderId }) => leaderId >= 0).length;
  return led === wanted || `broker ${broker.host}:${broker.port} knows who leads ${led} of ${wanted} partitions`;
}

/** @throws KafkaError for the first that fails */
async function inParts<T, K>(
  names: readonly string[],
  change: (some: readonly string[]) => Promise<Results<T, K>>,
): Promise<void> {
  for (let from = 0; from < names.length; from += perRequest) {
    (await change(names.slice(from, from + perRequest))).orThrow();
  }
}
