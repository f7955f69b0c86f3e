import { Coordinators, NetworkClient, OptionReader } from "@odradek/network";
import { BrokerError, codeOf, type KafkaError, type KafkaErrorCode } from "@odradek/protocol";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../../network/test/manual-clock.ts";
import { passing } from "../../../network/test/passing.ts";
import { resolveAdminOptions } from "../../src/admin-options.ts";
import { Call, type Whom } from "../../src/asking/call.ts";
import { askAll, askOne } from "../../src/asking/fan-out.ts";
import { PartitionLeaders } from "../../src/asking/partition-leaders.ts";
import type { Routing } from "../../src/asking/routing.ts";

const error = (name: Parameters<typeof codeOf>[0]): BrokerError => new BrokerError(codeOf(name), "asking");

/** A call that reaches nobody: whom to ask, and what they answer, each test says itself. */
function setUp({ timeoutMs = 10_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  const clock = new ManualClock();
  const options = resolveAdminOptions({ bootstrapServers: ["127.0.0.1:1"] });
  const network = new NetworkClient("admin-client", options, clock);
  onTestFinished(() => network.close());
  const coordinators = new Coordinators(network, options, clock);
  const reader = new OptionReader({ timeoutMs, ...(signal === undefined ? {} : { signal }) });
  const call = new Call({ network, coordinators, leaders: new PartitionLeaders(), options, clock }, reader);
  const asked: [Whom, string[]][] = [];
  const doubted: [string, string, Whom][] = [];
  /** By the first digit of a key, as it were its broker. */
  const routing: Routing<string> = {
    route: async (_, keys) => new Map(keys.map((key) => [key, Number(key[0])])),
    doubt: (_, key, { code }, whom) => doubted.push([key, code, whom]),
  };
  return { call, clock, network, asked, doubted, routing };
}

type Told = ReadonlyMap<string, string | KafkaError>;

const well = (keys: readonly string[]): Told => new Map(keys.map((key) => [key, `value of ${key}`]));
const ill = (keys: readonly string[], name: Parameters<typeof codeOf>[0]): Told =>
  new Map(keys.map((key) => [key, error(name)]));

describe("the fan-out", () => {
  test("asks each broker once about all of its keys, and gives results in the order of asking", async () => {
    const { call, asked, routing } = setUp();
    const results = await askAll<string, string>(call, {
      keys: ["2a", "1a", "2b", "3a"],
      textOf: String,
      routing,
      ask: async (keys, whom) => {
        asked.push([whom, [...keys]]);
        return well(keys);
      },
    });
    expect(asked).toEqual([
      [2, ["2a", "2b"]],
      [1, ["1a"]],
      [3, ["3a"]],
    ]);
    expect([...results].map(({ key, value }) => [key, value])).toEqual(
      ["2a", "1a", "2b", "3a"].map((key) => [key, `value of ${key}`]),
    );
  });

  test("says once of an error that is for several keys that it may have succeeded", async () => {
    const { call, clock, routing } = setUp();
    let isLost = false;
    const results = askAll<string, string>(call, {
      keys: ["1a", "1b", "1c"],
      textOf: String,
      routing: { ...routing, passing: new Set(["REQUEST_TIMED_OUT"]) },
      doneBefore: new Set(["UNKNOWN_MEMBER_ID"]),
      ask: async () => {
        if (isLost) throw error("UNKNOWN_MEMBER_ID");
        isLost = true;
        throw error("REQUEST_TIMED_OUT");
      },
    });
    await passing(clock).pass(200);
    const [first, ...others] = [...(await results)].map((result) => result.error?.message);
    expect(first?.split("whose answer was lost")).toHaveLength(2);
    expect(others).toEqual([first, first]);
  });

  test("keeps what worked beside a broker that fails, and one that leaves a key out", async () => {
    const { call, routing } = setUp();
    const results = await askAll<string, string>(call, {
      keys: ["1a", "2a", "3a", "3b"],
      textOf: String,
      routing,
      ask: async (keys, whom) => {
        if (whom === 1) throw error("CLUSTER_AUTHORIZATION_FAILED");
        return whom === 3 ? well(["3b"]) : well(keys);
      },
    });
    expect([...results].map(({ value, error: failed }) => value ?? failed?.code)).toEqual([
      "CLUSTER_AUTHORIZATION_FAILED",
      "value of 2a",
      "DECODE",
      "value of 3b",
    ]);
    expect(() => results.orThrow()).toThrow("CLUSTER_AUTHORIZATION_FAILED");
  });

  test("asks again about those alone whose error may pass, whoever it is by then, and not before the back-off", async () => {
    const { call, clock, asked, doubted } = setUp();
    let leader = 1;
    let refreshes = 0;
    const results = askAll<string, string>(call, {
      keys: ["a", "b"],
      textOf: String,
      routing: {
        route: async (_, keys) => new Map(keys.map((key) => [key, leader])),
        doubt: (_, key, { code }, whom) => doubted.push([key, code, whom]),
        refresh: async () => {
          refreshes += 1;
        },
      },
      ask: async (keys, whom) => {
        asked.push([whom, [...keys]]);
        if (whom === 2) return well(keys);
        leader = 2;
        return new Map([...well(["a"]), ...ill(["b"], "NOT_LEADER_OR_FOLLOWER")]);
      },
    });
    await passing(clock).pass(79);
    expect(asked).toEqual([[1, ["a", "b"]]]);
    await passing(clock).pass(42);
    expect((await results).orThrow()).toEqual(["value of a", "value of b"]);
    expect(asked.slice(1)).toEqual([[2, ["b"]]]);
    expect(doubted).toEqual([["b", "NOT_LEADER_OR_FOLLOWER", 1]]);
    expect(refreshes).toBe(1);
  });

  test("lets no broker that is silent keep the keys of another from being asked again", async () => {
    const { call, clock, asked, routing } = setUp();
    let speak = () => {};
    const spoken = new Promise<void>((resolve) => {
      speak = resolve;
    });
    const results = askAll<string, string>(call, {
      keys: ["1a", "2a", "2b"],
      textOf: String,
      routing,
      ask: async (keys, whom) => {
        asked.push([whom, [...keys]]);
        if (whom === 1) await spoken;
        const isFirst = asked.length <= 2;
        return whom === 2 && isFirst
          ? new Map([...well(["2a"]), ...ill(["2b"], "NOT_LEADER_OR_FOLLOWER")])
          : well(keys);
      },
    });
    await passing(clock).pass(121);
    expect(asked).toEqual([
      [1, ["1a"]],
      [2, ["2a", "2b"]],
      [2, ["2b"]],
    ]);
    speak();
    expect((await results).orThrow()).toEqual(["value of 1a", "value of 2a", "value of 2b"]);
    expect(asked).toHaveLength(3);
  });

  test("asks again after an error that passes only where it is asked", async () => {
    for (const passes of [true, false]) {
      const { call, clock, asked, routing } = setUp();
      const whatPasses = new Set<KafkaErrorCode>(passes ? ["REBALANCE_IN_PROGRESS"] : []);
      const results = askAll<string, string>(call, {
        keys: ["1a"],
        textOf: String,
        routing: { ...routing, passing: whatPasses },
        ask: async (keys, whom) => {
          asked.push([whom, [...keys]]);
          return asked.length === 1 ? ill(keys, "REBALANCE_IN_PROGRESS") : well(keys);
        },
      });
      await passing(clock).pass(121);
      expect((await results).get("1a")?.error?.code).toBe(passes ? undefined : "REBALANCE_IN_PROGRESS");
    }
  });

  test.each([
    "UNKNOWN_TOPIC_OR_PARTITION",
    "ELECTION_NOT_NEEDED",
    "REQUEST_TIMED_OUT",
    "TOPIC_ALREADY_EXISTS",
  ] as const)("takes %s for the answer that it is", async (name) => {
    const { call, asked, routing } = setUp();
    const results = await askAll<string, string>(call, {
      keys: ["1a"],
      textOf: String,
      routing,
      ask: async (keys, whom) => {
        asked.push([whom, [...keys]]);
        return ill(keys, name);
      },
    });
    expect(results.get("1a")?.error).toMatchObject({ name: "BrokerError", code: name });
    expect(asked).toHaveLength(1);
  });

  test("gives what settles some rounds, and no more, where the lookup says it as where the broker does", async () => {
    for (const isOfLookup of [true, false]) {
      const { call, clock, routing } = setUp();
      let rounds = 0;
      const unknown = error("UNKNOWN_TOPIC_OR_PARTITION");
      const results = askAll<string, string>(call, {
        keys: ["1a"],
        textOf: String,
        routing: {
          ...routing,
          settling: new Set([unknown.code]),
          route: async () => {
            rounds += 1;
            return new Map([["1a", isOfLookup ? unknown : 1]]);
          },
        },
        ask: async () => new Map([["1a", unknown]]),
      });
      await passing(clock).pass(5_000);
      expect((await results).get("1a")?.error).toBe(unknown);
      expect(rounds).toBe(6);
    }
  });

  test("gives what settles its rounds from its own first one on", async () => {
    const { call, clock, routing } = setUp();
    const answers = [
      ...Array.from({ length: 7 }, () => "NOT_LEADER_OR_FOLLOWER" as const),
      "UNKNOWN_TOPIC_ID" as const,
    ];
    let rounds = 0;
    const results = askAll<string, string>(call, {
      keys: ["1a"],
      textOf: String,
      routing: { ...routing, settling: new Set(["UNKNOWN_TOPIC_ID"]) },
      ask: async (keys) => {
        const answer = answers[rounds++];
        return answer === undefined ? well(keys) : ill(keys, answer);
      },
    });
    await passing(clock).pass(10_000);
    expect((await results).get("1a")?.value).toBe("value of 1a");
    expect(rounds).toBe(9);
  });

  test("says what kept a key when time is up, and keeps what worked", async () => {
    const { call, clock, routing } = setUp({ timeoutMs: 1_000 });
    const results = askAll<string, string>(call, {
      keys: ["1a", "2a"],
      textOf: String,
      routing,
      ask: async (keys, whom) => (whom === 1 ? well(keys) : ill(keys, "COORDINATOR_LOAD_IN_PROGRESS")),
    });
    await passing(clock).pass(1_000);
    expect((await results).get("1a")?.value).toBe("value of 1a");
    expect((await results).get("2a")?.error).toMatchObject({
      code: "TIMEOUT",
      cause: { code: "COORDINATOR_LOAD_IN_PROGRESS" },
    });
  });

  test("ends with the client, and keeps what worked", async () => {
    const { call, clock, network, routing } = setUp();
    const results = askAll<string, string>(call, {
      keys: ["1a", "2a"],
      textOf: String,
      routing,
      ask: async (keys, whom) => (whom === 1 ? well(keys) : ill(keys, "NOT_CONTROLLER")),
    });
    await passing(clock).pass(0);
    await network.close();
    expect([...(await results)].map(({ error: failed }) => failed?.code)).toEqual([undefined, "CLOSED"]);
  });

  test("rejects with the reason of the signal, before the first question or while it waits for another", async () => {
    const reason = new Error("enough");
    const early = setUp({ signal: AbortSignal.abort(reason) });
    const question = {
      keys: ["1a"],
      textOf: String,
      ask: async (keys: readonly string[]) => ill(keys, "NOT_CONTROLLER"),
    };
    await expect(askAll<string, string>(early.call, { ...question, routing: early.routing })).rejects.toBe(reason);

    const controller = new AbortController();
    const late = setUp({ signal: controller.signal });
    const results = askAll<string, string>(late.call, { ...question, routing: late.routing });
    await passing(late.clock).pass(50);
    controller.abort(reason);
    await expect(results).rejects.toBe(reason);
    expect(late.clock.timers).toBe(0);
  });

  test("does not ask again after an error that the call takes for final", async () => {
    const { call, routing } = setUp();
    const results = await askAll<string, string>(call, {
      keys: ["1a"],
      textOf: String,
      routing,
      isFinal: ({ code }) => code === "THROTTLING_QUOTA_EXCEEDED",
      ask: async (keys) => ill(keys, "THROTTLING_QUOTA_EXCEEDED"),
    });
    expect(results.get("1a")?.error).toMatchObject({ code: "THROTTLING_QUOTA_EXCEEDED" });
  });

  test("rejects with a mistake of ours instead of giving it to a key", async () => {
    const { call, routing } = setUp();
    const mistake = new TypeError("not a function");
    const failing = async () => {
      throw mistake;
    };
    await expect(askAll<string, string>(call, { keys: ["1a"], textOf: String, routing, ask: failing })).rejects.toBe(
      mistake,
    );
  });

  test("counts a lookup that fails for all of its keys", async () => {
    const { call } = setUp();
    const denied = error("CLUSTER_AUTHORIZATION_FAILED");
    const results = await askAll<string, string>(call, {
      keys: ["a", "b"],
      textOf: String,
      routing: { route: () => Promise.reject(denied) },
      ask: async (keys) => well(keys),
    });
    expect([...results].map(({ error: failed }) => failed)).toEqual([denied, denied]);
  });

  test("asks about each key until its first answer, and never again", async () => {
    const outcomes = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean(), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(outcomes, async (all) => {
        const { call, clock } = setUp({ timeoutMs: 60_000 });
        const counts = new Map<string, number>();
        const plans = new Map(
          all.map(([failures, works, broker], index) => [`${broker}-${index}`, { failures, works }]),
        );
        const results = askAll<string, string>(call, {
          keys: [...plans.keys()],
          textOf: String,
          routing: { route: async (_, keys) => new Map(keys.map((key) => [key, Number(key[0])])) },
          ask: async (keys) =>
            new Map(
              keys.map((key): [string, string | KafkaError] => {
                const count = counts.get(key) ?? 0;
                counts.set(key, count + 1);
                const { failures = 0, works = true } = plans.get(key) ?? {};
                if (count < failures) return [key, error("NOT_COORDINATOR")];
                return [key, works ? "well" : error("GROUP_ID_NOT_FOUND")];
              }),
            ),
        });
        await passing(clock).pass(60_000);
        for (const { key, value, error: failed } of await results) {
          const plan = plans.get(key);
          expect(counts.get(key)).toBe((plan?.failures ?? 0) + 1);
          expect(value ?? failed?.code).toBe(plan?.works === true ? "well" : "GROUP_ID_NOT_FOUND");
        }
      }),
      { numRuns: 30 },
    );
  });
});

test("a question about the cluster as a whole resolves to its answer, and rejects with its error", async () => {
  const { call } = setUp();
  expect(await askOne(call, "it", async () => 5)).toBe(5);
  const denied = error("CLUSTER_AUTHORIZATION_FAILED");
  await expect(askOne(call, "it", () => Promise.reject(denied))).rejects.toBe(denied);
});
