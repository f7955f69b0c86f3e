import { codeOf } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { leaderOf } from "../src/cluster-snapshot.ts";
import { Metadata, type MetadataOptions } from "../src/metadata.ts";
import { ManualClock } from "./manual-clock.ts";
import { metadataAnswer, partitionAnswer, topicAnswer } from "./metadata-answers.ts";

/** The newest version of Metadata: its epochs can be relied on. */
const version = 13;

const metadataOf = (more: Partial<MetadataOptions> = {}) => {
  const clock = new ManualClock(1_000_000);
  const options: MetadataOptions = {
    bootstrapServers: [{ host: "localhost", port: 9092 }],
    clientDnsLookup: "use_all_dns_ips",
    metadataMaxAgeMs: 300_000,
    retryBackoffMs: 100,
    retryBackoffMaxMs: 1_000,
    ...more,
  };
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
    /** Asks and takes an answer. @returns what was asked */
    answer: (...topics: Parameters<typeof metadataAnswer>) => {
      const question = metadata.started();
      metadata.update(metadataAnswer(...topics), version);
      return question;
    },
    known: () => [...metadata.snapshot.topics.keys()].sort(),
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
    metadata.add(["orders"]);
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
    metadata.add(["orders"]);
    for (let i = 0; i < 6; i++) answer([orders(0)]);
    answer([orders(1)]);
    metadata.requestUpdate();
    expect(dueInMs()).toBeLessThanOrEqual(120);
  });

  test("does not spin although every answer differs from the one before", () => {
    const { metadata, clock, answer, isDue } = metadataOf();
    metadata.add(["orders"]);
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
    metadata.add(["orders"]);
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

const payments = () => topicAnswer("payments", [partitionAnswer(0, 1)]);
const refunds = () => topicAnswer("refunds", [partitionAnswer(0, 1)]);

describe("an update for new topics", () => {
  test("asks for them alone, and leaves the others as they are", () => {
    const { metadata, answer, known } = metadataOf();
    metadata.add(["orders"]);
    expect(answer([orders(3)])).toEqual({ topics: ["orders"], isPartial: false });
    metadata.add(["payments", "refunds"]);
    expect(answer([payments(), refunds()])).toEqual({ topics: ["payments", "refunds"], isPartial: true });
    expect(known()).toEqual(["orders", "payments", "refunds"]);
    expect(metadata.snapshot.topics.get("orders")?.partitions[0]?.leaderEpoch).toBe(3);
  });

  test("does not make the others younger", () => {
    const { metadata, clock, answer, dueInMs } = metadataOf();
    metadata.add(["orders"]);
    answer([orders()]);
    clock.advance(200_000);
    metadata.add(["payments"]);
    answer([payments()]);
    expect(dueInMs()).toBe(100_000);
  });

  test("asks for all where all was requested, or is too old", () => {
    const { metadata, clock, answer } = metadataOf();
    metadata.add(["orders"]);
    answer([orders()]);
    metadata.requestUpdate();
    metadata.add(["payments"]);
    expect(answer([orders(), payments()])).toEqual({ topics: ["orders", "payments"], isPartial: false });
    clock.advance(300_000);
    metadata.add(["refunds"]);
    expect(answer([orders(), payments(), refunds()])).toMatchObject({ isPartial: false });
  });

  test("leaves an update of all to be made that was requested meanwhile", () => {
    const { metadata, clock, dueInMs } = metadataOf();
    metadata.add(["orders"]);
    metadata.started();
    metadata.update(metadataAnswer([orders()]), version);
    metadata.add(["payments"]);
    metadata.started();
    metadata.requestUpdate();
    metadata.update(metadataAnswer([payments()]), version);
    expect(dueInMs()).toBeLessThanOrEqual(120);
    clock.advance(120);
    expect(metadata.started()).toEqual({ topics: ["orders", "payments"], isPartial: false });
  });

  test("that failed is made again after the back-off, and alone", () => {
    const { metadata, clock, answer, dueInMs } = metadataOf();
    metadata.add(["orders"]);
    answer([orders()]);
    metadata.add(["payments", "refunds"]);
    metadata.started();
    metadata.retain(["orders", "payments"]);
    metadata.failed();
    expect(dueInMs()).toBeGreaterThanOrEqual(80);
    clock.advance(120);
    expect(metadata.started()).toEqual({ topics: ["payments"], isPartial: true });
  });

  test("is followed by one of all where a new topic is not whole yet", () => {
    const { metadata, clock, answer, isDue } = metadataOf();
    metadata.add(["orders"]);
    answer([orders()]);
    metadata.add(["payments"]);
    answer([failing("LEADER_NOT_AVAILABLE", "payments")]);
    clock.advance(120);
    expect(isDue()).toBe(true);
    expect(metadata.started()).toMatchObject({ topics: ["orders", "payments"], isPartial: false });
  });

  test("is all that it takes where somebody waits for a new topic", () => {
    const { metadata, answer, dueInMs } = metadataOf();
    metadata.add(["orders"]);
    answer([orders()]);
    metadata.add(["payments"]);
    metadata.wantUpdate();
    metadata.started();
    metadata.wantUpdate();
    metadata.update(metadataAnswer([payments()]), version);
    expect(dueInMs()).toBe(300_000);
    metadata.wantUpdate();
    expect(dueInMs()).toBeLessThanOrEqual(120);
  });

  test("takes no topic that nobody asked for", () => {
    const { metadata, answer, known } = metadataOf();
    metadata.add(["orders"]);
    answer([orders(), payments(), failing("TOPIC_AUTHORIZATION_FAILED", "refunds")]);
    expect(known()).toEqual(["orders"]);
    expect(metadata.snapshot.topicErrors.size).toBe(0);
  });
});

describe("a topic that nobody uses", () => {
  test("is not asked for any more after its time, and is forgotten with the next answer about all", () => {
    const { metadata, clock, answer, known } = metadataOf({ metadataMaxIdleMs: 60_000 });
    metadata.add(["orders", "payments"]);
    answer([orders(), payments()]);
    clock.advance(30_000);
    metadata.use(["payments"]);
    clock.advance(30_000);
    metadata.add(["refunds"]);
    expect(answer([refunds()])).toMatchObject({ isPartial: true });
    expect(known()).toEqual(["orders", "payments", "refunds"]);
    metadata.requestUpdate();
    expect(answer([payments(), refunds()])).toMatchObject({ topics: ["payments", "refunds"] });
    expect(known()).toEqual(["payments", "refunds"]);
  });

  test("stays where it is used in time, or added again", () => {
    const { metadata, clock, answer, known } = metadataOf({ metadataMaxIdleMs: 60_000 });
    metadata.add(["orders", "payments"]);
    answer([orders(), payments()]);
    for (let minute = 0; minute < 5; minute++) {
      clock.advance(59_999);
      metadata.use(["orders"]);
      metadata.add(["payments"]);
      metadata.requestUpdate();
      answer([orders(), payments()]);
    }
    expect(known()).toEqual(["orders", "payments"]);
  });

  test("stays until it was asked for once, however long that takes", () => {
    const { metadata, clock, answer } = metadataOf({ metadataMaxIdleMs: 60_000 });
    metadata.add(["orders"]);
    clock.advance(60_000);
    expect(answer([orders()])).toMatchObject({ topics: ["orders"] });
  });

  test("that is used after all is asked for at once, and was known all the time", () => {
    const { metadata, clock, isDue, known } = metadataOf({ metadataMaxIdleMs: 60_000 });
    metadata.add(["orders"]);
    metadata.started();
    metadata.update(metadataAnswer([orders()]), version);
    clock.advance(60_000);
    metadata.requestUpdate();
    expect(metadata.started()).toMatchObject({ topics: [] });
    metadata.use(["orders"]);
    metadata.update(metadataAnswer(), version);
    expect(known()).toEqual(["orders"]);
    expect(isDue()).toBe(true);
    expect(metadata.started()).toEqual({ topics: ["orders"], isPartial: true });
  });

  test("stays for ever where no such time is set", () => {
    const { metadata, clock, answer } = metadataOf();
    metadata.add(["orders"]);
    answer([orders()]);
    clock.advance(1e12);
    expect(answer([orders()])).toMatchObject({ topics: ["orders"] });
  });
});

describe("topics by a filter", () => {
  const startsWithO = (topic: string, isInternal: boolean) => topic.startsWith("o") && !isInternal;

  test("are asked for at once among all there are, and only those that pass are known", () => {
    const { metadata, answer, isDue, known } = metadataOf();
    answer();
    metadata.retainAll(startsWithO);
    expect(isDue()).toBe(true);
    const internal = topicAnswer("offsets", [partitionAnswer(0, 1)], { isInternal: true });
    expect(answer([orders(), payments(), internal])).toEqual({ topics: null, isPartial: false });
    expect(known()).toEqual(["orders"]);
  });

  test("have errors, and partitions without a leader, of which those that do not pass say nothing", () => {
    const { metadata, answer, dueInMs } = metadataOf();
    metadata.retainAll(startsWithO);
    answer([
      orders(),
      failing("LEADER_NOT_AVAILABLE", "payments"),
      failing("TOPIC_AUTHORIZATION_FAILED", "secret"),
      failing("TOPIC_AUTHORIZATION_FAILED", "other"),
      topicAnswer("refunds", [partitionAnswer(0, -1)]),
    ]);
    expect([...metadata.snapshot.topicErrors.keys()]).toEqual(["other"]);
    expect(dueInMs()).toBe(300_000);
    metadata.requestUpdate();
    answer([orders(0, -1)]);
    expect(dueInMs()).toBeLessThanOrEqual(120);
  });

  test("are asked for together with those that are known by name", () => {
    const { metadata, answer, known } = metadataOf();
    metadata.retainAll(startsWithO);
    answer([orders()]);
    metadata.add(["payments"]);
    expect(answer([orders(), payments(), refunds()])).toEqual({ topics: null, isPartial: false });
    expect(known()).toEqual(["orders", "payments"]);
  });

  test("are forgotten when they are there no more", () => {
    const { metadata, answer, known } = metadataOf();
    metadata.retainAll(startsWithO);
    answer([orders(), topicAnswer("others", [partitionAnswer(0, 1)])]);
    answer([orders()]);
    expect(known()).toEqual(["orders"]);
  });

  test("are asked for anew where the filter is another, and not where it is the same", () => {
    const { metadata, answer, isDue, known } = metadataOf();
    metadata.retainAll(startsWithO);
    answer([orders(), payments()]);
    metadata.retainAll(startsWithO);
    expect(isDue()).toBe(false);
    metadata.retainAll((topic) => topic === "payments");
    expect(isDue()).toBe(true);
    answer([orders(), payments()]);
    expect(known()).toEqual(["payments"]);
  });

  test("are let go when topics are wanted by name again", () => {
    const { metadata, answer, known } = metadataOf();
    metadata.retainAll(startsWithO);
    answer([orders(), payments()]);
    metadata.retain(["payments"]);
    expect(answer([payments()])).toMatchObject({ topics: ["payments"] });
    expect(known()).toEqual(["payments"]);
  });
});

describe("leaders that brokers tell in answers to other requests", () => {
  test("are known at once, and asked for no sooner", () => {
    const { metadata, answer, dueInMs } = metadataOf();
    metadata.add(["orders"]);
    answer([orders(4)]);
    const hint = { topic: "orders", partition: 0, leaderId: 7, leaderEpoch: 5 };
    const endpoint = { nodeId: 7, host: "seven", port: 9092, rack: null };
    expect(metadata.updateLeaders([hint], [endpoint])).toEqual([hint]);
    expect(leaderOf(metadata.snapshot, "orders", 0)).toEqual({ id: 7, host: "seven", port: 9092, rack: null });
    expect(dueInMs()).toBe(300_000);
    answer([orders(4)]);
    expect(metadata.snapshot.topics.get("orders")?.partitions[0]).toMatchObject({ leaderId: 7, leaderEpoch: 5 });
  });
});

describe("beginning again with the bootstrap servers", () => {
  test("leaves topics and epochs, forgets who leads and which cluster it was, and asks for all", () => {
    const { metadata, answer, isDue, clock } = metadataOf();
    metadata.add(["orders"]);
    answer([orders(4)]);
    metadata.rebootstrap(metadata.bootstrapServers);
    expect([...metadata.snapshot.nodes.values()]).toEqual([{ id: -1, host: "localhost", port: 9092, rack: null }]);
    expect(metadata.snapshot).toMatchObject({ clusterId: null, controllerId: null });
    expect(leaderOf(metadata.snapshot, "orders", 0)).toBeNull();
    clock.advance(120);
    expect(isDue()).toBe(true);
    expect(answer([orders(3)])).toMatchObject({ topics: ["orders"], isPartial: false });
    expect(metadata.snapshot.topics.get("orders")?.partitions[0]?.leaderEpoch).toBe(4);
  });

  test("has nobody to ask before names are resolved that stand for others", () => {
    const { metadata } = metadataOf({ clientDnsLookup: "resolve_canonical_bootstrap_servers_only" });
    expect(metadata.snapshot.nodes.size).toBe(0);
    expect(metadata.bootstrapServers).toHaveLength(1);
  });
});

describe("who wants an update", () => {
  test("is told apart from what merely happened", () => {
    const { metadata, answer, asked, dueInMs } = metadataOf();
    answer();
    expect(metadata.isWanted).toBe(false);
    metadata.suspect();
    expect(metadata.isWanted).toBe(false);
    expect(dueInMs()).toBeLessThanOrEqual(120);
    expect(asked()).toBe(1);
    for (const want of [
      () => metadata.requestUpdate(),
      () => metadata.wantUpdate(),
      () => metadata.add(["orders"]),
      () => metadata.retainAll(() => true),
    ]) {
      want();
      expect(metadata.isWanted).toBe(true);
      answer([orders()]);
      expect(metadata.isWanted).toBe(false);
    }
  });
});
