import { KafkaAdmin } from "odradek";
import { afterEach, describe, expect, test } from "vitest";
import { collection, committedOf, type EachMessage, happening, numbers, textOf, written } from "./kafkajs-handling.ts";
import { type ConsumerOfJS, type EventOfJS, libraries } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const connected: ConsumerOfJS[] = [];
afterEach(async () => {
  for (const consumer of connected.splice(0)) await consumer.disconnect();
});

const ours = libraries[1]?.[1];
if (ours === undefined) throw new Error("@odradek/kafkajs is missing");
const kafka = new ours.Kafka({ brokers: [...bootstrapServers], logLevel: 0 });

function newConsumer(groupId: string, odradek: object, config: object = {}): ConsumerOfJS {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, heartbeatInterval: 100, odradek, ...config });
  connected.push(consumer);
  return consumer;
}

const start = async (consumer: ConsumerOfJS, topic: string, add: (text: string) => void): Promise<void> => {
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
};

const partitionsOf = ({ payload }: EventOfJS, topic: string): readonly number[] => {
  const { memberAssignment = {} }: { readonly memberAssignment?: Readonly<Record<string, readonly number[]>> } =
    Object(payload);
  return memberAssignment[topic] ?? [];
};

describe("what kafkajs does not have", () => {
  test("cooperative-sticky: what stays with a member goes on while the group rebalances", async () => {
    const [topic, groupId] = [await newTopic(2), newName()];
    const told: string[] = [];
    const odradek = { partitionAssignmentStrategy: ["cooperative-sticky"] };
    const say = (what: string) => (partitions: readonly { readonly partition: number }[]) => {
      told.push(`${what} ${partitions.map(({ partition }) => partition).join()}`);
    };
    const rebalanceListener = { onPartitionsAssigned: say("assigned"), onPartitionsRevoked: say("revoked") };
    const one = newConsumer(groupId, { ...odradek, rebalanceListener });
    const other = newConsumer(groupId, odradek);
    const isShared = happening();
    other.on("consumer.group_join", (event) => partitionsOf(event, topic).length === 1 && isShared.happen());
    const { items, complete, add } = collection<string>(2);
    await start(one, topic, add);
    await start(other, topic, add);
    await isShared.happened;
    await written(topic, ["a"], 0);
    await written(topic, ["b"], 1);
    await complete;
    expect([...items].sort()).toEqual(["a", "b"]);
    // Everything at first, and then only what goes to the other.
    expect(told[0]).toBe("assigned 0,1");
    expect(told.filter((call) => call.startsWith("revoked"))).toEqual([expect.stringMatching(/^revoked [01]$/)]);
  });

  test("the consumer protocol: the group is one of KIP-848, is read from, and has what is committed", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(3));
    const joined = happening<EventOfJS>();
    const { complete, add } = collection<string>(3);
    const consumer = newConsumer(groupId, { groupProtocol: "consumer", groupRemoteAssignor: "uniform" });
    consumer.on("consumer.group_join", joined.happen);
    await start(consumer, topic, add);
    await complete;
    expect((await joined.happened).payload).toMatchObject({
      groupId,
      isLeader: false,
      groupProtocol: "uniform",
      memberAssignment: { [topic]: [0] },
    });
    await using admin = new KafkaAdmin({ bootstrapServers });
    const groups = (await admin.listGroups()).orThrow().flat();
    expect(groups.find((group) => group.groupId === groupId)).toMatchObject({ type: "Consumer" });
    await consumer.stop();
    expect(await committedOf(groupId, topic)).toBe(3n);
  });

  test("static membership: who comes back under its name has its partitions, and nobody rebalances", async () => {
    const [topic, groupId] = [await newTopic(2), newName()];
    const member = (name: string) => newConsumer(groupId, { groupInstanceId: name });
    const [one, other] = [member("one"), member("other")];
    const isShared = happening();
    const joins: EventOfJS[] = [];
    const have = new Map<ConsumerOfJS, readonly number[]>();
    for (const consumer of [one, other]) {
      consumer.on("consumer.group_join", (event) => {
        joins.push(event);
        have.set(consumer, partitionsOf(event, topic));
        if ([one, other].every((each) => have.get(each)?.length === 1)) isShared.happen();
      });
    }
    await start(one, topic, () => {});
    await start(other, topic, () => {});
    await isShared.happened;
    const had = have.get(one);
    const [before, rebalancing] = [joins.length, collection<string>(1)];
    other.on("consumer.rebalancing", () => rebalancing.add("rebalancing"));
    await one.disconnect();
    const again = member("one");
    const back = happening<EventOfJS>();
    again.on("consumer.group_join", back.happen);
    const { complete, add } = collection<string>(2);
    await start(again, topic, add);
    await written(topic, ["a", "b"], had?.[0] ?? 0);
    await complete;
    expect(partitionsOf(await back.happened, topic)).toEqual(had);
    expect([joins.length, rebalancing.items]).toEqual([before, []]);
  });

  test("a rebalance listener is told when the handler has finished its message, and what it read is committed", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(2));
    const told: string[] = [];
    const committed: (bigint | null)[] = [];
    const [begun, goOn] = [happening(), happening()];
    const rebalanceListener = {
      onPartitionsAssigned: () => told.push("assigned"),
      onPartitionsRevoked: async () => {
        told.push("revoked");
        committed.push(await committedOf(groupId, topic));
      },
    };
    const consumer = newConsumer(groupId, { rebalanceListener });
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        begun.happen();
        await goOn.happened;
        told.push(textOf(message));
      },
    });
    await begun.happened;
    const stopped = consumer.stop();
    goOn.happen();
    await stopped;
    expect(told).toEqual(["assigned", "0", "revoked"]);
    expect(committed).toEqual([1n]);
  });

  test("interceptors see messages before handlers do, and leave some out; and what is committed", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const seen: string[] = [];
    const commits: bigint[] = [];
    interface Records {
      filter(keep: (record: { readonly value: Buffer | null }) => boolean): Records;
    }
    const interceptor = {
      onConsume: (records: Records) =>
        records.filter(({ value }) => {
          seen.push(String(value));
          return Number(value) % 2 === 1;
        }),
      onCommit: (offsets: readonly { readonly offset: bigint }[]) => {
        for (const { offset } of offsets) commits.push(offset);
      },
    };
    const { items, complete, add } = collection<string>(2);
    const consumer = newConsumer(groupId, { interceptors: [interceptor] });
    await start(consumer, topic, add);
    await complete;
    await consumer.stop();
    expect([seen, items]).toEqual([numbers(4), ["1", "3"]]);
    expect(commits.at(-1)).toBe(4n);
    expect(await committedOf(groupId, topic)).toBe(4n);
  });
});
