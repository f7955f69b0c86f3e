import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { ElectLeaders } from "@odradek/protocol/messages/elect-leaders";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { newName } from "./opened.ts";
import { networkOf, withinAMinute } from "./requests.ts";
import { bootstrapServers } from "./topics.ts";

/** Has partition 0 of a topic on these brokers from now on; the first is its preferred leader. */
async function reassign(topic: string, replicas: readonly number[]): Promise<void> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, replicas }] }];
  const { errorCode, responses } = await networkOf({ bootstrapServers }).request(
    AlterPartitionReassignments,
    { topics },
    { to: "controller", deadline: withinAMinute() },
  );
  expect([errorCode, responses[0]?.partitions[0]?.errorCode]).toEqual([0, 0]);
}

async function electPreferred(topic: string): Promise<void> {
  const body = { electionType: 0, topicPartitions: [{ topic, partitions: [0] }] };
  const { errorCode, replicaElectionResults } = await networkOf({ bootstrapServers }).request(ElectLeaders, body, {
    to: "controller",
    deadline: withinAMinute(),
  });
  expect([errorCode, replicaElectionResults[0]?.partitionResult[0]?.errorCode]).toEqual([0, 0]);
}

/** Waits until every broker knows that the first of the replicas leads, and that all are in sync. */
async function untilLed(topic: string, replicas: readonly number[]): Promise<void> {
  const network = networkOf({ bootstrapServers });
  await network.awaitMetadata(withinAMinute(), "the cluster", () => network.metadata.snapshot.clusterId);
  for (const to of network.metadata.snapshot.nodes.keys()) {
    await until(`broker ${to} knows the leader`, async () => {
      const body = { topics: [{ name: topic }] };
      const { topics } = await network.request(Metadata, body, { to, deadline: withinAMinute() });
      const [known] = topics[0]?.partitions ?? [];
      if (known === undefined) return "it does not know the partition";
      const { leaderId, isrNodes } = known;
      const areInSync = isrNodes.length === replicas.length && replicas.every((id) => isrNodes.includes(id));
      return (leaderId === replicas[0] && areInSync) || `${leaderId} leads, in sync are ${isrNodes.join()}`;
    });
  }
}

async function brokerIds(): Promise<readonly [number, number, number]> {
  const network = networkOf({ bootstrapServers });
  const { brokers } = await network.request(Metadata, { topics: [] }, { to: "any", deadline: withinAMinute() });
  const [first, second, third] = brokers.map(({ nodeId }) => nodeId);
  if (first === undefined || second === undefined || third === undefined) throw new Error("three brokers are needed");
  return [first, second, third];
}

interface Move {
  readonly how: string;
  /** Who has the partition before, and then; the first leads. */
  readonly replicas: (ids: readonly [number, number, number]) => readonly [readonly number[], readonly number[]];
  readonly move: (topic: string, replicas: readonly number[]) => Promise<void>;
}

test.each<Move>([
  {
    how: "by an election",
    replicas: ([a, b, c]) => [
      [a, b, c],
      [b, c, a],
    ],
    move: async (topic, replicas) => {
      await reassign(topic, replicas);
      await electPreferred(topic);
    },
  },
  { how: "to a broker that had no replica", replicas: ([a, b]) => [[a], [b]], move: reassign },
])("a leader that is moved $how is followed, without an error to the user", async ({ replicas, move }) => {
  const topic = newName();
  const [before, after] = replicas(await brokerIds());
  await using admin = new KafkaAdmin({ bootstrapServers });
  (await admin.createTopics([{ topic, assignments: [before] }])).orThrow();
  await untilLed(topic, before);
  await using producer = new KafkaProducer({ bootstrapServers });
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    valueDeserializer: string,
  });
  consumer.assign([{ topic, partition: 0 }]);

  const sent: string[] = [];
  const read: (string | null)[] = [];
  /** One round of traffic, whose records have been read when it is over. */
  const exchange = async () => {
    const values = Array.from({ length: 20 }, (_, index) => `${sent.length + index}`);
    sent.push(...values);
    await Promise.all(values.map((value) => producer.send({ topic, partition: 0, value })));
    while (read.length < sent.length) for (const { value } of await consumer.poll(30_000)) read.push(value);
  };

  await exchange();
  let isMoved = false;
  const moving = move(topic, after)
    .then(() => untilLed(topic, after))
    .finally(() => {
      isMoved = true;
    });
  // Before, while and after it moves.
  while (!isMoved) await exchange();
  await moving;
  await exchange();
  expect(read).toEqual(sent);
  for (const client of [producer, consumer]) {
    expect(await client.partitionsFor(topic)).toMatchObject([{ leaderId: after[0] }]);
  }
});
