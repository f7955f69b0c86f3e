import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { KafkaCluster } from "@odradek/testing";
import { KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { startCluster } from "./cluster/cluster.ts";

const recordCount = 10_000;
const partitionCount = 6;
const topic = `demo-${Date.now()}`;

/**
 * The main job, start to end: a cluster, a topic, records in, the same records out through a group, checked.
 * `npm run demo` has brokers inside this process, `npm run demo -- --real` those of Apache Kafka.
 */
async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { real: { type: "boolean", default: false } } });
  if (options.real && !isThereKafka()) return;
  await using cluster = await openCluster(options.real);
  const { bootstrapServers } = cluster;

  await using admin = new KafkaAdmin({ bootstrapServers });
  const results = await admin.createTopics([{ topic, numPartitions: partitionCount }]);
  results.orThrow();
  say(`topic: ${topic}, ${partitionCount} partitions`);

  await produce(bootstrapServers);
  const values = await consume(bootstrapServers);
  check(values);
  say(`checked: each of ${recordCount} records came back once, and in order within its partition`);
}

/** Has Apache Kafka made ready, where it is not; what that takes, and why it cannot be had, is told meanwhile. */
function isThereKafka(): boolean {
  const setup = require.resolve("@odradek/integration/setup.mjs");
  const { status } = spawnSync(process.execPath, [setup, "kafka"], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}

/** Brokers inside this process, unless `KAFKA_BROKERS` names others or real ones are asked for. */
async function openCluster(
  isReal: boolean,
): Promise<AsyncDisposable & { readonly bootstrapServers: readonly string[] }> {
  if (isReal || process.env["KAFKA_BROKERS"]) {
    const cluster = await startCluster();
    say(`cluster: ${cluster.describe()}`);
    return cluster;
  }
  const startedAt = performance.now();
  const cluster = await KafkaCluster.start({ brokers: 3 });
  const tookMs = Math.round(performance.now() - startedAt);
  say(`cluster: 3 brokers inside this process, started in ${tookMs} ms: ${cluster.bootstrapServers.join(",")}`);
  return cluster;
}

async function produce(bootstrapServers: readonly string[]): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: string });
  const startedAt = performance.now();
  let acknowledged = 0;
  const sends = Array.from({ length: recordCount }, async (_, index) => {
    await producer.send({ topic, key: `key-${index % 100}`, value: String(index) });
    acknowledged += 1;
    if (acknowledged % (recordCount / 5) === 0) say(`produced ${acknowledged}`);
  });
  await Promise.all(sends);
  say(`produced: ${rate(performance.now() - startedAt)}`);
}

/** All values of the topic, by partition, in the order of their offsets, as the two members of a group read them. */
async function consume(bootstrapServers: readonly string[]): Promise<Map<number, string[]>> {
  const startedAt = performance.now();
  const values = new Map<number, string[]>();
  const members = [1, 2].map((number) => {
    const consumer = new KafkaConsumer({
      bootstrapServers,
      groupId: topic,
      autoOffsetReset: "earliest",
      keyDeserializer: string,
      valueDeserializer: string,
    });
    consumer.subscribe([topic], {
      onPartitionsAssigned: (partitions) =>
        say(`member ${number} reads partitions ${partitions.map(({ partition }) => partition).join(", ") || "none"}`),
    });
    return consumer;
  });
  let count = 0;
  const read = async (consumer: KafkaConsumer<string, string>) => {
    for (let isIdle = false; count < recordCount && !isIdle; ) {
      const records = await consumer.poll(1_000);
      // The other one may have read the rest.
      isIdle = records.isEmpty && consumer.assignment().length > 0;
      count += records.count;
      for (const { partition, value } of records) {
        if (value === null) throw new Error("a record without a value");
        const list = values.get(partition) ?? [];
        values.set(partition, list);
        list.push(value);
      }
    }
    await consumer.close();
  };
  await Promise.all(members.map(read));
  say(`consumed: ${rate(performance.now() - startedAt)}`);
  return values;
}

function check(values: ReadonlyMap<number, readonly string[]>): void {
  const all = [...values.values()].flat();
  if (new Set(all).size !== recordCount || all.length !== recordCount) {
    throw new Error(
      `${all.length} records came back, ${new Set(all).size} of them different; ${recordCount} were sent`,
    );
  }
  for (const [partition, list] of values) {
    const isOrdered = list.every((value, index) => index === 0 || Number(list[index - 1]) < Number(value));
    if (!isOrdered) throw new Error(`partition ${partition} came back out of order`);
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const rate = (tookMs: number): string =>
  `${recordCount} records in ${Math.round(tookMs)} ms, ${Math.round((recordCount / tookMs) * 1_000)} a second`;

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
