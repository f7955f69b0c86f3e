import { KafkaAdmin, KafkaConsumer, KafkaProducer, LogTruncationError, string } from "odradek";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { newName } from "./opened.ts";
import { untilAll } from "./partitions.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  cluster = await startCluster({ own: true, properties: { "broker.session.timeout.ms": "3000" } });
});
afterAll(() => cluster?.stop());

/** On brokers 1 and 2, whose first leads. One of them is enough. */
const newTopic = async (): Promise<string> => {
  const topic = newName();
  await cluster.createTopic({ name: topic, replicas: [[1, 2]], configs: { "min.insync.replicas": "1" } });
  return topic;
};

/**
 * A log that loses records that were read: 0 to 9 are on both replicas, 10 to 19 on the one that dies, and the other, which leads
 * then, has other records from 10 on.
 *
 * @param read called when 20 records are there, and told what is to be read in the end
 */
async function losingRecords(topic: string, read: (values: readonly string[]) => Promise<void>): Promise<void> {
  const [first, second, third] = cluster.brokers;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three brokers are needed");
  await using producer = new KafkaProducer({
    bootstrapServers: cluster.bootstrapServers,
    valueSerializer: string,
    enableIdempotence: false,
    acks: "all",
  });
  const write = async (kind: string, from: number, to: number) => {
    const values = Array.from({ length: to - from }, (_, index) => `${kind}${from + index}`);
    for (const value of values) await producer.send({ topic, partition: 0, value });
    return values;
  };
  const kept = await write("kept", 0, 10);
  await second.stop();
  await untilAll([first, third], topic, "have one replica in sync", ({ isrNodes }) => isrNodes.length === 1);
  const lost = await write("lost", 10, 20);
  await read([...kept, ...lost]);
  await first.kill();
  await second.restart();
  await untilAll([second, third], topic, "have no leader", ({ leaderId }) => leaderId === -1);
  await using admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers });
  (await admin.electLeaders("UNCLEAN", [{ topic, partition: 0 }])).orThrow();
  await untilAll([second, third], topic, "are led by 2", ({ leaderId }) => leaderId === 2);
  // More than were lost: a consumer that does not notice goes on in the midst of them.
  await write("other", 10, 25);
}

test("records that an unclean election takes away are noticed: the consumer goes on where the logs part, or says so", async () => {
  const topic = await newTopic();
  const { bootstrapServers } = cluster;
  const options = { bootstrapServers, valueDeserializer: string };
  await using following = new KafkaConsumer({ ...options, autoOffsetReset: "earliest" });
  await using careful = new KafkaConsumer({ ...options, autoOffsetReset: "none" });
  const values = new Map<KafkaConsumer<Uint8Array, string>, (string | null)[]>([
    [following, []],
    [careful, []],
  ]);
  const readUntil = async (consumer: typeof following, count: number) => {
    const read = values.get(consumer) ?? [];
    while (read.length < count) for (const { value } of await consumer.poll(1_000)) read.push(value);
    return read.splice(0);
  };
  const partition = { topic, partition: 0 };
  for (const consumer of [following, careful]) consumer.assign([partition]);
  careful.seek(partition, 0);

  await losingRecords(topic, async (written) => {
    expect(await readUntil(following, 20)).toEqual(written);
    expect(await readUntil(careful, 20)).toEqual(written);
  });

  const others = Array.from({ length: 15 }, (_, index) => `other${10 + index}`);
  expect(await readUntil(following, 15)).toEqual(others);
  const failure: unknown = await readUntil(careful, 1).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(LogTruncationError);
  const [truncation] = failure instanceof LogTruncationError ? failure.truncations : [];
  expect(truncation).toMatchObject({ ...partition, offset: 20n, divergent: { offset: 10n } });
  await expect(careful.poll(60_000)).rejects.toThrow(LogTruncationError);
  careful.seek(partition, truncation?.divergent ?? 0);
  expect(await readUntil(careful, 15)).toEqual(others);
});
