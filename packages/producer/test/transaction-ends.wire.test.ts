import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing, quiet } from "../../network/test/passing.ts";
import { until } from "../../network/test/until.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import { endOf, good, outcomeOf } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";
import { ScriptedCoordinator, type ScriptedCoordinatorOptions } from "./scripted-coordinator.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const topic = "orders";
const offsets = [{ topic, partition: 0, offset: 5 }];

interface Given extends Partial<ProducerOptions> {
  readonly cluster?: ScriptedCoordinatorOptions;
  readonly clock?: ManualClock;
}

/** A producer that has its id, and the broker that leads and coordinates. */
async function ready({ cluster, clock, ...options }: Given = {}) {
  const coordinator = new ScriptedCoordinator(cluster);
  const broker = await ScriptedBroker.listen({ coordinator });
  const times = { lingerMs: 0, retryBackoffMs: 2, reconnectBackoffMs: 2 };
  const { bootstrapServers } = broker;
  const producer = new KafkaProducer({ bootstrapServers, transactionalId: "billing", ...times, ...options }, clock);
  closeInTheEnd(producer, clock);
  const has = producer.initTransactions();
  await (clock === undefined ? has : soon(clock, has));
  const { asked } = coordinator;
  const ends = () => asked.filter((what) => what.startsWith("EndTxn"));
  return { asked, broker, coordinator, ends, producer };
}

/** Something that a test lets happen. */
function held() {
  let letGo = () => {};
  const happened = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { happened, letGo };
}

describe.each([1, 2] as const)("the helper of version %s, whose work ends while offsets are under way,", (version) => {
  const cluster = { transactionVersion: version };

  test("aborts behind them when it throws", async () => {
    const { coordinator, ends, producer } = await ready({ cluster });
    const { happened, letGo } = held();
    coordinator.spoil("TxnOffsetCommit", happened);
    const isAsked = () => coordinator.asked.some((what) => what.startsWith("TxnOffsetCommit"));
    const throwing = async () => {
      await until(isAsked);
      throw new Error("mine");
    };
    const done = producer.transaction(() =>
      Promise.all([producer.sendOffsetsToTransaction(offsets, "readers"), throwing()]),
    );
    const message = done.catch(String);
    await until(isAsked);
    await quiet();
    expect(ends()).toEqual([]);
    letGo();
    expect(await message).toBe("Error: mine");
    expect(ends()).toEqual(["EndTxn abort 1000/0"]);
    await producer.transaction(async () => {});
  });

  test("commits those of two groups", async () => {
    const { asked, ends, producer } = await ready({ cluster });
    await producer.transaction(() =>
      Promise.all(["readers", "writers"].map((group) => producer.sendOffsetsToTransaction(offsets, group))),
    );
    const commits = asked.filter((what) => what.startsWith("TxnOffsetCommit"));
    expect(commits.map((what) => what.split(" ")[2])).toEqual(["readers", "writers"]);
    expect(ends()).toEqual(["EndTxn commit 1000/0"]);
  });

  test("waits for those that nobody awaits before it commits", async () => {
    const { asked, coordinator, ends, producer } = await ready({ cluster });
    const { happened, letGo } = held();
    coordinator.spoil("TxnOffsetCommit", happened);
    let sent = Promise.resolve("");
    const done = producer.transaction(async () => {
      sent = endOf(producer.sendOffsetsToTransaction(offsets, "readers"));
    });
    await until(() => asked.some((what) => what.startsWith("TxnOffsetCommit")));
    await quiet();
    expect(ends()).toEqual([]);
    letGo();
    await done;
    expect([await sent, ...ends()]).toEqual(["done", "EndTxn commit 1000/0"]);
  });

  test("aborts where those that nobody awaits fail", async () => {
    const { coordinator, ends, producer } = await ready({ cluster });
    coordinator.spoil("TxnOffsetCommit", "ILLEGAL_GENERATION");
    let sent = Promise.resolve("");
    const done = producer.transaction(async () => {
      sent = endOf(producer.sendOffsetsToTransaction(offsets, "readers"));
    });
    await expect(done).rejects.toMatchObject({ code: "ILLEGAL_GENERATION" });
    expect([await sent, ...ends()]).toEqual(["ILLEGAL_GENERATION, abortable", "EndTxn abort 1000/0"]);
  });
});

describe("an abort", () => {
  test("comes behind a call that is under way", async () => {
    const { coordinator, ends, producer } = await ready();
    producer.beginTransaction();
    await producer.sendOffsetsToTransaction(offsets, "readers");
    const { happened, letGo } = held();
    coordinator.spoil("EndTxn", happened);
    const committed = endOf(producer.commitTransaction());
    const aborted = endOf(producer.abortTransaction());
    letGo();
    expect(await committed).toBe("done");
    expect(await aborted).toMatch(/^StateError: abortTransaction: the producer is READY/);
    expect(ends()).toEqual(["EndTxn commit 1000/0"]);
    producer.beginTransaction();
  });
});

describe("offsets that wait for others", () => {
  test("are told that an abort has overtaken them", async () => {
    const { coordinator, producer } = await ready();
    producer.beginTransaction();
    const { happened, letGo } = held();
    coordinator.spoil("AddOffsetsToTxn", happened);
    const sent = ["readers", "writers"].map((group) => endOf(producer.sendOffsetsToTransaction(offsets, group)));
    await until(() => coordinator.asked.at(-1) === "AddOffsetsToTxn readers");
    const aborted = endOf(producer.abortTransaction());
    letGo();
    expect(await Promise.all(sent)).toEqual(Array(2).fill("TRANSACTION_ABORTED, abortable"));
    expect(await aborted).toBe("done");
    producer.beginTransaction();
    await producer.sendOffsetsToTransaction(offsets, "readers");
  });
});

describe("offsets that ran out of time", () => {
  /** Of a topic that nobody knows: its coordinator is asked again and again. */
  async function lost(given: Given = {}) {
    const clock = new ManualClock();
    const all = await ready({ clock, retryBackoffMs: 100, ...given });
    all.producer.beginTransaction();
    all.coordinator.spoil(
      "TxnOffsetCommit",
      ...Array<"UNKNOWN_TOPIC_OR_PARTITION">(1_000).fill("UNKNOWN_TOPIC_OR_PARTITION"),
    );
    const send = (timeoutMs: number) => endOf(all.producer.sendOffsetsToTransaction(offsets, "readers", { timeoutMs }));
    return { ...all, clock, send };
  }

  test("have a commit and a prepare refused, and are dropped by an abort", async () => {
    const { clock, ends, producer, send } = await lost({
      transactionTwoPhaseCommitEnable: true,
      cluster: { initProducerId: 6 },
    });
    expect(await soon(clock, send(1_000))).toMatch(/^TimeoutError/);
    for (const end of ["commitTransaction", "prepareTransaction"] as const) {
      await expect(producer[end]()).rejects.toMatchObject({
        code: "STATE",
        message: `${end}: sendOffsetsToTransaction ran out of time and may yet succeed, call it again first, or abortTransaction`,
      });
    }
    await soon(clock, producer.abortTransaction());
    expect(ends()).toEqual(["EndTxn abort 1000/0"]);
    await soon(
      clock,
      producer.transaction(async () => {}),
    );
  });

  test("may be committed once they are there after all", async () => {
    const clock = new ManualClock();
    const { coordinator, ends, producer } = await ready({ clock });
    producer.beginTransaction();
    const { happened, letGo } = held();
    coordinator.spoil("TxnOffsetCommit", happened);
    const late = endOf(producer.sendOffsetsToTransaction(offsets, "readers", { timeoutMs: 30 }));
    expect(await soon(clock, late)).toMatch(/^TimeoutError/);
    const again = producer.sendOffsetsToTransaction(offsets, "readers");
    letGo();
    await soon(clock, again);
    await soon(clock, producer.commitTransaction());
    expect(ends()).toEqual(["EndTxn commit 1000/0"]);
  });

  test("while a commit waits for them have it fail, and it can be aborted", async () => {
    const { clock, ends, producer, send } = await lost();
    const sent = send(1_000);
    const committed = endOf(producer.commitTransaction());
    expect(await soon(clock, committed)).toBe("TIMEOUT, abortable");
    expect(await sent).toMatch(/^TimeoutError/);
    expect(ends()).toEqual([]);
    await soon(clock, producer.abortTransaction());
    expect(ends()).toEqual(["EndTxn abort 1000/0"]);
  });

  test("do not keep the producer from closing", async () => {
    const { clock, ends, producer, send } = await lost();
    expect(await soon(clock, send(1_000))).toMatch(/^TimeoutError/);
    await soon(clock, producer.close());
    expect(ends()).toEqual(["EndTxn abort 1000/0"]);
  });
});

describe("a producer that is closed without a limit", () => {
  test.each(["commitTransaction", "abortTransaction", "close"] as const)(
    "waits for an end that no coordinator answers up to transactionTimeoutMs: %s",
    async (end) => {
      const clock = new ManualClock();
      const { broker, coordinator, producer } = await ready({ clock, transactionTimeoutMs: 45_000 });
      producer.beginTransaction();
      const sent = outcomeOf(producer.send({ topic, value: "a" }));
      good(await soon(clock, broker.nextCall()));
      expect(await soon(clock, sent)).toBe("@0");
      coordinator.spoil("EndTxn", ...Array<Promise<void>>(100).fill(new Promise(() => {})));
      const ended = end === "close" ? null : endOf(producer[end]({ timeoutMs: 100_000 }));
      const sinceMs = clock.now();
      await soon(clock, producer.close());
      expect(clock.now() - sinceMs).toBe(45_000);
      if (ended !== null) expect(await ended).toMatch(/^ClosedError/);
    },
  );

  test("waits no longer for offsets that a commit waits for", async () => {
    const clock = new ManualClock();
    const { coordinator, producer } = await ready({ clock });
    producer.beginTransaction();
    coordinator.spoil("TxnOffsetCommit", ...Array<Promise<void>>(100).fill(new Promise(() => {})));
    const sent = endOf(producer.sendOffsetsToTransaction(offsets, "readers", { timeoutMs: Number.POSITIVE_INFINITY }));
    const committed = endOf(producer.commitTransaction({ timeoutMs: Number.POSITIVE_INFINITY }));
    await passing(clock).pass(0);
    await soon(clock, producer.close());
    expect([await sent, await committed].map((text) => text.slice(0, 11))).toEqual(["ClosedError", "ClosedError"]);
  });
});
