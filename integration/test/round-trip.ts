import { type ClientOptions, KafkaAdmin, KafkaConsumer, KafkaProducer, type Metric, string } from "odradek";
import { expect } from "vitest";
import { newName } from "./opened.ts";

/** The value of a metric of a client as a whole. */
export function measured(metrics: readonly Metric[], name: string): number {
  const found = metrics.find((metric) => metric.name === name && !("node-id" in metric.tags));
  if (found === undefined) throw new Error(`there is no metric ${name}`);
  return found.value;
}

/**
 * What everybody wants of a cluster: a topic with a partition on each broker, a record in each partition, and the records
 * back.
 *
 * @param counts of the topic; old brokers want to be told both
 * @returns what the three clients measured
 */
export async function roundTrip(
  options: ClientOptions,
  counts: { readonly numPartitions: number; readonly replicationFactor?: number } = { numPartitions: 3 },
): Promise<Metric[][]> {
  const topic = newName();
  const partitionCount = counts.numPartitions;
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  await using admin = new KafkaAdmin(options);
  (await admin.createTopics([{ topic, ...counts }])).orThrow();
  await using producer = new KafkaProducer({ ...options, valueSerializer: string });
  await producer.sendBatch(partitions.map(({ partition }) => ({ topic, partition, value: `to ${partition}` })));
  await using consumer = new KafkaConsumer({ ...options, autoOffsetReset: "earliest", valueDeserializer: string });
  consumer.assign(partitions);
  const read: string[] = [];
  while (read.length < partitionCount) {
    const records = await consumer.poll(30_000);
    expect(records.count).toBeGreaterThan(0);
    for (const { partition, value } of records) read.push(`${partition}: ${value}`);
  }
  expect(read.sort()).toEqual(partitions.map(({ partition }) => `${partition}: to ${partition}`));
  return [admin, producer, consumer].map((client) => client.metrics());
}
