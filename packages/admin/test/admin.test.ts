import { describe, expect, test } from "vitest";
import { KafkaAdmin } from "../src/index.ts";

/** Nobody listens there: whatever fails here fails before a connection is made. */
const bootstrapServers = ["127.0.0.1:1"];

describe("the admin client refuses before it connects", () => {
  test("an option that does not exist, naming those that do", () => {
    const misspelt = { bootstrapServers, requestTimeout: 5_000 };
    expect(() => new KafkaAdmin(misspelt)).toThrow(/option requestTimeout: one of the names .*requestTimeoutMs/);
  });

  test.each([
    [{ topic: "" }, 'option topics[0].topic: the name of a topic is expected, not ""'],
    [
      { topic: "t", numPartitions: 0 },
      "option topics[0].numPartitions: a whole number from 1 to 2147483647 is expected, not 0",
    ],
    [
      { topic: "t", replicationFactor: 1.5 },
      "option topics[0].replicationFactor: a whole number from 1 to 32767 is expected, not 1.5",
    ],
    [
      { topic: "t", numPartitions: 1, assignments: [[1]] },
      "option topics[0].assignments: nothing beside numPartitions and replicationFactor",
    ],
    [
      { topic: "t", assignments: [[1], 1] },
      "option topics[0].assignments[1]: an array of broker ids, the preferred leader first, is expected, not 1",
    ],
    [
      { topic: "t", assignments: [[2 ** 31]] },
      "option topics[0].assignments[0]: an array of broker ids, the preferred leader first, is expected",
    ],
    [{ topic: "t", configs: [] }, "option topics[0].configs: an object is expected, not an array of 0"],
    [
      { topic: "t", configs: { a: 5 } },
      "option topics[0].configs.a: a text, or null for the default, is expected, not 5",
    ],
    [
      { topic: "t", partitions: 12 },
      "option topics[0].partitions: one of the names assignments, configs, numPartitions, ",
    ],
    [null, "option topics[0]: an object is expected, not null"],
  ])("a topic that no broker would take: %j", async (topic, message) => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    // What people write in JavaScript, where no compiler stops them.
    const topics: never[] = JSON.parse(JSON.stringify([topic]));
    await expect(admin.createTopics(topics)).rejects.toThrow(message);
  });

  test("the same topic twice", async () => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    await expect(admin.createTopics([{ topic: "t" }, { topic: "t" }])).rejects.toThrow(
      'option topics[1]: each only once is expected, not "t"',
    );
  });

  test.each([Number.NaN, -1, 0.5])("a time of %d milliseconds", async (timeoutMs) => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    await expect(admin.createTopics([{ topic: "t" }], { timeoutMs })).rejects.toThrow(
      /option timeoutMs: a whole number/,
    );
  });

  test("a call after close", async () => {
    const admin = new KafkaAdmin({ bootstrapServers });
    await admin.close();
    await expect(admin.createTopics([{ topic: "t" }])).rejects.toMatchObject({ code: "CLOSED" });
    await expect(admin.connect()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("the admin client waits for a cluster that is not there", () => {
  test("until the call's time is over, and then says what kept it", async () => {
    await using admin = new KafkaAdmin({ bootstrapServers, defaultApiTimeoutMs: 300 });
    await expect(admin.connect()).rejects.toMatchObject({
      code: "TIMEOUT",
      cause: { code: "CONNECTION", host: "127.0.0.1", port: 1 },
    });
  });

  test("for as long as connect is told, or until it is aborted", async () => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    await expect(admin.connect({ timeoutMs: 100 })).rejects.toMatchObject({ code: "TIMEOUT", afterMs: 100 });
    const reason = new Error("enough");
    const controller = new AbortController();
    const connecting = admin.connect({ signal: controller.signal });
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await expect(admin.connect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(admin.connect({ timeoutMs: -1 })).rejects.toMatchObject({ code: "OPTIONS" });
  });
});
