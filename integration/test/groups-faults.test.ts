import { type Coordinator, Coordinators, systemClock } from "@odradek/network";
import { KafkaProducer, string } from "odradek";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { until } from "../cluster/readiness.ts";
import { GroupChild } from "./group-child.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { newName, opened } from "./opened.ts";
import { networkOf, withinAMinute } from "./requests.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  // The others take over from a broker that is silent for this long.
  cluster = await startCluster({ own: true, properties: { "broker.session.timeout.ms": "3000" } });
});
afterAll(() => cluster?.stop());

const when = (what: string, holds: () => boolean): Promise<void> => until(what, async () => holds() || "not yet");

/** One partition for each broker to lead, and all of them with three replicas. */
async function newTopic(): Promise<string> {
  const topic = newName();
  await cluster.createTopic({
    name: topic,
    replicas: [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
    ],
  });
  return topic;
}

/** Who coordinates a group. */
async function coordinatorOf(groupId: string): Promise<Coordinator | undefined> {
  const { bootstrapServers } = cluster;
  const network = networkOf({ bootstrapServers });
  const coordinators = new Coordinators(network, { retryBackoffMs: 100, retryBackoffMaxMs: 1_000 }, systemClock);
  return (await coordinators.find("group", [groupId], withinAMinute())).get(groupId);
}

/** Writes numbered values all the time, round the partitions. */
class Writing implements AsyncDisposable {
  readonly #producer: KafkaProducer<Uint8Array, string>;
  readonly #writing: Promise<void>;
  #isOver = false;
  count = 0;

  constructor(topic: string) {
    const { bootstrapServers } = cluster;
    this.#producer = new KafkaProducer({ bootstrapServers, valueSerializer: string, requestTimeoutMs: 5_000 });
    this.#writing = this.#write(topic);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#producer.close();
  }

  async #write(topic: string): Promise<void> {
    while (!this.#isOver) {
      await this.#producer.send({ topic, partition: this.count % 3, value: `${this.count}` });
      this.count += 1;
    }
  }
}

describe.each([
  ["classic", { sessionTimeoutMs: 30_000 }],
  ["consumer", { groupProtocol: "consumer" }],
] as const)("a group of the %s protocol", (_protocol, options) => {
  test("goes on when its coordinator is killed, and when that is back: nothing is missed, and none has two owners", async () => {
    const topic = await newTopic();
    await using writing = new Writing(topic);
    const ledger = new GroupLedger();
    const { bootstrapServers } = cluster;
    const members = ["one", "two"].map((name) => {
      const member = new Member(name, [topic], ledger, {
        bootstrapServers,
        groupId: topic,
        autoCommitIntervalMs: 200,
        requestTimeoutMs: 5_000,
        ...options,
      });
      opened.push(member);
      return member.start();
    });
    await when("the members share", () => `${ledger.shares(members)}` === "1,2");
    const nodeId = await coordinatorOf(topic);
    const coordinator = cluster.brokers.find(({ id }) => id === nodeId)!;
    await coordinator.kill();
    const read = ledger.read.size;
    await when("it reads without its coordinator", () => ledger.read.size > read + 100);
    await coordinator.restart();
    const again = ledger.read.size;
    await when("it reads when that is back", () => ledger.read.size > again + 100);
    await writing.stop();
    await when("all is read", () => ledger.read.size === writing.count);
    await when("the members share still", () => `${ledger.shares(members)}` === "1,2");
    expect([ledger.wrongs, ...members.map(({ error }) => error)]).toEqual([[], null, null]);
  });
});

describe("a member in a process of its own", () => {
  const options = () => ({
    bootstrapServers: cluster.bootstrapServers,
    heartbeatIntervalMs: 300,
    sessionTimeoutMs: 3_000,
    autoCommitIntervalMs: 100,
  });
  const gets = (child: GroupChild, count: number) =>
    when(
      `it has ${count}`,
      () => child.said.findLast((line) => line.startsWith("assigned"))?.split(",").length === count,
    );

  test("that is killed is followed by others, who read on where it committed", async () => {
    const topic = await newTopic();
    await using writing = new Writing(topic);
    const child = new GroupChild(topic, { groupId: topic, ...options() });
    await when("the child reads", () => child.said.filter((line) => line.startsWith("read")).length > 100);
    child.kill();
    const ledger = new GroupLedger();
    const member = new Member("next", [topic], ledger, { groupId: topic, ...options() });
    opened.push(member);
    member.start();
    await when("the next has all", () => member.consumer.assignment().length === 3);
    await writing.stop();
    const read = () => new Set([...child.said.flatMap((line) => line.split("read ")[1] ?? []), ...ledger.read.keys()]);
    await when("all is read", () => read().size === writing.count);
    expect([ledger.wrongs, member.error]).toEqual([[], null]);
  });

  test("whose event loop is blocked for longer than its session loses what it had, and joins again", async () => {
    const topic = await newTopic();
    const child = new GroupChild(topic, { groupId: topic, ...options() });
    await gets(child, 3);
    const other = new GroupChild(topic, { groupId: topic, ...options() });
    await when("they share", () => child.said.filter((line) => line.startsWith("assigned")).length === 2);
    child.block(8_000);
    await gets(other, 3);
    await when("it is told what it lost", () => child.said.some((line) => line.startsWith("lost")));
    await when("it is back", () => child.said.at(-1)?.startsWith("assigned") === true);
  });

  test("whose event loop is blocked for less than its session keeps what it has", async () => {
    const topic = await newTopic();
    await using writing = new Writing(topic);
    const child = new GroupChild(topic, { groupId: topic, ...options(), sessionTimeoutMs: 30_000 });
    await gets(child, 3);
    child.block(4_000);
    await when("it is unblocked", () => child.said.includes("unblocked"));
    const before = child.said.length;
    await when("it reads on", () => child.said.length > before + 200);
    await writing.stop();
    expect(child.said.filter((line) => !line.startsWith("read"))).toEqual(["assigned 0,1,2", "unblocked"]);
  });
});
