import { afterEach, describe, expect, test } from "vitest";
import { collection, type EachMessage, happening, textOf, written } from "./kafkajs-handling.ts";
import { type ConsumerOfJS, candidates, type EventOfJS, type KafkaJS, libraries } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const connected: ConsumerOfJS[] = [];
afterEach(async () => {
  for (const consumer of connected.splice(0)) await consumer.disconnect();
});

function newConsumer({ Kafka }: KafkaJS, groupId: string, config: object = {}): ConsumerOfJS {
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: 0 });
  const retry = { retries: 1, initialRetryTime: 50 };
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, heartbeatInterval: 100, retry, ...config });
  connected.push(consumer);
  return consumer;
}

interface AssignerConfig {
  readonly cluster: { findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[] };
  readonly groupId: string;
  readonly logger: { info(message: string): void };
}

interface Group {
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
  readonly topics: readonly string[];
}

/** Gives all partitions to the member that says of itself that it is greedy, and says by what it decided. */
function greed({ AssignerProtocol }: KafkaJS, character: string) {
  const { MemberMetadata, MemberAssignment } = AssignerProtocol;
  const made: AssignerConfig[] = [];
  const decided: { readonly topics: readonly string[]; readonly members: readonly unknown[] }[] = [];
  const assigner = (config: AssignerConfig) => {
    made.push(config);
    return {
      name: "Greed",
      version: 1,
      async assign({ members, topics }: Group) {
        const known = members.map(({ memberId, memberMetadata }) => ({
          memberId,
          ...MemberMetadata.decode(memberMetadata),
        }));
        decided.push({ topics, members: known });
        const partitionsOf = (topic: string) =>
          config.cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        const all = Object.fromEntries(topics.map((topic) => [topic, partitionsOf(topic)]));
        return known.map(({ memberId, userData }) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({
            version: this.version,
            assignment: String(userData) === "greedy" ? all : {},
            userData: Buffer.from("for you"),
          }),
        }));
      },
      protocol({ topics }: { readonly topics: string[] }) {
        const userData = Buffer.from(character);
        return { name: this.name, metadata: MemberMetadata.encode({ version: this.version, topics, userData }) };
      },
    };
  };
  return { assigner, made, decided };
}

const partitionsOf = ({ payload }: EventOfJS): number => {
  const { memberAssignment = {} }: { readonly memberAssignment?: Readonly<Record<string, readonly number[]>> } =
    Object(payload);
  return Object.values(memberAssignment).flat().length;
};

describe.each(candidates)("an assigner of one's own, in %s", (_, library) => {
  test("is made once, is told of the cluster, and decides", async () => {
    const [topic, groupId] = [await newTopic(3), newName()];
    const { assigner, made, decided } = greed(library, "greedy");
    const joined = happening<EventOfJS>();
    const consumer = newConsumer(library, groupId, { partitionAssigners: [assigner] });
    expect(made).toMatchObject([{ groupId, logger: { info: expect.any(Function) } }]);
    consumer.on("consumer.group_join", joined.happen);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    expect((await joined.happened).payload).toMatchObject({
      groupProtocol: "Greed",
      isLeader: true,
      memberAssignment: { [topic]: [0, 1, 2] },
    });
    expect(decided).toEqual([
      {
        topics: [topic],
        members: [{ memberId: expect.any(String), version: 1, topics: [topic], userData: Buffer.from("greedy") }],
      },
    ]);
    expect(made).toHaveLength(1);
    expect(made[0]?.cluster.findTopicPartitionMetadata(topic)[0]).toMatchObject({
      partitionErrorCode: 0,
      partitionId: 0,
      leader: expect.any(Number),
      replicas: expect.arrayContaining([expect.any(Number)]),
      isr: expect.arrayContaining([expect.any(Number)]),
    });
  });

  test("may use the one that is there", async () => {
    const [topic, groupId] = [await newTopic(2), newName()];
    const joined = happening<EventOfJS>();
    const { roundRobin } = library.PartitionAssigners;
    const renamed = (config: object) =>
      Object.assign(Object(Reflect.apply(Object(roundRobin), undefined, [config])), { name: "Renamed" });
    const consumer = newConsumer(library, groupId, { partitionAssigners: [renamed] });
    consumer.on("consumer.group_join", joined.happen);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async () => {} });
    const { payload } = await joined.happened;
    expect(payload).toMatchObject({ groupProtocol: "Renamed", memberAssignment: { [topic]: [0, 1] } });
  });

  test("that throws is the end", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    const { assigner } = greed(library, "greedy");
    const assign = async () => {
      throw new Error("not now");
    };
    const failing = (config: AssignerConfig) => Object.assign(assigner(config), { assign });
    const crashed = happening<EventOfJS>();
    const consumer = newConsumer(library, groupId, { partitionAssigners: [failing] });
    consumer.on("consumer.crash", crashed.happen);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async () => {} });
    expect((await crashed.happened).payload).toMatchObject({
      restart: false,
      error: { name: "Error", message: "not now" },
    });
  });
});

test.each([
  ["kafkajs 2.2.4", "@odradek/kafkajs"],
  ["@odradek/kafkajs", "kafkajs 2.2.4"],
])("an assigner of one's own divides a group of %s, which leads it, and %s", async (...names) => {
  const [first, second] = names.map((name) => libraries.find(([candidate]) => candidate === name)?.[1]);
  if (first === undefined || second === undefined) throw new Error("a library is missing");
  const [topic, groupId] = [await newTopic(2), newName()];
  const characters = [greed(first, "modest"), greed(second, "greedy")];
  const [modest, greedy] = [
    newConsumer(first, groupId, { partitionAssigners: [characters[0]?.assigner] }),
    newConsumer(second, groupId, { partitionAssigners: [characters[1]?.assigner] }),
  ];
  const [hasAll, hasNone] = [happening(), happening()];
  greedy.on("consumer.group_join", (event) => partitionsOf(event) === 2 && hasAll.happen());
  const { items, complete, add } = collection<string>(2);
  for (const consumer of [modest, greedy]) {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const name = consumer === greedy ? "greedy" : "modest";
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(`${name} ${textOf(message)}`) });
    modest.on("consumer.group_join", (event) => partitionsOf(event) === 0 && hasNone.happen());
  }
  await hasAll.happened;
  await written(topic, ["a"], 0);
  await written(topic, ["b"], 1);
  await complete;
  expect([...items].sort()).toEqual(["greedy a", "greedy b"]);
  const told = [...(characters[0]?.decided ?? [])].at(-1);
  expect(told?.members).toEqual(
    expect.arrayContaining([
      { memberId: expect.any(String), version: 1, topics: [topic], userData: Buffer.from("modest") },
      { memberId: expect.any(String), version: 1, topics: [topic], userData: Buffer.from("greedy") },
    ]),
  );
});
