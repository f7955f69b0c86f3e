import { codeOf } from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../network/test/until.ts";
import { KafkaCluster, ManualClock } from "../src/index.ts";
import { fetch } from "./behaviour/fetching.ts";
import { produce } from "./behaviour/producing.ts";
import { batchOf, RawKafka, type RawTopic } from "./behaviour/raw-kafka.ts";

let cluster: KafkaCluster;
let kafka: RawKafka;
let topic: RawTopic;

beforeEach(async () => {
  cluster = await KafkaCluster.start({ brokers: 3 });
  kafka = await RawKafka.connect(cluster.bootstrapServers);
  topic = await kafka.topic(2, {}, 3);
});

afterEach(async () => {
  await kafka.close();
  await cluster.close();
});

const askMetadata = () => kafka.ask(Metadata, 12, { topics: [] });
const producerOptions = () => ({
  ...{ bootstrapServers: cluster.bootstrapServers, valueSerializer: string, retryBackoffMs: 1 },
});
const newProducer = () => new KafkaProducer(producerOptions());

describe("requests that fail", () => {
  test("so many times, and then no more", async () => {
    const fault = cluster.fail("Produce", "NOT_ENOUGH_REPLICAS", { times: 2 });
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push((await produce(kafka, topic, batchOf(["a"]))).errorCode);
    const code = codeOf("NOT_ENOUGH_REPLICAS");
    expect(answers).toEqual([code, code, 0]);
    expect(fault.hits).toBe(2);
  });

  test("for one partition of them", async () => {
    cluster.fail("Produce", "KAFKA_STORAGE_ERROR", { topic: topic.name, partition: 1, times: 9 });
    expect(await produce(kafka, topic, batchOf(["a"]), { partition: 0 })).toMatchObject({ errorCode: 0 });
    const failed = await produce(kafka, topic, batchOf(["a"]), { partition: 1 });
    expect(failed).toMatchObject({ errorCode: codeOf("KAFKA_STORAGE_ERROR") });
  });

  test("until the fault is removed", async () => {
    const fault = cluster.fail("Produce", "REQUEST_TIMED_OUT", { times: 100 });
    expect((await produce(kafka, topic, batchOf(["a"]))).errorCode).toBe(codeOf("REQUEST_TIMED_OUT"));
    fault.remove();
    expect((await produce(kafka, topic, batchOf(["a"]))).errorCode).toBe(0);
  });

  test("as whole requests, where partitions have no errors of their own", () => {
    expect(() => cluster.fail("Heartbeat", "REBALANCE_IN_PROGRESS", { topic: "t" })).toThrow(/leave out topic/);
  });

  test("of one client, and not of another that asks the same", async () => {
    const fault = cluster.fail("Produce", "NOT_ENOUGH_REPLICAS", { when: ({ clientId }) => clientId === "service" });
    expect((await produce(kafka, topic, batchOf(["a"]))).errorCode).toBe(0);
    await using service = new KafkaProducer({ ...producerOptions(), clientId: "service" });
    await service.send({ topic: topic.name, value: "a" });
    expect(fault.hits).toBe(1);
  });

  test("by what they ask, and by how many of them came", async () => {
    const asked: number[] = [];
    const fault = cluster.closeAfter(0, {
      api: "Produce",
      when({ body }) {
        asked.push(body.acks);
        return asked.length === 2;
      },
    });
    const produceOnce = () => produce(kafka, topic, batchOf(["a"]), { acks: 1 });
    expect((await produceOnce()).errorCode).toBe(0);
    await expect(produceOnce()).rejects.toThrow("the broker closed the connection");
    expect(asked).toEqual([1, 1]);
    expect(fault.hits).toBe(1);
  });

  test("under the code of an error as under its name", async () => {
    cluster.fail("Produce", codeOf("NOT_ENOUGH_REPLICAS"), { partition: 1 });
    expect((await produce(kafka, topic, batchOf(["a"]), { partition: 0 })).errorCode).toBe(0);
    const code = codeOf("NOT_ENOUGH_REPLICAS");
    expect((await produce(kafka, topic, batchOf(["a"]), { partition: 1 })).errorCode).toBe(code);
  });

  test.each<[string, () => unknown, RegExp]>([
    ["an API", () => cluster.fail("Fetsch" as "Fetch", 6), /no API Fetsch; there are .*Fetch/],
    ["an API to wait for", () => cluster.requests("Fetsch" as "Fetch"), /no API Fetsch/],
    ["an error", () => cluster.fail("Fetch", 4_711), /4711 is no error/],
    ["an error's name", () => cluster.fail("Fetch", "OOPS" as "NONE"), /OOPS is no error/],
    ["success", () => cluster.fail("Fetch", "NONE"), /NONE is no error/],
    ["no times", () => cluster.fail("Fetch", 6, { times: 0 }), /times is 0/],
    ["a partition", () => cluster.fail("Fetch", 6, { partition: -1 }), /partition is -1/],
    ["no function", () => cluster.delay("Fetch", 1, { when: "now" as unknown as () => boolean }), /when is a string/],
    ["a broker", () => cluster.delay("Fetch", 1, { broker: 4 }), /no broker 4; there are 1 to 3/],
    ["a time", () => cluster.delay("Fetch", Number.NaN), /ms is NaN/],
    ["a time to wait", () => cluster.throttle("Fetch", -1), /ms is -1/],
    ["a size", () => cluster.closeAfter(-1), /bytes is -1/],
    ["a size of pieces", () => cluster.splitWrites(0), /bytes is 0/],
    ["an offset", () => cluster.truncate(topic.name, 0, 1), /cannot end at 1: there is 0 to 0/],
    ["a topic", () => cluster.bumpEpoch("nowhere", 0), /no partition nowhere-0/],
  ])("and what there is not is refused by name: %s", (_, arrange, message) => {
    expect(arrange).toThrow(message);
  });

  test("and a producer gets over it", async () => {
    cluster.fail("Produce", "NOT_LEADER_OR_FOLLOWER", { times: 2 });
    await using producer = newProducer();
    expect(await producer.send({ topic: topic.name, partition: 0, value: "a" })).toMatchObject({ offset: 0n });
    expect(cluster.requests("Produce")).toHaveLength(3);
  });
});

describe("answers that go astray", () => {
  test("lost: what was asked is done, and done once", async () => {
    const fault = cluster.closeAfter(0, { api: "Produce" });
    await using producer = newProducer();
    expect(await producer.send({ topic: topic.name, partition: 0, value: "a" })).toMatchObject({ offset: 0n });
    expect(fault.hits).toBe(1);
    expect(cluster.requests("Produce")).toHaveLength(2);
    expect(await cluster.log(topic.name).records()).toHaveLength(1);
  });

  test("never sent: the connection stays silent", async () => {
    cluster.dropResponse("Metadata");
    const silent = askMetadata();
    await cluster.waitFor("Metadata", ({ body }) => body.topics?.length === 0);
    cluster.broker(1).disconnectAll();
    await expect(silent).rejects.toThrow(/closed/);
  });

  test("cut in the middle", async () => {
    cluster.closeAfter(10, { api: "Metadata" });
    await expect(askMetadata()).rejects.toThrow(/closed/);
  });

  test("in pieces of one byte", async () => {
    const fault = cluster.splitWrites(1);
    expect((await askMetadata()).brokers).toHaveLength(3);
    expect(fault.hits).toBe(1);
  });

  test("with a word about a quota", async () => {
    cluster.throttle("Metadata", 123);
    expect(await askMetadata()).toMatchObject({ throttleTimeMs: 123 });
    expect(await askMetadata()).toMatchObject({ throttleTimeMs: 0 });
  });
});

describe("leaders", () => {
  test("move, and their epoch rises", async () => {
    await produce(kafka, topic, batchOf(["a"]));
    const { leader, replicas } = cluster.log(topic.name);
    const next = replicas.find((id) => id !== leader) ?? -1;
    cluster.moveLeader(topic.name, 0, next);
    expect(cluster.log(topic.name)).toMatchObject({ leader: next, leaderEpoch: 1 });
    const late = await produce(kafka, topic, batchOf(["b"]), { broker: leader });
    const moved = { leaderId: next, leaderEpoch: 1 };
    expect(late).toMatchObject({ errorCode: codeOf("NOT_LEADER_OR_FOLLOWER"), currentLeader: moved });
    const fenced = await fetch(kafka, topic, 0n, { currentLeaderEpoch: 0 });
    expect(fenced).toMatchObject({ errorCode: codeOf("FENCED_LEADER_EPOCH"), currentLeader: moved });
    expect(() => cluster.moveLeader(topic.name, 0, 99)).toThrow(RangeError);
  });

  test("stop, and others lead", async () => {
    const { leader } = cluster.log(topic.name);
    await cluster.broker(leader).stop();
    const after = cluster.log(topic.name);
    expect(after.leader).not.toBe(leader);
    expect(after.leaderEpoch).toBe(1);
    await cluster.broker(leader).start();
    expect(cluster.log(topic.name).leader).toBe(after.leader);
  });

  test("are missed by a producer for a moment", async () => {
    await using producer = newProducer();
    await producer.send({ topic: topic.name, partition: 0, value: "a" });
    await cluster.broker(cluster.log(topic.name).leader).stop();
    expect(await producer.send({ topic: topic.name, partition: 0, value: "b" })).toMatchObject({ offset: 1n });
  });

  test("without enough replicas take nothing with acks all", async () => {
    const strict = await kafka.topic(1, { "min.insync.replicas": "3" }, 3);
    await cluster.broker(3).stop();
    const leader = cluster.log(strict.name).leader;
    const refused = await produce(kafka, strict, batchOf(["a"]), { broker: leader });
    expect(refused).toMatchObject({ errorCode: codeOf("NOT_ENOUGH_REPLICAS") });
    expect(await produce(kafka, strict, batchOf(["a"]), { broker: leader, acks: 1 })).toMatchObject({ errorCode: 0 });
  });

  test("lose records, which a reader finds out", async () => {
    for (const value of ["a", "b", "c"]) await produce(kafka, topic, batchOf([value]));
    cluster.truncate(topic.name, 0, 1);
    expect(cluster.log(topic.name)).toMatchObject({ highWatermark: 1n, leaderEpoch: 1 });
    await produce(kafka, topic, batchOf(["d"]));
    const diverging = await fetch(kafka, topic, 3n, { lastFetchedEpoch: 0 });
    expect(diverging).toMatchObject({ errorCode: codeOf("OFFSET_OUT_OF_RANGE") });
    const behind = await fetch(kafka, topic, 2n, { lastFetchedEpoch: 0 });
    expect(behind).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 1n } });
  });
});

test("a broker that is paused answers when it goes on", async () => {
  cluster.broker(1).pause();
  let isAnswered = false;
  const answer = askMetadata().then(() => {
    isAnswered = true;
  });
  // Another broker is not paused, and answers meanwhile.
  await kafka.ask(Metadata, 12, { topics: [] }, 2);
  expect(isAnswered).toBe(false);
  cluster.broker(1).resume();
  await answer;
});

test("a broker that is paused answers nothing, not what it was asked before either", async () => {
  const { leader } = cluster.log(topic.name);
  let isAnswered = false;
  const waiting = fetch(kafka, topic, 0n, { maxWaitMs: 60_000, minBytes: 1 }).then((answer) => {
    isAnswered = true;
    return answer;
  });
  await cluster.waitFor("Fetch");
  cluster.broker(leader).pause();
  // What the fetch waits for comes by way of another replica.
  const other = (leader % 3) + 1;
  cluster.moveLeader(topic.name, 0, other);
  await produce(kafka, topic, batchOf(["a"]), { broker: other });
  await kafka.ask(Metadata, 12, { topics: [] }, other);
  expect(isAnswered).toBe(false);
  cluster.broker(leader).resume();
  expect(await waiting).toMatchObject({ errorCode: 0, highWatermark: 1n });
});

test("a coordinator moves, with all that it knows", async () => {
  const bootstrapServers = cluster.bootstrapServers;
  await produce(kafka, topic, batchOf(["a"]));
  await using consumer = new KafkaConsumer({ bootstrapServers, groupId: "g", enableAutoCommit: false });
  consumer.assign([{ topic: topic.name, partition: 0 }]);
  await consumer.commitSync([{ topic: topic.name, partition: 0, offset: 1n }]);
  const { broker } = cluster.requests("OffsetCommit").at(-1) ?? { broker: 0 };
  cluster.moveCoordinator("g", (broker % 3) + 1);
  await consumer.commitSync([{ topic: topic.name, partition: 0, offset: 2n }]);
  expect(cluster.requests("OffsetCommit").at(-1)?.broker).toBe((broker % 3) + 1);
  expect(cluster.committed("g")).toMatchObject([{ offset: 2n }]);
});

test("a coordinator that is stopped is none", async () => {
  await cluster.broker(2).stop();
  expect(() => cluster.moveCoordinator("g", 2)).toThrow(/broker 2 is stopped/);
  expect(() => cluster.moveTransactionCoordinator("t", 2)).toThrow(/broker 2 is stopped/);
});

test("retention by size drops what is oldest", async () => {
  const small = await kafka.topic(1, { "retention.bytes": "10000" });
  for (let n = 0; n < 50; n++) await produce(kafka, small, batchOf(["x".repeat(1_000)]));
  const { sizeInBytes, logStartOffset, highWatermark } = cluster.log(small.name);
  expect(sizeInBytes).toBeLessThanOrEqual(12_000);
  expect(logStartOffset).toBeGreaterThan(35n);
  expect(highWatermark).toBe(50n);
});

test("time that is turned by hand ends sessions and transactions", async () => {
  const clock = new ManualClock();
  await using own = await KafkaCluster.start({ clock, topics: { ledger: {} } });
  await using producer = new KafkaProducer({
    bootstrapServers: own.bootstrapServers,
    transactionalId: "book",
    transactionTimeoutMs: 10_000,
    valueSerializer: string,
  });
  await producer.initTransactions();
  producer.beginTransaction();
  await producer.send({ topic: "ledger", value: "a" });
  expect(own.log("ledger")).toMatchObject({ highWatermark: 1n, lastStableOffset: 0n });
  clock.advance(9_999);
  expect(own.log("ledger").lastStableOffset).toBe(0n);
  clock.advance(1);
  expect(own.log("ledger")).toMatchObject({ highWatermark: 2n, lastStableOffset: 2n });
  expect(own.log("ledger").batches.at(-1)?.marker).toMatchObject({ type: "abort" });
  await expect(producer.commitTransaction()).rejects.toThrow();
});

test("a request is taken later, by the clock of the cluster", async () => {
  const clock = new ManualClock();
  await using own = await KafkaCluster.start({ clock });
  own.delay("Metadata", 1_000, { times: 2 });
  const connecting = RawKafka.connect(own.bootstrapServers);
  await own.waitFor("Metadata");
  clock.advance(1_000);
  const client = await connecting;
  expect(client.brokerIds).toEqual([1]);
  await client.close();
});

test("a member whose session ends joins again", async () => {
  const { bootstrapServers } = cluster;
  const options = { bootstrapServers, groupId: "g", heartbeatIntervalMs: 100 };
  await using consumer = new KafkaConsumer(options);
  consumer.subscribe([topic.name]);
  while (consumer.assignment().length < 2) await consumer.poll(20);
  const joins = cluster.requests("JoinGroup").length;
  cluster.expireSession("g");
  while (cluster.requests("JoinGroup").length < joins + 2) await consumer.poll(20);
  while (consumer.assignment().length < 2) await consumer.poll(20);
  expect(() => cluster.expireSession("g", "nobody")).toThrow(/no member nobody/);
});

test("a port that is taken is told of, and no other is kept", async () => {
  const listeners = () => process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
  const before = listeners();
  const taken = Number(cluster.bootstrapServers[0]?.split(":")[1]);
  await expect(KafkaCluster.start({ brokers: 2, port: taken - 1 })).rejects.toThrow(/EADDRINUSE/);
  await until(() => listeners() === before);
});

test.each<[object, RegExp]>([
  [{ brokers: 0 }, /brokers is 0/],
  [{ brokers: "3" }, /brokers is 3/],
  [{ version: "4.2" }, /version is 4.2; it must be one of 2.1, 3.9, 4.3/],
  [{ topics: ["orders"] }, /topics is orders; it must be an object/],
  [{ topics: { orders: 6 } }, /topics.orders is 6; it must be an object/],
  [{ topics: { orders: { partitions: 0 } } }, /topics.orders.partitions is 0/],
  [{ topics: { orders: { partitions: "6" } } }, /topics.orders.partitions is 6/],
  [{ topics: { orders: { replicationFactor: 2 } } }, /topics.orders.replicationFactor is 2; .* 1 to 1/],
  [{ topics: { orders: { configs: { "retention.bytes": 1 } } } }, /topics.orders.configs.retention.bytes is 1/],
  [{ topics: { orders: { configs: { retention: "1" } } } }, /retention/],
  [{ topics: { "no spaces": {} } }, /no spaces/],
])("options that cannot be are refused by name: %j", async (options, message) => {
  await expect(KafkaCluster.start(options)).rejects.toThrow(message);
});
