import { KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { startCluster } from "./cluster/cluster.ts";

const recordCount = 10_000;
const partitionCount = 6;
const topic = `demo-${Date.now()}`;

/** The main job, start to end: a cluster, a topic, records in, the same records out, checked. */
async function main(): Promise<void> {
  await using cluster = await startCluster();
  const bootstrapServers = cluster.bootstrapServers;
  say(`cluster: ${cluster.describe()}`);

  await using admin = new KafkaAdmin({ bootstrapServers });
  const results = await admin.createTopics([{ topic, numPartitions: partitionCount }]);
  results.orThrow();
  say(`topic: ${topic}, ${partitionCount} partitions`);

  await produce(bootstrapServers);
  const values = await consume(bootstrapServers);
  check(values);
  say(`checked: each of ${recordCount} records came back once, and in order within its partition`);
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

/** All values of the topic, by partition, in the order of their offsets. */
async function consume(bootstrapServers: readonly string[]): Promise<Map<number, string[]>> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    keyDeserializer: string,
    valueDeserializer: string,
  });
  consumer.assign(Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })));
  const startedAt = performance.now();
  const values = new Map<number, string[]>();
  for (let count = 0; count < recordCount; ) {
    const records = await consumer.poll(10_000);
    if (records.count === 0) throw new Error(`no more records after ${count} of ${recordCount}`);
    for (const { partition, value } of records) {
      if (value === null) throw new Error("a record without a value");
      const list = values.get(partition) ?? [];
      values.set(partition, list);
      list.push(value);
    }
    count += records.count;
  }
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
