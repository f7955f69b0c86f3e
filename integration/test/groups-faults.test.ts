import { type ConsumerOptions, KafkaProducer, string } from "odradek";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { until } from "../cluster/readiness.ts";
import { GroupChild } from "./group-child.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { beginAnew, letExpire } from "./lost-offsets.ts";
import { newName, opened } from "./opened.ts";
import { restoreLeaders } from "./partitions.ts";
import { coordinatorOf } from "./requests.ts";
import { setSessionTimeout } from "./session-timeout.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  cluster = await startCluster({
    own: true,
    properties: {
      // The others take over from a broker that is silent for this long.
      "broker.session.timeout.ms": "3000",
      "offsets.retention.check.interval.ms": "500",
    },
  });
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

const protocols = [
  ["classic", { sessionTimeoutMs: 30_000 }],
  ["consumer", { groupProtocol: "consumer" }],
] as const;

/** A group of two that share a topic of its own, to which somebody writes all the time. */
async function busyGroup(groupId: string, options: Partial<ConsumerOptions<string, string>>) {
  const { bootstrapServers } = cluster;
  const topic = await newTopic();
  const writing = new Writing(topic);
  opened.push(writing);
  const ledger = new GroupLedger();
  const members = ["one", "two"].map((name) => {
    const member = new Member(name, [topic], ledger, {
      bootstrapServers,
      groupId,
      autoCommitIntervalMs: 200,
      requestTimeoutMs: 5_000,
      ...options,
    });
    opened.push(member);
    return member.start();
  });
  const share = () => when("the members share", () => `${ledger.shares(members)}` === "1,2");
  await share();
  return {
    topic,
    ledger,
    members,
    /** Waits until it has read more of each partition. */
    readsOn: (how: string) => {
      const read = ledger.read.size;
      return when(`it reads ${how}`, () => ledger.read.size > read + 100);
    },
    /** Holds that nothing was missed, or had two owners, or was read twice while it had the same. */
    settle: async () => {
      await writing.stop();
      await when("all is read", () => ledger.read.size === writing.count);
      await share();
      expect([ledger.wrongs, ...members.map(({ error }) => error)]).toEqual([[], null, null]);
    },
  };
}

describe.each(protocols)("a group of the %s protocol", (_protocol, options) => {
  test("goes on when its coordinator is killed, and when that is back: nothing is missed, and none has two owners", async () => {
    const groupId = newName();
    const group = await busyGroup(groupId, options);
    const { nodeId } = await coordinatorOf(cluster.bootstrapServers, groupId);
    const coordinator = cluster.brokers.find(({ id }) => id === nodeId)!;
    await coordinator.kill();
    await group.readsOn("without its coordinator");
    await coordinator.restart();
    await group.readsOn("when that is back");
    await group.settle();
  });

  test("begins anew as autoOffsetReset says where what it committed has expired", () => {
    const { bootstrapServers } = cluster;
    const { groupProtocol } = { groupProtocol: "classic", ...options } as const;
    const lose = (groupId: string, topic: string) => letExpire(bootstrapServers, groupId, topic);
    return beginAnew({ bootstrapServers, groupProtocol, lose });
  });
});

test("groups of either protocol read on when a leader is killed that coordinates none of them, and when that is back", async () => {
  const leader = cluster.brokers.at(-1)!;
  const groups = await Promise.all(
    protocols.map(async ([, options]) => {
      for (;;) {
        const groupId = newName();
        const { nodeId } = await coordinatorOf(cluster.bootstrapServers, groupId);
        if (nodeId === leader.id) continue;
        return busyGroup(groupId, options);
      }
    }),
  );
  const calls = () => groups.map(({ members }) => members.map((member) => [...member.calls]));
  const before = calls();
  await leader.kill();
  await Promise.all(groups.map((group) => group.readsOn("without the leader")));
  await leader.restart();
  for (const { topic } of groups) await restoreLeaders(cluster.brokers, topic);
  await Promise.all(groups.map((group) => group.readsOn("when that is back")));
  await Promise.all(groups.map((group) => group.settle()));
  // Who leads a partition is no business of the group's: nobody lost what it had.
  expect(calls()).toEqual(before);
});

// They wait most of their time.
describe.concurrent("a member in a process of its own", () => {
  /** @param sessionTimeoutMs in groups of the consumer protocol brokers decide on that */
  const optionsOf = (protocol: (typeof protocols)[number][0], sessionTimeoutMs: number) => ({
    bootstrapServers: cluster.bootstrapServers,
    groupId: newName(),
    groupProtocol: protocol,
    autoCommitIntervalMs: 100,
    ...(protocol === "classic" ? { heartbeatIntervalMs: 300, sessionTimeoutMs } : {}),
  });

  test("that is killed is followed by others, who read on where it committed", async (context) => {
    const topic = await newTopic();
    await using writing = new Writing(topic);
    const options = { ...optionsOf("classic", 3_000), groupId: topic };
    const child = new GroupChild(topic, options, context);
    await when("the child reads", () => child.said.filter((line) => line.startsWith("read")).length > 100);
    child.kill();
    const ledger = new GroupLedger();
    const { bootstrapServers } = cluster;
    const member = new Member("next", [topic], ledger, { bootstrapServers, groupId: topic, sessionTimeoutMs: 3_000 });
    context.onTestFinished(() => member[Symbol.asyncDispose]());
    member.start();
    await when("the next has all", () => member.consumer.assignment().length === 3);
    await writing.stop();
    const read = () => new Set([...child.said.flatMap((line) => line.split("read ")[1] ?? []), ...ledger.read.keys()]);
    await when("all is read", () => read().size === writing.count);
    expect([ledger.wrongs, member.error]).toEqual([[], null]);
  });

  test("whose event loop is blocked for longer than its session loses what it had, and joins again", (context) =>
    Promise.all(
      protocols.map(async ([protocol]) => {
        const topic = await newTopic();
        const options = optionsOf(protocol, 3_000);
        // The shortest that brokers take.
        if (protocol === "consumer") await setSessionTimeout(cluster.bootstrapServers, options.groupId, 5_000);
        const child = new GroupChild(topic, options, context);
        await when(`the one of ${protocol} has all`, () => child.owned.length === 3);
        const other = new GroupChild(topic, options, context);
        const share = () =>
          when(`they share by ${protocol}`, () => {
            const owned = [...child.owned, ...other.owned];
            const areShared = child.owned.length > 0 && other.owned.length > 0;
            return areShared && owned.sort().join() === "0,1,2";
          });
        await share();
        child.block(10_000);
        await when(`the other one of ${protocol} has all`, () => other.owned.length === 3);
        await when("it is told what it lost", () => child.said.some((line) => line.startsWith("lost")));
        await share();
      }),
    ));

  test("whose event loop is blocked for less than its session keeps what it has", (context) =>
    Promise.all(
      protocols.map(async ([protocol]) => {
        const topic = await newTopic();
        await using writing = new Writing(topic);
        const options = optionsOf(protocol, 30_000);
        const child = new GroupChild(topic, options, context);
        const calls = () => child.said.filter((line) => !line.startsWith("read"));
        await when(`the one of ${protocol} has all`, () => child.owned.length === 3);
        const before = calls();
        child.block(10_000);
        await when("it is unblocked", () => child.said.includes("unblocked"));
        const { length } = child.said;
        await when("it reads on", () => child.said.length > length + 200);
        await writing.stop();
        await when("all is read", () => child.said.length - calls().length === writing.count);
        expect(calls()).toEqual([...before, "unblocked"]);
      }),
    ));
});
