import type { BrokerErrorName } from "@odradek/protocol";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { TxnOffsetCommit } from "@odradek/protocol/messages/txn-offset-commit";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing, quiet } from "../../network/test/passing.ts";
import { until } from "../../network/test/until.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import { bad, endOf, good, outcomeOf } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";
import { ScriptedCoordinator, type ScriptedCoordinatorOptions } from "./scripted-coordinator.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const topic = "orders";
const offsets = [{ topic, partition: 0, offset: 5 }];

/** Beyond what a test may take: who waits for its end fails. */
const neverMs = 10_000_000;

const keys = {
  AddPartitionsToTxn: AddPartitionsToTxn.key,
  FindCoordinator: FindCoordinator.key,
  TxnOffsetCommit: TxnOffsetCommit.key,
} as const;

/** A coordinator that answers requests of an API the same, however often they are made. */
class StubbornCoordinator extends ScriptedCoordinator {
  readonly #always = new Map<number, () => void>();

  alwaysSpoil(api: keyof typeof keys, error: BrokerErrorName): void {
    this.#always.set(keys[api], () => this.spoil(api, error));
  }

  override answer(...given: Parameters<ScriptedCoordinator["answer"]>): Promise<void> {
    const [{ apiKey }] = given;
    this.#always.get(apiKey)?.();
    return super.answer(...given);
  }
}

interface Given extends Partial<ProducerOptions> {
  readonly cluster?: ScriptedCoordinatorOptions;
  readonly clock?: ManualClock;
}

/** A producer, and the broker that leads and coordinates. */
async function setUp({ cluster, clock, ...options }: Given = {}) {
  const coordinator = new StubbornCoordinator(cluster);
  const broker = await ScriptedBroker.listen({ coordinator });
  const producer = new KafkaProducer(
    {
      bootstrapServers: broker.bootstrapServers,
      lingerMs: 0,
      retryBackoffMs: 2,
      retryBackoffMaxMs: 5,
      reconnectBackoffMs: 2,
      maxBlockMs: neverMs,
      ...options,
    },
    clock,
  );
  closeInTheEnd(producer, clock);
  const countOf = (start: string) => coordinator.asked.filter((what) => what.startsWith(start)).length;
  return { asked: coordinator.asked, broker, coordinator, countOf, producer };
}

/** The same, with a transaction open. */
async function inTransaction(given: Given = {}) {
  const all = await setUp({ transactionalId: "billing", ...given });
  const ready = all.producer.initTransactions();
  await (given.clock === undefined ? ready : soon(given.clock, ready));
  all.producer.beginTransaction();
  return all;
}

test("a record that fails ends the search for the coordinator of the offsets that go with it", async () => {
  const clock = new ManualClock();
  const { broker, coordinator, producer } = await inTransaction({ clock, cluster: { transactionVersion: 2 } });
  coordinator.alwaysSpoil("FindCoordinator", "COORDINATOR_NOT_AVAILABLE");
  const startMs = clock.now();
  const sent = endOf(producer.sendOffsetsToTransaction(offsets, "readers"));
  void outcomeOf(producer.send({ topic, value: "a" }));
  bad(await soon(clock, broker.nextCall()), "INVALID_RECORD");
  expect(await soon(clock, sent)).toBe("INVALID_RECORD, abortable");
  expect(clock.now() - startMs).toBeLessThan(1_000);
});

describe("an abort", () => {
  test("does not wait for partitions that the coordinator does not take", async () => {
    const clock = new ManualClock();
    const given = { clock, deliveryTimeoutMs: 1_000, requestTimeoutMs: 1_000 };
    const { coordinator, asked, countOf, producer } = await inTransaction(given);
    coordinator.alwaysSpoil("AddPartitionsToTxn", "UNKNOWN_TOPIC_OR_PARTITION");
    expect(await soon(clock, outcomeOf(producer.send({ topic, value: "a" })))).toBe("TIMEOUT, no");
    expect(countOf("AddPartitionsToTxn")).toBeGreaterThan(0);
    await soon(clock, producer.abortTransaction());
    const { length } = asked;
    producer.beginTransaction();
    await soon(clock, producer.commitTransaction());
    // Nor does anything go on behind it.
    await passing(clock).pass(1_000);
    expect(asked).toHaveLength(length);
  });

  test("does not wait for partitions that the coordinator does not take yet, where no record has failed", async () => {
    const { coordinator, countOf, producer } = await inTransaction();
    coordinator.alwaysSpoil("AddPartitionsToTxn", "UNKNOWN_TOPIC_OR_PARTITION");
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    await until(() => countOf("AddPartitionsToTxn") > 1);
    const aborted = endOf(producer.abortTransaction());
    expect([await sent, await aborted]).toEqual(["TRANSACTION_ABORTED, no", "done"]);
    producer.beginTransaction();
  });

  test("does not wait for offsets that ran out of time and are not taken", async () => {
    const clock = new ManualClock();
    const { coordinator, asked, countOf, producer } = await inTransaction({ clock });
    coordinator.alwaysSpoil("TxnOffsetCommit", "COORDINATOR_LOAD_IN_PROGRESS");
    const sent = producer.sendOffsetsToTransaction(offsets, "readers", { timeoutMs: 1_000 });
    await expect(soon(clock, sent)).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(countOf("TxnOffsetCommit")).toBeGreaterThan(0);
    await soon(clock, producer.abortTransaction());
    expect(countOf("EndTxn abort 1000/0")).toBe(1);
    const end = asked.findIndex((what) => what.startsWith("EndTxn"));
    producer.beginTransaction();
    await soon(clock, producer.commitTransaction());
    await passing(clock).pass(1_000);
    expect(asked.slice(end).filter((what) => what.startsWith("TxnOffsetCommit"))).toEqual([]);
  });

  test.each(["is not found", "is not told of"] as const)(
    "does not wait for offsets whose coordinator %s",
    async (how) => {
      const clock = new ManualClock();
      const { coordinator, countOf, producer } = await inTransaction({ clock });
      let letGo = () => {};
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      if (how === "is not found") coordinator.alwaysSpoil("FindCoordinator", "COORDINATOR_NOT_AVAILABLE");
      else coordinator.spoil("FindCoordinator", held);
      const sent = producer.sendOffsetsToTransaction(offsets, "readers", { timeoutMs: 1_000 });
      await expect(soon(clock, sent)).rejects.toMatchObject({ code: "TIMEOUT" });
      const startMs = clock.now();
      await soon(clock, producer.abortTransaction());
      // A request may take 30 s.
      expect(clock.now() - startMs).toBeLessThan(1_000);
      expect([countOf("EndTxn abort 1000/0"), countOf("TxnOffsetCommit")]).toEqual([1, 0]);
      letGo();
      producer.beginTransaction();
    },
  );

  test("does not wait for offsets that come to the coordinator of the group after it was called", async () => {
    const { coordinator, countOf, producer } = await inTransaction();
    let letGo = () => {};
    coordinator.spoil(
      "AddOffsetsToTxn",
      new Promise((resolve) => {
        letGo = resolve;
      }),
    );
    coordinator.alwaysSpoil("TxnOffsetCommit", "COORDINATOR_LOAD_IN_PROGRESS");
    const controller = new AbortController();
    const sent = endOf(producer.sendOffsetsToTransaction(offsets, "readers", { signal: controller.signal }));
    await until(() => countOf("AddOffsetsToTxn") > 0);
    controller.abort(new Error("enough"));
    expect(await sent).toBe("Error: enough");
    const aborted = endOf(producer.abortTransaction());
    letGo();
    expect(await aborted).toBe("done");
    producer.beginTransaction();
  });

  test.each(["at once", "later"] as const)("has a record fail that waits for its topic: %s", async (when) => {
    const { broker, countOf, producer } = await inTransaction();
    const sends = ["a", "b"].map((value) => outcomeOf(producer.send({ topic: "nowhere", value })));
    if (when === "later") await until(() => broker.metadataQuestions.flat().includes("nowhere"));
    const aborted = endOf(producer.abortTransaction());
    expect(await Promise.all(sends)).toEqual(["TRANSACTION_ABORTED, no", "TRANSACTION_ABORTED, no"]);
    expect(await aborted).toBe("done");
    await quiet();
    expect(countOf("EndTxn")).toBe(0);
    // The next transaction has nothing to do with them.
    producer.beginTransaction();
    const next = outcomeOf(producer.send({ topic, value: "c" }));
    good(await broker.nextCall(), 1n);
    expect(await next).toBe("@1");
    await producer.commitTransaction();
  });
});

describe("offsets of a transaction", () => {
  test("are given up when a record finds that the producer cannot go on", async () => {
    const { coordinator, broker, countOf, producer } = await inTransaction({ cluster: { transactionVersion: 2 } });
    coordinator.alwaysSpoil("TxnOffsetCommit", "COORDINATOR_LOAD_IN_PROGRESS");
    const added = endOf(producer.sendOffsetsToTransaction(offsets, "readers"));
    // Who coordinates is asked on the connection of the records, whose answers keep their order.
    await until(() => countOf("TxnOffsetCommit") > 1);
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    bad(await broker.nextCall(), "INVALID_PRODUCER_ID_MAPPING");
    expect(await sent).toBe("INVALID_PRODUCER_ID_MAPPING, no");
    expect(await added).toBe("INVALID_PRODUCER_ID_MAPPING, fatal");
    expect(await endOf(producer.abortTransaction())).toBe("INVALID_PRODUCER_ID_MAPPING, fatal");
    await producer.close();
  });
});

describe("closing", () => {
  test("does not wait for an id that nobody waits for any more", async () => {
    const { producer } = await setUp({ transactionalId: "billing", bootstrapServers: ["127.0.0.1:1"] });
    await expect(producer.initTransactions({ timeoutMs: 50 })).rejects.toMatchObject({ code: "TIMEOUT" });
    await producer.close();
  });

  test("does not wait for an id that was given up before it was answered", async () => {
    const { coordinator, countOf, producer } = await setUp({ transactionalId: "billing" });
    coordinator.spoil("InitProducerId", new Promise(() => {}));
    const controller = new AbortController();
    const ready = endOf(producer.initTransactions({ signal: controller.signal }));
    await until(() => countOf("InitProducerId") > 0);
    controller.abort(new Error("enough"));
    expect(await ready).toBe("Error: enough");
    await producer.close();
  });

  test.each(["timeoutMs", "signal"] as const)("that waits is cut short by another call: %s", async (limit) => {
    const { broker, producer } = await setUp();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    await broker.nextCall();
    const first = producer.close();
    const second = producer.close(limit === "signal" ? { signal: AbortSignal.abort() } : { timeoutMs: 0 });
    await Promise.all([first, second]);
    expect(await sent).toBe("CLOSED, maybe");
    await producer.close();
  });

  test("that waits is not held up by another call with more time", async () => {
    const { broker, producer } = await setUp();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await broker.nextCall();
    const closed = [producer.close(), producer.close({ timeoutMs: neverMs })];
    good(call, 3n);
    await Promise.all(closed);
    expect(await sent).toBe("@3");
  });
});

describe("an id that is refused", () => {
  test("is asked for again by what the callback of the record sends", async () => {
    const { broker, coordinator, countOf, producer } = await setUp();
    coordinator.spoil("InitProducerId", "CLUSTER_AUTHORIZATION_FAILED");
    const failures: string[] = [];
    const second = new Promise<string>((resolve) => {
      producer.send({ topic, value: "a" }, (error) => {
        failures.push(error?.code ?? "none");
        resolve(outcomeOf(producer.send({ topic, value: "b" })));
      });
    });
    void broker.nextCall().then((call) => good(call, 2n));
    expect(await second).toBe("@2");
    expect(failures).toEqual(["CLUSTER_AUTHORIZATION_FAILED"]);
    expect(countOf("InitProducerId")).toBe(2);
  });
});
