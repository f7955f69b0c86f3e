import { codeOf } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { resolveClientOptions } from "../src/client-options.ts";
import { Metadata } from "../src/metadata.ts";
import { OptionReader } from "../src/option-reader.ts";
import { ManualClock } from "./manual-clock.ts";
import { metadataAnswer, partitionAnswer, topicAnswer } from "./metadata-answers.ts";

/** The newest version of Metadata: its epochs can be relied on. */
const version = 13;

const metadataOf = () => {
  const clock = new ManualClock(1_000_000);
  const options = resolveClientOptions(new OptionReader({ bootstrapServers: ["localhost:9092"] }));
  let asked = 0;
  const metadata = new Metadata(options, clock, () => {
    asked += 1;
  });
  return {
    clock,
    metadata,
    /** How often it said that an update may be due now. */
    asked: () => asked,
    isDue: () => metadata.dueAtMs <= clock.now(),
    /** In how many milliseconds an update is due. */
    dueInMs: () => metadata.dueAtMs - clock.now(),
    answer: (...topics: Parameters<typeof metadataAnswer>) => {
      metadata.started();
      metadata.update(metadataAnswer(...topics), version);
    },
  };
};

const orders = (leaderEpoch = 0, leaderId = 1) => topicAnswer("orders", [partitionAnswer(0, leaderId, leaderEpoch)]);
const failing = (name: Parameters<typeof codeOf>[0], topic = "orders") =>
  topicAnswer(topic, [], { errorCode: codeOf(name) });

describe("an update of the metadata", () => {
  test("is due at once for a client that has asked nobody yet", () => {
    expect(metadataOf().isDue()).toBe(true);
  });

  test("is due again when what is known has reached its age", () => {
    const { answer, dueInMs } = metadataOf();
    answer();
    expect(dueInMs()).toBe(300_000);
  });

  test("that is requested waits for the back-off after the one before", () => {
    const { metadata, clock, answer, dueInMs, isDue } = metadataOf();
    answer();
    metadata.requestUpdate();
    expect(dueInMs()).toBeGreaterThanOrEqual(80);
    expect(dueInMs()).toBeLessThanOrEqual(120);
    clock.advance(120);
    expect(isDue()).toBe(true);
  });

  test("that is requested while another is under way is made after it", () => {
    const { metadata, clock, isDue } = metadataOf();
    metadata.started();
    metadata.requestUpdate();
    metadata.update(metadataAnswer(), version);
    clock.advance(120);
    expect(isDue()).toBe(true);
  });

  test("waits longer and longer while it brings nothing new, up to retryBackoffMaxMs", () => {
    const { metadata, clock, answer, dueInMs } = metadataOf();
    answer([orders()]);
    const waits = Array.from({ length: 8 }, () => {
      metadata.requestUpdate();
      clock.advance(Math.max(0, dueInMs()));
      answer([orders()]);
      metadata.requestUpdate();
      return dueInMs();
    });
    expect(waits[0]).toBeLessThanOrEqual(120);
    expect(waits[3]).toBeGreaterThanOrEqual(640);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(800);
  });

  test("waits the first back-off again after one that brought something new", () => {
    const { metadata, answer, dueInMs } = metadataOf();
    for (let i = 0; i < 6; i++) answer([orders(0)]);
    answer([orders(1)]);
    metadata.requestUpdate();
    expect(dueInMs()).toBeLessThanOrEqual(120);
  });

  test("does not spin although every answer differs from the one before", () => {
    const { metadata, clock, answer, isDue } = metadataOf();
    for (let epoch = 0; epoch < 10; epoch++) {
      answer([orders(epoch)]);
      metadata.requestUpdate();
      expect(isDue()).toBe(false);
      clock.advance(120);
      expect(isDue()).toBe(true);
    }
  });

  test("that only its age brought says nothing about those that are requested", () => {
    const { metadata, clock, answer, dueInMs } = metadataOf();
    answer([orders()]);
    for (let i = 0; i < 20; i++) {
      clock.advance(300_000);
      answer([orders()]);
    }
    metadata.requestUpdate();
    expect(dueInMs()).toBeLessThanOrEqual(120);
  });

  test("that failed is due again after a back-off that grows", () => {
    const { metadata, dueInMs } = metadataOf();
    const waits = Array.from({ length: 6 }, () => {
      metadata.started();
      metadata.failed();
      return dueInMs();
    });
    expect(waits[0]).toBeGreaterThanOrEqual(80);
    expect(waits[0]).toBeLessThanOrEqual(120);
    expect(waits[2]).toBeGreaterThanOrEqual(320);
    expect(waits[5]).toBeLessThanOrEqual(1_000);
  });

  test.each([
    ["no brokers", { brokers: [] }, "names no broker"],
    ["an error of the whole request", { errorCode: codeOf("REBOOTSTRAP_REQUIRED") }, "REBOOTSTRAP_REQUIRED"],
  ])("with %s is refused and leaves what is known", (_, more, message) => {
    const { metadata, answer } = metadataOf();
    answer([orders()]);
    const before = metadata.snapshot;
    expect(() => metadata.update(metadataAnswer([], more), version)).toThrow(message);
    expect(metadata.snapshot).toBe(before);
  });
});

describe("a topic", () => {
  test("that is new is asked for at once, without a back-off", () => {
    const { metadata, answer, isDue, asked } = metadataOf();
    answer();
    expect(isDue()).toBe(false);
    metadata.add(["orders"]);
    expect(isDue()).toBe(true);
    expect(asked()).toBe(1);
    expect([...metadata.topics]).toEqual(["orders"]);
  });

  test("that is new is asked for at once although an update for others is under way", () => {
    const { metadata, isDue } = metadataOf();
    metadata.started();
    metadata.add(["orders"]);
    metadata.update(metadataAnswer(), version);
    expect(isDue()).toBe(true);
  });

  test("that is new is asked for at once only once", () => {
    const { metadata, answer, isDue } = metadataOf();
    metadata.add(["orders"]);
    answer([failing("UNKNOWN_TOPIC_OR_PARTITION")]);
    metadata.add(["orders"]);
    expect(isDue()).toBe(false);
  });

  test("that is new costs one attempt where updates fail, and then waits like them", () => {
    const { metadata, isDue } = metadataOf();
    metadata.add(["orders"]);
    metadata.started();
    metadata.failed();
    expect(isDue()).toBe(false);
  });

  test("that is retained goes on, another is let go", () => {
    const { metadata, answer } = metadataOf();
    metadata.add(["orders", "payments"]);
    answer([orders(), topicAnswer("payments", [partitionAnswer(0, 1)])]);
    metadata.retain(["payments", "refunds"]);
    expect([...metadata.topics]).toEqual(["payments", "refunds"]);
    answer([topicAnswer("refunds", [partitionAnswer(0, 1)])]);
    expect([...metadata.snapshot.topics.keys()].sort()).toEqual(["payments", "refunds"]);
  });

  test.each([
    ["an error that passes", () => failing("UNKNOWN_TOPIC_OR_PARTITION")],
    ["no leader", () => orders(0, -1)],
    ["a leader that is no known broker", () => orders(0, 77)],
  ])("with %s stays requested", (_, answerOf) => {
    const { metadata, answer, dueInMs } = metadataOf();
    metadata.add(["orders"]);
    answer([answerOf()]);
    expect(dueInMs()).toBeLessThanOrEqual(120);
    expect(metadata.fatalErrorOf("orders")).toBeNull();
  });

  test.each(["INVALID_TOPIC_EXCEPTION", "TOPIC_AUTHORIZATION_FAILED"] as const)(
    "with %s is not asked for on and on",
    (name) => {
      const { metadata, answer, dueInMs } = metadataOf();
      metadata.add(["orders"]);
      answer([failing(name)]);
      expect(dueInMs()).toBe(300_000);
    },
  );

  test("with an error that does not pass has it told by name, and others have none", () => {
    const { metadata, answer } = metadataOf();
    metadata.add(["orders", "payments"]);
    answer([failing("TOPIC_AUTHORIZATION_FAILED"), topicAnswer("payments", [partitionAnswer(0, 1)])]);
    expect(metadata.fatalErrorOf("orders")).toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
    expect(metadata.fatalErrorOf("orders")?.message).toMatch(/^topic orders: /);
    expect(metadata.fatalErrorOf("payments")).toBeNull();
  });

  test("whose error was told is asked for again: rights may have been granted meanwhile", () => {
    const { metadata, answer, dueInMs, asked } = metadataOf();
    metadata.add(["orders"]);
    answer([failing("TOPIC_AUTHORIZATION_FAILED")]);
    const before = asked();
    metadata.fatalErrorOf("orders");
    expect(asked()).toBe(before + 1);
    expect(dueInMs()).toBeLessThanOrEqual(120);
    answer([orders()]);
    expect(metadata.fatalErrorOf("orders")).toBeNull();
    expect(dueInMs()).toBe(300_000);
  });
});
