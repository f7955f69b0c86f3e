import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterAll, describe, expect, test } from "vitest";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
afterAll(() => producer.close());

const clientId = "measured";

/** A topic with partitions 0 and 1, of 7 and 5 records, and the only member of a group that reads it. */
async function fixture(groupProtocol: "classic" | "consumer") {
  const topic = await newTopic(2);
  await producer.sendBatch(
    Array.from({ length: 12 }, (_, index) => ({ topic, partition: index < 7 ? 0 : 1, value: `${index}` })),
  );
  const consumer = new KafkaConsumer({
    bootstrapServers,
    clientId,
    groupId: topic,
    groupProtocol,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    maxPollRecords: 1,
    valueDeserializer: string,
  });
  opened.push(consumer);
  consumer.subscribe([topic], { onPartitionsAssigned: () => {} });
  /** Polls until there are so many records. */
  const read = async (count: number) => {
    for (let got = 0; got < count; ) got += (await consumer.poll(60_000)).count;
  };
  /** Values by name, of a group of metrics, and of these tags besides `client-id`. */
  const values = (group: string, tags: Readonly<Record<string, string>> = {}): Readonly<Record<string, number>> =>
    Object.fromEntries(
      consumer
        .metrics()
        .filter((metric) => metric.group === `consumer-${group}` && hasTags(metric.tags, tags))
        .map(({ name, value }) => [name, value]),
    );
  return { topic, consumer, read, values };
}

const hasTags = (all: Readonly<Record<string, string>>, tags: Readonly<Record<string, string>>): boolean =>
  Object.keys(all).length === Object.keys(tags).length + 1 &&
  Object.entries({ "client-id": clientId, ...tags }).every(([name, value]) => all[name] === value);

describe.each(["classic", "consumer"] as const)("the metrics of a member of a %s group", (groupProtocol) => {
  test("say what it has consumed, how far it is behind, and what it has committed", async () => {
    const startMs = performance.now();
    const { topic, consumer, read, values } = await fixture(groupProtocol);
    await read(4);
    await consumer.commitSync();
    await read(8);
    await consumer.commitSync();
    const committed = values("coordinator-metrics");
    const elapsedMs = performance.now() - startMs;

    expect(committed["commit-total"]).toBe(2);
    // A rate is that of one whole window at least.
    expect(committed["commit-rate"]).toBeLessThanOrEqual(2 / 30);
    expect(committed["commit-rate"]).toBeGreaterThan(0);
    expect(committed["commit-latency-max"]).toBeGreaterThan(0);
    expect(committed["commit-latency-max"]).toBeLessThan(elapsedMs);
    expect(committed["assigned-partitions"]).toBe(2);
    expect(committed["rebalance-total"]).toBeGreaterThanOrEqual(1);
    expect(committed["rebalance-latency-max"]).toBeLessThan(elapsedMs);
    expect(committed["partition-assigned-latency-max"]).toBeGreaterThanOrEqual(0);

    const calls = values("metrics");
    expect(calls["commit-sync-time-ns-total"]).toBeGreaterThan(0);
    expect(calls["commit-sync-time-ns-total"]).toBeLessThan(elapsedMs * 1_000_000);
    expect(calls["last-poll-seconds-ago"]).toBeGreaterThanOrEqual(0);

    expect(values("fetch-manager-metrics")).toMatchObject({ "records-consumed-total": 12, "records-lead-min": 1 });
    expect(values("fetch-manager-metrics", { topic })["records-consumed-total"]).toBe(12);
    const ofPartition = (partition: string) => values("fetch-manager-metrics", { topic, partition });
    expect(ofPartition("0")).toMatchObject({ "records-lag": 0, "records-lag-max": 6, "records-lead": 7 });
    expect(ofPartition("1")).toMatchObject({ "records-lag": 0, "records-lead": 5 });

    await consumer.committed([{ topic, partition: 0 }]);
    expect(values("metrics")["committed-time-ns-total"]).toBeGreaterThan(0);
  });

  test("say how far it is behind what it has not read yet", async () => {
    const { topic, consumer, read, values } = await fixture(groupProtocol);
    await read(12);
    await producer.sendBatch(Array.from({ length: 9 }, () => ({ topic, partition: 0, value: "more" })));
    await read(2);
    expect(values("fetch-manager-metrics", { topic, partition: "0" })["records-lag"]).toBe(7);
    expect(consumer.currentLag({ topic, partition: 0 })).toBe(7n);
    await consumer.unsubscribe();
    expect(values("fetch-manager-metrics", { topic, partition: "0" })).toEqual({});
    expect(values("fetch-manager-metrics", { topic })).toEqual({});
  });
});
