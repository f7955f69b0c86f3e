import { randomUUID } from "node:crypto";
import { BrokerError, zeroUuid } from "@odradek/protocol";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { Metadata } from "@odradek/protocol/messages/metadata";
import type { KafkaCluster } from "../../cluster/kafka-cluster.ts";
import { ask } from "../../cluster/wire.ts";

/** The offset behind the last record. */
const latest = -1n;

/** A topic for one turn of one peer: what is in it afterwards is what that peer has sent. */
export class TurnTopic implements AsyncDisposable {
  readonly name: string;
  readonly #cluster: KafkaCluster;

  private constructor(name: string, cluster: KafkaCluster) {
    this.name = name;
    this.#cluster = cluster;
  }

  static async create(cluster: KafkaCluster, partitions: number, replicationFactor: number): Promise<TurnTopic> {
    const name = `bench-${randomUUID()}`;
    const configs = {
      "min.insync.replicas": `${Math.min(2, replicationFactor)}`,
      // What the turns before have written must not stay on the disk.
      "file.delete.delay.ms": "0",
    };
    await cluster.createTopic({ name, partitions, replicationFactor, configs });
    return new TurnTopic(name, cluster);
  }

  /** How many records its partitions have, going by their offsets. */
  async recordCount(): Promise<number> {
    const { brokers } = this.#cluster;
    const [first] = brokers;
    if (first === undefined) throw new Error("the cluster has no brokers");
    const { topics } = await ask(first, Metadata, { topics: [{ name: this.name }], allowAutoTopicCreation: false });
    const led = (id: number) => topics[0]?.partitions.filter(({ leaderId }) => leaderId === id) ?? [];
    const answers = await Promise.all(
      brokers.map((broker) =>
        ask(broker, ListOffsets, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [
            {
              name: this.name,
              partitions: led(broker.id).map(({ partitionIndex }) => ({ partitionIndex, timestamp: latest })),
            },
          ],
        }),
      ),
    );
    const partitions = answers.flatMap((answer) => answer.topics).flatMap((topic) => topic.partitions);
    return partitions.reduce((sum, { errorCode, offset }) => {
      if (errorCode !== 0) throw new BrokerError(errorCode, `asking for the end of topic ${this.name}`);
      return sum + Number(offset);
    }, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const [first] = this.#cluster.brokers;
    if (first === undefined) return;
    await ask(first, DeleteTopics, {
      topics: [{ name: this.name, topicId: zeroUuid }],
      topicNames: [],
      timeoutMs: 30_000,
    });
  }
}
