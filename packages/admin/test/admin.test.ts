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
    { topic: "", reason: /option topic: the name of a topic is expected, not ""/ },
    {
      topic: "t",
      partitions: 0,
      reason: /option partitions of topic t: a whole number of at least 1 is expected, not 0/,
    },
    { topic: "t", replicationFactor: 1.5, reason: /option replicationFactor of topic t: .* not 1\.5/ },
    { topic: "t", partitions: 1, assignments: [[1]], reason: /topic t: either assignments or partitions/ },
  ])("a topic that no broker would take: $reason", async ({ reason, ...topic }) => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    await expect(admin.createTopics([topic])).rejects.toThrow(reason);
  });

  test("the same topic twice", async () => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    await expect(admin.createTopics([{ topic: "t" }, { topic: "t" }])).rejects.toThrow(/each topic only once/);
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
});
