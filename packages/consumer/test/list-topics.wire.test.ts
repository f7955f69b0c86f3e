import { type Clock, ClosedError, systemClock, TimeoutError } from "@odradek/network";
import { codeOf } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { afterEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { topicAnswer } from "../../network/test/metadata-answers.ts";
import { passing } from "../../network/test/passing.ts";
import { until } from "../../network/test/until.ts";
import { KafkaConsumer } from "../src/consumer.ts";
import { WakeupError } from "../src/errors.ts";
import { type Reaction, ScriptedBroker } from "./scripted-broker.ts";
import { topicLedBy } from "./test-cluster.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

type Topics = MetadataResponse["topics"];

/** A broker that is asked for all topics, and answers so, and a consumer that reads nothing. */
async function fixture(
  answer: (count: number) => Topics | Exclude<Reaction<MetadataResponse>, MetadataResponse>,
  clock: Clock = systemClock,
) {
  const questions: (readonly string[] | null)[] = [];
  const broker = await ScriptedBroker.start({
    metadata: (self, _, asked) => {
      questions.push(asked);
      if (asked !== null) return { ...self.metadata(), topics: [] };
      const given = answer(questions.filter((names) => names === null).length - 1);
      return Array.isArray(given) ? { ...self.metadata(), topics: given } : given;
    },
  });
  opened.push(broker);
  const backoffs = { retryBackoffMs: 10, retryBackoffMaxMs: 20, reconnectBackoffMs: 10, reconnectBackoffMaxMs: 20 };
  const consumer = new KafkaConsumer({ bootstrapServers: broker.bootstrapServers, ...backoffs }, clock);
  opened.push(consumer);
  return { broker, consumer, questions };
}

const withError = (name: string, error: Parameters<typeof codeOf>[0]) =>
  topicAnswer(name, [], { errorCode: codeOf(error) });

describe("KafkaConsumer.listTopics", () => {
  test("gives all topics by name, with their partitions, those that are Kafka's own included", async () => {
    const { consumer, questions } = await fixture(() => [
      topicLedBy("orders", [1, 1]),
      { ...topicLedBy("__consumer_offsets", [1]), isInternal: true },
      topicLedBy("bills", [-1]),
    ]);
    expect(await consumer.listTopics()).toMatchObject([
      { topic: "__consumer_offsets", isInternal: true, partitions: [{ partition: 0, leaderId: 1, leaderEpoch: 5 }] },
      { topic: "bills", isInternal: false, partitions: [{ topic: "bills", partition: 0, leaderId: null }] },
      { topic: "orders", isInternal: false, partitions: [{ partition: 0 }, { partition: 1 }] },
    ]);
    expect(questions.filter((asked) => asked === null)).toHaveLength(1);
  });

  test("asks again while a topic is not ready, and after a connection that was lost", async () => {
    const answers = [[withError("orders", "LEADER_NOT_AVAILABLE")], "reset", [topicLedBy("orders", [1])]] as const;
    const { consumer } = await fixture((count) => answers[count] as Topics | "reset");
    expect(await consumer.listTopics()).toMatchObject([{ topic: "orders" }]);
  });

  test("passes by a topic that is being deleted", async () => {
    const { consumer } = await fixture(() => [
      withError("gone", "UNKNOWN_TOPIC_OR_PARTITION"),
      topicLedBy("orders", [1]),
    ]);
    expect(await consumer.listTopics()).toMatchObject([{ topic: "orders" }]);
  });

  test("tells of a topic that cannot be told, whatever its time is", async () => {
    const { consumer } = await fixture(() => [withError("orders", "TOPIC_AUTHORIZATION_FAILED")]);
    await expect(consumer.listTopics()).rejects.toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
  });

  test.each([
    ["a topic that is not ready", () => [withError("orders", "LEADER_NOT_AVAILABLE")], "LEADER_NOT_AVAILABLE"],
    ["a broker that does not answer", () => "silence" as const, undefined],
  ])("gives up at its deadline because of %s, and says so", async (_, answer, code) => {
    const clock = new ManualClock();
    const { consumer } = await fixture(answer, clock);
    const ends: unknown[] = [];
    void consumer.listTopics({ timeoutMs: 1_000 }).catch((error: unknown) => ends.push(error));
    const { pass, passUntil } = passing(clock);
    const sinceMs = clock.now();
    await passUntil(() => ends.length > 0);
    expect(ends[0]).toBeInstanceOf(TimeoutError);
    expect(ends[0]).toMatchObject({ afterMs: 1_000, ...(code === undefined ? {} : { cause: { code } }) });
    expect(clock.now()).toBe(sinceMs + 1_000);
    const closing = consumer.close();
    await pass(0);
    await closing;
  });

  test("is ended by wakeup, by its signal and by close", async () => {
    const { consumer, questions } = await fixture(() => "silence");
    const asked = (count: number) => until(() => questions.filter((names) => names === null).length === count);
    const woken = expect(consumer.listTopics()).rejects.toThrow(WakeupError);
    await asked(1);
    consumer.wakeup();
    await woken;
    const controller = new AbortController();
    const aborted = expect(consumer.listTopics({ signal: controller.signal })).rejects.toThrow("enough");
    await asked(2);
    controller.abort(new Error("enough"));
    await aborted;
    const closed = expect(consumer.listTopics()).rejects.toThrow(ClosedError);
    await asked(3);
    await consumer.close();
    await closed;
    await expect(consumer.listTopics()).rejects.toThrow(ClosedError);
  });
});
