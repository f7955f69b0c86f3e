import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BlockedSends } from "../src/blocked-sends.ts";
import type { UnsentRecord } from "../src/producer-record.ts";
import { recordOf, Told } from "./told.ts";

/** Lines whose records are admitted when the test opens the gate of their topic; `closed` gates refuse. */
function setUp() {
  const clock = new ManualClock();
  const admitted: string[] = [];
  const failed: string[] = [];
  const timeoutsMs: number[] = [];
  const gates = new Map<
    string,
    { open: boolean; waiting: { resolve: () => void; reject: (error: Error) => void }[] }
  >();
  const gateOf = (topic: string) => {
    let gate = gates.get(topic);
    if (gate === undefined) {
      gate = { open: false, waiting: [] };
      gates.set(topic, gate);
    }
    return gate;
  };
  const name = ({ source, position }: UnsentRecord) => `${source.topic} ${position}`;
  const blocked = new BlockedSends(clock, 500, {
    lacksPartition: ({ partition }) => (partition ?? 0) > 0,
    admit(record, deadline) {
      timeoutsMs.push(deadline.remainingMs);
      const gate = gateOf(record.topic);
      if (gate.open) {
        admitted.push(name(record));
        return null;
      }
      return new Promise<void>((resolve, reject) => {
        gate.waiting.push({ resolve, reject });
      }).then(() => admitted.push(name(record)) > 0);
    },
    fail: (record) => failed.push(name(record)),
  });
  let position = 0;
  const add = (topic: string): void => blocked.add(recordOf(1, { topic, delivery: new Told(), position: position++ }));
  const isBehind = (topic: string): boolean => blocked.isBehind(recordOf(1, { topic, delivery: new Told() }));
  return { clock, blocked, isBehind, admitted, failed, timeoutsMs, gateOf, add };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("blocked records of a topic", () => {
  test("are admitted in their order, one after the other", async () => {
    const { isBehind, admitted, gateOf, add } = setUp();
    for (let record = 0; record < 3; record++) add("a");
    await turn();
    expect(isBehind("a")).toBe(true);
    gateOf("a").waiting[0]?.resolve();
    await turn();
    expect(admitted).toEqual(["a 0"]);
    gateOf("a").open = true;
    gateOf("a").waiting[1]?.resolve();
    await turn();
    expect(admitted).toEqual(["a 0", "a 1", "a 2"]);
    expect(isBehind("a")).toBe(false);
  });

  test("do not hold up those of another topic", async () => {
    const { isBehind, admitted, gateOf, add } = setUp();
    add("a");
    add("b");
    await turn();
    expect([isBehind("b"), isBehind("c")]).toEqual([true, false]);
    gateOf("b").waiting[0]?.resolve();
    await turn();
    expect(admitted).toEqual(["b 1"]);
    expect([isBehind("a"), isBehind("b")]).toEqual([true, false]);
  });

  test("go on behind one that failed", async () => {
    const { admitted, failed, gateOf, add } = setUp();
    add("a");
    add("a");
    await turn();
    gateOf("a").open = true;
    gateOf("a").waiting[0]?.reject(new Error("no such topic"));
    await turn();
    expect([failed, admitted]).toEqual([["a 0"], ["a 1"]]);
  });

  test("are told that they fail after the call that adds them, never inside of it", async () => {
    const failed: number[] = [];
    const blocked = new BlockedSends(new ManualClock(), 500, {
      lacksPartition: () => false,
      admit: () => {
        throw new Error("no such partition");
      },
      fail: ({ position }) => failed.push(position),
    });
    blocked.add(recordOf(1, { delivery: new Told(), position: 4 }));
    expect(failed).toEqual([]);
    await turn();
    expect(failed).toEqual([4]);
  });

  test("have their time from the moment they were sent, not from their turn", async () => {
    const { clock, timeoutsMs, gateOf, add } = setUp();
    add("a");
    await turn();
    clock.advance(100);
    add("a");
    await turn();
    clock.advance(300);
    gateOf("a").waiting[0]?.resolve();
    await turn();
    expect(timeoutsMs).toEqual([500, 200]);
  });

  test("are all in order when they are many", async () => {
    const { admitted, gateOf, add } = setUp();
    for (let record = 0; record < 1_000; record++) add("a");
    await turn();
    gateOf("a").open = true;
    gateOf("a").waiting[0]?.resolve();
    await turn();
    expect(admitted).toEqual(Array.from({ length: 1_000 }, (_, position) => `a ${position}`));
  });
});

describe("waiting until all are settled", () => {
  test("waits for those that are there, on every topic, and for none that comes later", async () => {
    const { blocked, gateOf, add } = setUp();
    add("a");
    add("b");
    let settled = 0;
    const count = () => {
      settled += 1;
    };
    const both = [blocked.settled().then(count), blocked.settled().then(count)];
    add("a");
    await turn();
    gateOf("a").waiting[0]?.resolve();
    await turn();
    expect(settled).toBe(0);
    gateOf("b").waiting[0]?.reject(new Error("no such topic"));
    await Promise.all(both);
    expect(settled).toBe(2);
  });

  test("is over at once where none is blocked", async () => {
    await expect(setUp().blocked.settled()).resolves.toBeUndefined();
  });
});
