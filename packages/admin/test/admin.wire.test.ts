import { type Clock, systemClock } from "@odradek/network";
import type { ResponseWrittenOf } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import { ScriptedCluster } from "../../network/test/scripted-cluster.ts";
import { until } from "../../network/test/until.ts";
import { KafkaAdmin } from "../src/index.ts";

type Answer = ResponseWrittenOf<typeof CreateTopics>["topics"][number];

const created = (name: string): Answer => ({
  name,
  errorCode: 0,
  errorMessage: null,
  numPartitions: 1,
  replicationFactor: 1,
});
const refused = (name: string, errorCode: number): Answer => ({ name, errorCode, errorMessage: null });

const notController = 41;
const alreadyExists = 36;

interface Asked {
  readonly broker: number;
  readonly topics: readonly string[];
}

/**
 * Two brokers and an admin client. Each round of CreateTopics is answered by `rounds`, `null` closing the connection; the
 * controller is the broker that `controllerOf` names after that many rounds.
 */
async function setUp(
  rounds: readonly ((topics: readonly string[], broker: number) => Answer[] | null)[],
  controllerOf: (roundsAnswered: number) => number = () => 1,
  retryBackoffMs = 1,
  clock: Clock = systemClock,
): Promise<{ admin: KafkaAdmin; asked: Asked[] }> {
  const asked: Asked[] = [];
  const cluster = await ScriptedCluster.listen(2, {
    metadata: (self) => self.answer({ controllerId: controllerOf(asked.length) }),
    serve(connection, request, broker) {
      const topics = request.body(CreateTopics).topics.map(({ name }) => name);
      const answer = rounds[asked.length]?.(topics, broker) ?? null;
      asked.push({ broker, topics });
      if (answer === null) connection.end();
      else connection.answer(request, CreateTopics, { throttleTimeMs: 0, topics: answer });
    },
  });
  const admin = new KafkaAdmin(
    {
      bootstrapServers: cluster.bootstrapServers,
      retryBackoffMs,
      reconnectBackoffMs: 1,
    },
    clock,
  );
  onTestFinished(() => admin.close());
  return { admin, asked };
}

const ab = [
  { topic: "a", numPartitions: 1 },
  { topic: "b", numPartitions: 1 },
];

describe("createTopics", () => {
  test("follows a controller that moved", async () => {
    // Metadata that was under way when broker 1 refused may still name it: only broker 2 ever says yes.
    const answer = (topics: readonly string[], broker: number) =>
      topics.map((name) => (broker === 2 ? created(name) : refused(name, notController)));
    const { admin, asked } = await setUp(
      Array.from({ length: 10 }, () => answer),
      (roundsAnswered) => (roundsAnswered === 0 ? 1 : 2),
    );
    expect((await admin.createTopics(ab)).orThrow()).toHaveLength(2);
    expect(asked[0]?.broker).toBe(1);
    expect(asked.at(-1)?.broker).toBe(2);
  });

  test("asks again for those topics alone whose error may pass", async () => {
    const { admin, asked } = await setUp([
      () => [created("a"), refused("b", notController)],
      () => [refused("b", alreadyExists)],
    ]);
    const results = await admin.createTopics(ab);
    expect(asked.map(({ topics }) => topics)).toEqual([["a", "b"], ["b"]]);
    expect(results.get("a")?.value).toMatchObject({ topic: "a", numPartitions: 1 });
    expect(results.get("b")?.error).toMatchObject({ code: "TOPIC_ALREADY_EXISTS" });
  });

  test("survives a connection that ends without an answer", async () => {
    const { admin, asked } = await setUp([() => null, (topics) => topics.map(created)]);
    expect((await admin.createTopics(ab)).orThrow()).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  test("keeps what worked when the client is closed before the rest is asked again", async () => {
    const { admin, asked } = await setUp([() => [created("a"), refused("b", notController)]], undefined, 30_000);
    const results = admin.createTopics(ab);
    await until(() => asked.length === 1);
    await admin.close();
    expect((await results).get("a")?.value).toMatchObject({ topic: "a" });
    expect((await results).get("b")?.error).toMatchObject({ code: "CLOSED" });
  });

  test("gives up when its time is over, and says what kept it", async () => {
    const clock = new ManualClock();
    const refuseAll = (topics: readonly string[]) => topics.map((name) => refused(name, notController));
    const { admin } = await setUp(
      Array.from({ length: 1_000 }, () => refuseAll),
      undefined,
      1,
      clock,
    );
    const results = admin.createTopics(ab, { timeoutMs: 200 });
    await passing(clock).pass(200);
    expect((await results).get("a")?.error).toMatchObject({ code: "TIMEOUT", cause: { code: "NOT_CONTROLLER" } });
  });

  test("takes a broker that leaves a topic out for one that answers nonsense", async () => {
    const { admin } = await setUp([() => [created("a")]]);
    const results = await admin.createTopics(ab);
    expect(results.get("a")?.error).toBeNull();
    expect(results.get("b")?.error).toMatchObject({ code: "DECODE", retriable: false });
  });

  test("ends with the client while it waits to ask again, however long that would be", async () => {
    const refuseAll = (topics: readonly string[]) => topics.map((name) => refused(name, notController));
    const { admin, asked } = await setUp([refuseAll], undefined, 30_000);
    const results = admin.createTopics(ab);
    await until(() => asked.length === 1);
    await admin.close();
    expect((await results).get("a")?.error).toMatchObject({ code: "CLOSED" });
  });
});
