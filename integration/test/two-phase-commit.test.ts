import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DescribeTransactions } from "@odradek/protocol/messages/describe-transactions";
import { KafkaConsumer, KafkaProducer, PreparedTransactionState, type ProducerOptions, string } from "odradek";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { newName, opened } from "./opened.ts";
import { networkOf, withinAMinute } from "./requests.ts";

const unstable = { "unstable.api.versions.enable": "true" };

let cluster: KafkaCluster;
let bootstrapServers: readonly string[];
beforeAll(async () => {
  const properties = { ...unstable, "transaction.two.phase.commit.enable": "true" };
  cluster = await startCluster({ brokers: 1, properties });
  ({ bootstrapServers } = cluster);
});
afterAll(() => cluster?.stop());

function producerOf(options: Partial<ProducerOptions> = {}): KafkaProducer {
  const producer = new KafkaProducer({
    bootstrapServers,
    transactionalId: newName(),
    transactionTwoPhaseCommitEnable: true,
    ...options,
  });
  opened.push(producer);
  return producer;
}

async function newTopic(): Promise<string> {
  const name = newName();
  await cluster.createTopic({ name, partitions: 1 });
  return name;
}

/** What is committed, up to an end that is looked up now: of the log, which waits for open transactions, or of what may be seen. */
async function committed(topic: string, end: "of the log" | "of what may be seen" = "of the log"): Promise<string[]> {
  const options = { bootstrapServers, autoOffsetReset: "earliest", valueDeserializer: string } as const;
  await using consumer = new KafkaConsumer({ ...options, isolationLevel: "read_committed" });
  await using measuring = new KafkaConsumer(options);
  const partition = { topic, partition: 0 };
  consumer.assign([partition]);
  const [last] = await (end === "of the log" ? measuring : consumer).endOffsets([partition]);
  const values: string[] = [];
  while ((await consumer.position(partition)) < (last?.offset ?? 0n)) {
    for (const { value } of await consumer.poll(1_000)) values.push(value ?? "null");
  }
  return values;
}

/** What the coordinator, which is the only broker, says of a transactional id. */
async function coordinated(transactionalId: string) {
  const request = { transactionalIds: [transactionalId] };
  const options = { to: "any", deadline: withinAMinute() } as const;
  const answer = await networkOf({ bootstrapServers }).request(DescribeTransactions, request, options);
  const [found] = answer.transactionStates;
  if (found === undefined) throw new Error(`nothing is known of ${transactionalId}`);
  const { transactionState, transactionTimeoutMs, producerId, producerEpoch } = found;
  return { transactionState, transactionTimeoutMs, id: `${producerId}:${producerEpoch}` };
}

describe("a prepared transaction", () => {
  test.each([
    ["counts when it is completed with its own state", (state: string) => state, ["prepared", "next"]],
    ["does not count when it is completed with another", (state: string) => state.replace(/\d+$/, "32767"), ["next"]],
    ["does not count when it is completed with none", () => "", ["next"]],
  ])("is not seen and never times out, and %s", async (_, stored, expected) => {
    const topic = await newTopic();
    const transactionalId = newName();
    const producer = producerOf({ transactionalId });
    await producer.initTransactions();
    producer.beginTransaction();
    const sent = producer.send({ topic, value: "prepared" });
    const state = await producer.prepareTransaction();
    await sent;
    expect(await coordinated(transactionalId)).toEqual({
      transactionState: "Ongoing",
      // Of transactions that do not time out.
      transactionTimeoutMs: 0x7fff_ffff,
      id: `${state}`,
    });
    await expect(producer.send({ topic, value: "late" })).rejects.toMatchObject({ code: "STATE", persisted: "no" });
    expect(await committed(topic, "of what may be seen")).toEqual([]);
    await producer.completeTransaction(PreparedTransactionState.parse(stored(`${state}`)));
    await producer.transaction(() => producer.send({ topic, value: "next" }));
    expect(await committed(topic)).toEqual(expected);
  });

  test("is left open by the close of its producer, until the next one of its id has it aborted", async () => {
    const topic = await newTopic();
    const transactionalId = newName();
    const first = producerOf({ transactionalId });
    await first.initTransactions();
    first.beginTransaction();
    await first.send({ topic, value: "prepared" });
    const state = await first.prepareTransaction();
    await first.close();
    expect(await coordinated(transactionalId)).toMatchObject({ transactionState: "Ongoing", id: `${state}` });
    const next = producerOf({ transactionalId });
    await next.initTransactions();
    await next.transaction(() => next.send({ topic, value: "next" }));
    expect(await committed(topic)).toEqual(["next"]);
  });
});

const program = `
  const { KafkaProducer } = require("odradek");
  const { topic, ...options } = JSON.parse(process.argv[1]);
  const producer = new KafkaProducer(options);
  (async () => {
    await producer.initTransactions();
    producer.beginTransaction();
    await producer.send({ topic, value: "prepared" });
    console.log(String(await producer.prepareTransaction()));
    setInterval(() => {}, 1_000);
  })();
`;

/** Has a process prepare a transaction, and kills it. @returns what it would have stored */
async function preparedAndKilled(topic: string, transactionalId: string): Promise<string> {
  const options = { bootstrapServers, topic, transactionalId, transactionTwoPhaseCommitEnable: true };
  const { pathname: cwd } = new URL(".", import.meta.url);
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, ["-e", program, JSON.stringify(options)], { cwd, stdio: [...stdio] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  child.kill("SIGKILL");
  await ended;
  return String(value);
}

describe("what a killed process has prepared", () => {
  test("is open still, and aborted by the ordinary call of the next process", async () => {
    const [topic, transactionalId] = [await newTopic(), newName()];
    const stored = await preparedAndKilled(topic, transactionalId);
    expect(await coordinated(transactionalId)).toMatchObject({ transactionState: "Ongoing", id: stored });
    const next = producerOf({ transactionalId });
    await next.initTransactions();
    await next.transaction(() => next.send({ topic, value: "next" }));
    expect(await committed(topic)).toEqual(["next"]);
  });

  test("is not lost when it is to be kept by a broker that cannot do that yet, and says so", async () => {
    const [topic, transactionalId] = [await newTopic(), newName()];
    const stored = await preparedAndKilled(topic, transactionalId);
    const next = producerOf({ transactionalId });
    await expect(next.initTransactions({ keepPreparedTransaction: true })).rejects.toMatchObject({
      code: "UNSUPPORTED_VERSION",
      abortable: false,
      message: expect.stringContaining("broker 1, the coordinator of "),
    });
    expect(await coordinated(transactionalId)).toMatchObject({ transactionState: "Ongoing", id: stored });
    expect(await committed(topic, "of what may be seen")).toEqual([]);
  });
});

describe("a broker without two-phase commit", () => {
  test("that does not offer its version is told apart, and has the producer before go on", async () => {
    const transactionalId = newName();
    const shared = { bootstrapServers: inject("bootstrapServers"), transactionalId };
    const before = producerOf({ ...shared, transactionTwoPhaseCommitEnable: false });
    await before.initTransactions();
    await expect(producerOf(shared).initTransactions()).rejects.toMatchObject({
      code: "UNSUPPORTED_VERSION",
      message: expect.stringContaining(
        "set unstable.api.versions.enable=true and transaction.two.phase.commit.enable=true",
      ),
    });
    await before.transaction(async () => {});
  });

  test("that has it switched off says that it may not be used", async () => {
    await using switchedOff = await startCluster({ brokers: 1, properties: unstable });
    await expect(
      producerOf({ bootstrapServers: switchedOff.bootstrapServers }).initTransactions(),
    ).rejects.toMatchObject({
      code: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
      message: expect.stringContaining("the broker needs transaction.two.phase.commit.enable=true"),
    });
  });
});

test("the example pays in the topic and in the ledger", async () => {
  const topic = await newTopic();
  const folder = await mkdtemp(join(tmpdir(), "odradek-ledger-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ledger = join(folder, "ledger.json");
  const example = fileURLToPath(new URL("../../examples/dist/two-phase-commit.js", import.meta.url));
  const env = { ...process.env, BOOTSTRAP_SERVERS: bootstrapServers.join(",") };
  for (const order of ["order-1", "order-2"]) {
    const args = [example, topic, ledger, order];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 });
    expect(stdout).toBe(`${order}: paid\n`);
  }
  expect(JSON.parse(await readFile(ledger, "utf8"))).toEqual({ paid: ["order-1", "order-2"], prepared: "" });
  expect(await committed(topic)).toEqual(["paid", "paid"]);
});
