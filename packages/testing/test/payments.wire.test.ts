import { spawn } from "node:child_process";
import { once } from "node:events";
import { Kafka, logLevel } from "kafkajs";
import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { describe, expect, test } from "vitest";
import { until } from "../../network/test/until.ts";
import { type Fault, KafkaCluster, ManualClock } from "../src/index.ts";

// What whoever tests a service that moves money asks of the cluster.

const topics = { payments: { partitions: 3 }, ledger: { partitions: 3 } };

/** Books payments: reads, writes and commits in one transaction, batch by batch. */
class Bookkeeper {
  readonly #consumer: KafkaConsumer<string, string>;
  readonly #producer: KafkaProducer<string, string>;
  readonly #running: Promise<void>;
  #isStopped = false;
  /** Transactions that were aborted, and begun again. */
  aborted = 0;

  constructor(bootstrapServers: readonly string[], id = "books-1") {
    this.#consumer = new KafkaConsumer({
      bootstrapServers,
      groupId: "books",
      clientId: "bookkeeper",
      autoOffsetReset: "earliest",
      enableAutoCommit: false,
      isolationLevel: "read_committed",
      keyDeserializer: string,
      valueDeserializer: string,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 100,
      retryBackoffMs: 5,
    });
    this.#producer = new KafkaProducer({
      bootstrapServers,
      clientId: "bookkeeper",
      transactionalId: id,
      keySerializer: string,
      valueSerializer: string,
      retryBackoffMs: 5,
    });
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    await this.#producer.initTransactions();
    this.#consumer.subscribe(["payments"]);
    while (!this.#isStopped) {
      const records = await this.#consumer.poll(50);
      if (records.count === 0) continue;
      try {
        this.#producer.beginTransaction();
        for (const { key, value } of records) {
          void this.#producer.send({ topic: "ledger", key, value: `booked ${value}` }).catch(() => {});
        }
        await this.#producer.flush();
        await this.#producer.sendOffsetsToTransaction(records.nextOffsets(), this.#consumer.groupMetadata());
        await this.#producer.commitTransaction();
      } catch {
        this.aborted += 1;
        await this.#producer.abortTransaction();
        for (const partition of this.#consumer.assignment()) {
          const [committed] = await this.#consumer.committed([partition]);
          this.#consumer.seek(partition, committed?.offset ?? 0n);
        }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    try {
      await this.#running;
    } finally {
      await this.#consumer.close();
      await this.#producer.close();
    }
  }
}

async function pay(cluster: KafkaCluster, amounts: readonly number[]): Promise<void> {
  const { bootstrapServers } = cluster;
  await using producer = new KafkaProducer({ bootstrapServers, clientId: "shop", valueSerializer: string });
  await producer.sendBatch(amounts.map((amount) => ({ topic: "payments", value: `${amount}` })));
}

const booked = async (cluster: KafkaCluster, count: number): Promise<string[]> =>
  (await cluster.waitForRecords("ledger", count, { timeoutMs: 15_000 })).map(({ value }) => String(value)).sort();

const amounts = Array.from({ length: 20 }, (_, index) => index + 10);
const expected = amounts.map((amount) => `booked ${amount}`).sort();

describe("each payment is booked once", () => {
  test.each<[string, (cluster: KafkaCluster) => Fault]>([
    ["when the answer to a commit is lost", (cluster) => cluster.closeAfter(0, { api: "EndTxn" })],
    [
      "when offsets are refused in the middle",
      (cluster) => cluster.fail("TxnOffsetCommit", "COORDINATOR_NOT_AVAILABLE"),
    ],
    ["when it is told to abort", (cluster) => cluster.fail("EndTxn", "TRANSACTION_ABORTABLE")],
    [
      "when the ledger has no leader for a moment",
      (cluster) => cluster.fail("Produce", "NOT_LEADER_OR_FOLLOWER", { topic: "ledger", times: 3 }),
    ],
    [
      "when answers to it alone are lost",
      (cluster) => cluster.closeAfter(0, { api: "Produce", when: ({ clientId }) => clientId === "bookkeeper" }),
    ],
    ["when brokers are slow", (cluster) => cluster.delay("Produce", 300, { times: 3 })],
    ["when brokers say that they are over their quota", (cluster) => cluster.throttle("Produce", 100, { times: 2 })],
    ["when answers come byte by byte", (cluster) => cluster.splitWrites(1, { times: 10 })],
  ])("%s", async (_, arrange) => {
    await using cluster = await KafkaCluster.start({ brokers: 3, topics });
    const fault = arrange(cluster);
    await using _bookkeeper = new Bookkeeper(cluster.bootstrapServers);
    await pay(cluster, amounts);
    expect(await booked(cluster, amounts.length)).toEqual(expected);
    await cluster.waitForCommitted("books", "payments");
    expect(fault.hits).toBeGreaterThan(0);
  });

  test("when each broker is killed and started again", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 3, topics });
    await using _bookkeeper = new Bookkeeper(cluster.bootstrapServers);
    let count = 0;
    for (const id of [1, 2, 3]) {
      await cluster.broker(id).stop();
      await pay(cluster, amounts.slice(count, count + 5));
      count += 5;
      await booked(cluster, count);
      await cluster.broker(id).start();
    }
    expect(await booked(cluster, count)).toEqual(expected.slice(0, count));
  });

  test("when all brokers are gone for a while", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 2, topics });
    await using _bookkeeper = new Bookkeeper(cluster.bootstrapServers);
    await pay(cluster, amounts.slice(0, 10));
    await booked(cluster, 10);
    for (const id of [1, 2]) await cluster.broker(id).stop();
    for (const id of [1, 2]) await cluster.broker(id).start();
    await pay(cluster, amounts.slice(10));
    expect(await booked(cluster, amounts.length)).toEqual(expected);
  });

  test("when leaders and coordinators move under it, and members are thrown out", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 3, topics });
    await using _bookkeeper = new Bookkeeper(cluster.bootstrapServers);
    await pay(cluster, amounts.slice(0, 5));
    await booked(cluster, 5);
    for (const partition of [0, 1, 2]) {
      cluster.moveLeader("ledger", partition, (cluster.log("ledger", partition).leader % 3) + 1);
    }
    await pay(cluster, amounts.slice(5, 10));
    await booked(cluster, 10);
    for (const id of [1, 2, 3]) {
      cluster.moveCoordinator("books", id);
      cluster.moveTransactionCoordinator("books-1", id);
    }
    await pay(cluster, amounts.slice(10, 15));
    await booked(cluster, 15);
    cluster.expireSession("books");
    await pay(cluster, amounts.slice(15));
    expect(await booked(cluster, amounts.length)).toEqual(expected);
  });

  test("when a second bookkeeper comes, and the first goes", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 3, topics });
    await using _second = await (async () => {
      await using _first = new Bookkeeper(cluster.bootstrapServers, "books-1");
      await pay(cluster, amounts.slice(0, 10));
      await booked(cluster, 10);
      const second = new Bookkeeper(cluster.bootstrapServers, "books-2");
      await pay(cluster, amounts.slice(10, 15));
      await booked(cluster, 15);
      return second;
    })();
    await pay(cluster, amounts.slice(15));
    expect(await booked(cluster, amounts.length)).toEqual(expected);
  });

  test("when hours pass at the brokers", async () => {
    const clock = new ManualClock();
    await using cluster = await KafkaCluster.start({ brokers: 3, topics, clock });
    await using _bookkeeper = new Bookkeeper(cluster.bootstrapServers);
    await pay(cluster, amounts.slice(0, 10));
    await booked(cluster, 10);
    clock.advance(3 * 3_600_000);
    // Time goes on at the brokers, who would hold back for ever a Fetch that finds nothing new.
    const ticking = setInterval(() => clock.advance(100), 100);
    try {
      await pay(cluster, amounts.slice(10));
      expect(await booked(cluster, amounts.length)).toEqual(expected);
    } finally {
      clearInterval(ticking);
    }
  });
});

test("clusters in one process know nothing of each other", async () => {
  await using eu = await KafkaCluster.start({ topics });
  await using us = await KafkaCluster.start({ topics });
  eu.fail("Produce", "NOT_ENOUGH_REPLICAS", { times: Number.POSITIVE_INFINITY });
  await pay(us, [1, 2]);
  expect(await us.waitForRecords("payments", 2)).toHaveLength(2);
  expect(await eu.waitForRecords("payments", 0)).toEqual([]);
  expect(eu.clusterId).not.toBe(us.clusterId);
  await us.close();
  const { bootstrapServers } = eu;
  const impatient = { requestTimeoutMs: 100, deliveryTimeoutMs: 200, retryBackoffMs: 5 };
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string, ...impatient });
  await expect(producer.send({ topic: "payments", value: "1" })).rejects.toThrow();
});

test("a test hears how much of a topic a group has left", async () => {
  await using cluster = await KafkaCluster.start({ topics });
  const { bootstrapServers } = cluster;
  await pay(cluster, [1, 2, 3]);
  await expect(cluster.waitForCommitted("books", "payments", { timeoutMs: 10 })).rejects.toThrow(
    "the group books has 3 records of payments left after 10 ms",
  );
  await expect(cluster.waitForCommitted("books", "nowhere")).rejects.toThrow(/no topic nowhere/);
  await using consumer = new KafkaConsumer({ bootstrapServers, groupId: "books", autoOffsetReset: "earliest" });
  consumer.subscribe(["payments"]);
  const waiting = cluster.waitForCommitted("books", "payments");
  let count = 0;
  while (count < 3) count += (await consumer.poll(1_000)).count;
  await consumer.commitSync();
  const offsets = (await waiting).map(({ partition, offset }) => [partition, offset]);
  expect(offsets).toEqual(cluster.committed("books").map(({ partition, offset }) => [partition, offset]));
  // Nothing is left in a topic that has nothing.
  expect(await cluster.waitForCommitted("books", "ledger")).toEqual([]);
});

test("a service for kafkajs that stops in the middle of a batch goes on where it committed", async () => {
  await using cluster = await KafkaCluster.start({ topics: { payments: {} } });
  await pay(cluster, [1, 2, 3, 4]);
  const kafka = new Kafka({ brokers: cluster.bootstrapServers, logLevel: logLevel.NOTHING });
  const seen: string[] = [];
  const run = async (isBroken: boolean) => {
    const consumer = kafka.consumer({ groupId: "books", retry: { retries: 0, restartOnFailure: async () => false } });
    await consumer.connect();
    await consumer.subscribe({ topics: ["payments"], fromBeginning: true });
    const crashed = new Promise((resolve) => consumer.on("consumer.crash", resolve));
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (isBroken && String(message.value) === "3") throw new Error("no");
        seen.push(String(message.value));
      },
    });
    if (isBroken) await crashed;
    else await until(() => seen.length === 4);
    await consumer.disconnect();
  };
  await run(true);
  expect(cluster.committed("books")).toMatchObject([{ offset: 2n }]);
  await run(false);
  expect(seen).toEqual(["1", "2", "3", "4"]);
});

test("what is closed keeps no process alive, whoever is still connected", async () => {
  const program = `
    const { KafkaCluster } = require(${JSON.stringify(new URL("../dist/index.js", import.meta.url).pathname)});
    const { connect } = require("node:net");
    KafkaCluster.start({ brokers: 3, topics: { payments: {} } }).then(async (cluster) => {
      const [host, port] = cluster.bootstrapServers[0].split(":");
      const socket = connect({ host, port: Number(port) });
      await new Promise((resolve) => socket.once("connect", resolve));
      cluster.fail("Produce", "NOT_LEADER_OR_FOLLOWER");
      cluster.waitForRecords("payments", 1).catch(({ message }) => console.log(message));
      cluster.waitFor("Fetch").catch(({ message }) => console.log(message));
      await cluster.close();
    });
  `;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  expect(output).toBe("the cluster was closed\nthe cluster was closed\n");
});
