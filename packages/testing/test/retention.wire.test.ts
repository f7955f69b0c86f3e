import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../network/test/until.ts";
import { KafkaCluster, ManualClock } from "../src/index.ts";

const hourMs = 3_600_000;
const compact = { "cleanup.policy": "compact" };

let clock: ManualClock;
let cluster: KafkaCluster;
let producer: KafkaProducer<string, string>;

beforeEach(async () => {
  clock = new ManualClock();
  const accounts = { partitions: 2, configs: compact };
  const orders = { configs: { "retention.ms": `${2 * hourMs}` } };
  const views = { configs: { "cleanup.policy": "compact,delete", "retention.ms": `${2 * hourMs}` } };
  cluster = await KafkaCluster.start({ clock, topics: { accounts, orders, views } });
  const { bootstrapServers } = cluster;
  producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: string });
});

afterEach(async () => {
  await producer.close();
  await cluster.close();
});

const send = (topic: string, key: string, value: string | null, partition = 0) =>
  producer.send({ topic, partition, key, value });

const read = async (topic: string, partition = 0): Promise<string[]> =>
  (await cluster.log(topic, partition).records()).map(({ offset, key, value }) => `${offset} ${key}=${value}`);

describe("when it is asked for", () => {
  test("a topic is compacted, with what was written last", async () => {
    for (const value of ["1", "2", "3"]) for (const key of ["a", "b"]) await send("accounts", key, value);
    await cluster.cleanUp("accounts");
    expect(await read("accounts")).toEqual(["4 a=3", "5 b=3"]);
    expect(cluster.log("accounts")).toMatchObject({ logStartOffset: 0n, highWatermark: 6n });
    const records = await cluster.waitForRecords("accounts", 2);
    expect(records.map(({ value }) => String(value))).toEqual(["3", "3"]);
  });

  test("one partition of them is, and the others are not", async () => {
    for (const partition of [0, 1]) for (const value of ["1", "2"]) await send("accounts", "a", value, partition);
    await cluster.cleanUp("accounts", 1);
    expect(await read("accounts", 0)).toHaveLength(2);
    expect(await read("accounts", 1)).toEqual(["1 a=2"]);
  });

  test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("records of %s are looked into", async (codec) => {
    const { bootstrapServers } = cluster;
    const types = { keySerializer: string, valueSerializer: string, compressionType: codec };
    await using writer = new KafkaProducer({ bootstrapServers, ...types });
    const headers = [{ key: "source", value: "test" }];
    const batch = ["1", "2", "3"].flatMap((value) =>
      ["a", "b"].map((key) => ({ topic: "accounts", partition: 0, key, value: value.repeat(100), headers })),
    );
    await writer.sendBatch(batch);
    await cluster.cleanUp("accounts");
    expect(await read("accounts")).toEqual([`4 a=${"3".repeat(100)}`, `5 b=${"3".repeat(100)}`]);
    const [record] = await cluster.log("accounts").records();
    expect(record?.headers).toEqual([{ key: "source", value: Buffer.from("test") }]);
  });

  test("a tombstone is there to be seen for a day, and then is not", async () => {
    await send("accounts", "a", "1");
    await send("accounts", "a", null);
    await send("accounts", "b", "1");
    await cluster.cleanUp("accounts");
    expect(await read("accounts")).toEqual(["1 a=null", "2 b=1"]);
    clock.advance(24 * hourMs - 1);
    await cluster.cleanUp("accounts");
    expect(await read("accounts")).toEqual(["1 a=null", "2 b=1"]);
    clock.advance(1);
    await cluster.cleanUp("accounts");
    expect(await read("accounts")).toEqual(["2 b=1"]);
  });

  test("a consumer reads over what is gone", async () => {
    for (const value of ["1", "2"]) for (const key of ["a", "b", "c"]) await send("accounts", key, value);
    await send("accounts", "c", null);
    await cluster.cleanUp("accounts");
    clock.advance(24 * hourMs);
    await cluster.cleanUp("accounts");
    const { bootstrapServers } = cluster;
    await using consumer = new KafkaConsumer({ bootstrapServers, keyDeserializer: string, valueDeserializer: string });
    const partition = { topic: "accounts", partition: 0 };
    consumer.assign([partition]);
    consumer.seekToBeginning([partition]);
    const values: string[] = [];
    // Nothing is left at the end, and the position has to come to it all the same.
    while ((await consumer.position(partition)) < 7n) {
      for (const { key, value } of await consumer.poll(1_000)) values.push(`${key}=${value}`);
    }
    expect(values).toEqual(["a=2", "b=2"]);
    await send("accounts", "d", "1");
    for (const { key, value } of await consumer.poll(5_000)) values.push(`${key}=${value}`);
    expect(values).toEqual(["a=2", "b=2", "d=1"]);
  });

  test("a compacted log starts where records were deleted, and counts those that are left", async () => {
    for (const value of ["1", "2"]) for (const key of ["a", "b"]) await send("views", key, value);
    await cluster.cleanUp("views");
    clock.advance(2 * hourMs + 60_000);
    await cluster.cleanUp("views");
    expect(await read("views")).toEqual([]);
    expect(cluster.log("views")).toMatchObject({ logStartOffset: 4n, highWatermark: 4n, sizeInBytes: 0 });
  });

  test("other topics keep what they have", async () => {
    for (const value of ["1", "2"]) await send("orders", "a", value);
    await cluster.cleanUp("orders");
    expect(await read("orders")).toEqual(["0 a=1", "1 a=2"]);
  });

  test("what there is not is refused", async () => {
    await expect(cluster.cleanUp("nowhere")).rejects.toThrow(/no topic nowhere/);
    await expect(cluster.cleanUp("accounts", 2)).rejects.toThrow(/no partition accounts-2/);
  });

  test("a producer goes on behind what was compacted", async () => {
    for (const value of ["1", "2", "3"]) await send("accounts", "a", value);
    await cluster.cleanUp("accounts");
    await send("accounts", "a", "4");
    expect(await read("accounts")).toEqual(["2 a=3", "3 a=4"]);
    expect(cluster.log("accounts").batches.map(({ baseSequence }) => baseSequence)).toEqual([2, 3]);
  });
});

describe("by the clock", () => {
  test("records are gone once they are too old and somebody looked, and a consumer that was there is out of range", async () => {
    for (const value of ["1", "2"]) await send("orders", "a", value);
    const { bootstrapServers } = cluster;
    await using consumer = new KafkaConsumer({ bootstrapServers, autoOffsetReset: "none" });
    consumer.assign([{ topic: "orders", partition: 0 }]);
    consumer.seek({ topic: "orders", partition: 0 }, 0);
    clock.advance(hourMs);
    expect(await read("orders")).toHaveLength(2);
    clock.advance(hourMs + 300_000 + 60_000);
    expect(cluster.log("orders")).toMatchObject({ logStartOffset: 2n, highWatermark: 2n });
    await expect(consumer.poll(5_000)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  });

  test("a topic is compacted once a segment is closed and half of it is new", async () => {
    for (const value of ["1", "2"]) await send("accounts", "a", value);
    clock.advance(hourMs);
    expect(await read("accounts")).toHaveLength(2);
    await producer.send({
      topic: "accounts",
      partition: 0,
      key: "b",
      value: "1",
      timestamp: clock.now() + 8 * 24 * hourMs,
    });
    clock.advance(15_000);
    await until(() => cluster.log("accounts").batches.length === 2);
    expect(await read("accounts")).toEqual(["1 a=2", "2 b=1"]);
  });

  test.each(["classic", "consumer"] as const)(
    "a group of the %s protocol that nobody is in forgets its offsets after a week, and not before",
    async (groupProtocol) => {
      await send("orders", "a", "1");
      const { bootstrapServers } = cluster;
      const consumer = new KafkaConsumer({
        bootstrapServers,
        groupId: "g",
        groupProtocol,
        autoOffsetReset: "earliest",
      });
      consumer.subscribe(["orders"]);
      await cluster.waitForRecords("orders", 1);
      let count = 0;
      while (count === 0) count = (await consumer.poll(1_000)).count;
      await consumer.commitSync();
      await consumer.close();
      clock.advance(7 * 24 * hourMs - 600_000);
      expect(cluster.committed("g")).toHaveLength(1);
      clock.advance(1_200_000);
      expect(cluster.committed("g")).toEqual([]);
    },
  );

  test("offsets that a group without members keeps grow old with each commit", async () => {
    const { bootstrapServers } = cluster;
    await using consumer = new KafkaConsumer({ bootstrapServers, groupId: "g" });
    const partition = { topic: "orders", partition: 0 };
    consumer.assign([partition]);
    for (let day = 0; day < 10; day += 5) {
      await consumer.commitSync([{ ...partition, offset: 1 }]);
      clock.advance(5 * 24 * hourMs);
    }
    expect(cluster.committed("g")).toHaveLength(1);
    clock.advance(3 * 24 * hourMs);
    expect(cluster.committed("g")).toEqual([]);
  });

  test("nothing happens any more once the cluster is closed", async () => {
    await send("orders", "a", "1");
    await producer.close();
    await cluster.close();
    clock.advance(1_000 * hourMs);
    expect(await read("orders")).toHaveLength(1);
  });
});
