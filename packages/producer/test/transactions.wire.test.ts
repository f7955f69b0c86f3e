import { codeOf } from "@odradek/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing, quiet } from "../../network/test/passing.ts";
import type { DeliveryError } from "../src/delivery-error.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import { bad, endOf, good, outcomeOf } from "./outcomes.ts";
import { type ProduceCall, ScriptedBroker, type ScriptedBrokerOptions } from "./scripted-broker.ts";
import {
  type CoordinatorApi,
  type Mishap,
  ScriptedCoordinator,
  type ScriptedCoordinatorOptions,
} from "./scripted-coordinator.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const topic = "orders";

interface Given extends Partial<ProducerOptions> {
  readonly cluster?: ScriptedCoordinatorOptions;
  readonly broker?: ScriptedBrokerOptions;
  readonly clock?: ManualClock;
}

/** A producer with transactions, and the broker that leads and coordinates. */
async function setUp({ cluster, broker: brokerOptions, clock, ...options }: Given = {}) {
  const coordinator = new ScriptedCoordinator(cluster);
  const broker = await ScriptedBroker.listen({ coordinator, ...brokerOptions });
  const producer = new KafkaProducer(
    {
      bootstrapServers: broker.bootstrapServers,
      transactionalId: "billing",
      lingerMs: 0,
      retryBackoffMs: 2,
      reconnectBackoffMs: 2,
      ...options,
    },
    clock,
  );
  closeInTheEnd(producer, clock);
  return { coordinator, broker, producer };
}

/** The same, with a transaction open. */
async function inTransaction(given: Given = {}) {
  const all = await setUp(given);
  const ready = all.producer.initTransactions();
  await (given.clock === undefined ? ready : soon(given.clock, ready));
  all.producer.beginTransaction();
  return { ...all, asked: all.coordinator.asked };
}

describe("a transaction of version 1", () => {
  test("has its partitions added before they are written to, all that are there together, and keeps its epoch", async () => {
    const { asked, broker, producer } = await inTransaction({ broker: { partitions: 3 } });
    const sends = [0, 1].map((partition) => outcomeOf(producer.send({ topic, partition, value: "a" })));
    const first = await broker.nextCall();
    expect(first.version).toBe(11);
    good(first);
    await Promise.all(sends);
    const more = [0, 2].map((partition) => outcomeOf(producer.send({ topic, partition, value: "b" })));
    for (let open = 2; open > 0; ) {
      const call = await broker.nextCall();
      open -= call.batches.length;
      good(call, 1n);
    }
    expect(await Promise.all(more)).toEqual(["@1", "@1"]);
    await producer.commitTransaction();
    producer.beginTransaction();
    const again = outcomeOf(producer.send({ topic, partition: 0, value: "c" }));
    good(await broker.nextCall(), 2n);
    expect(await again).toBe("@2");
    await producer.abortTransaction();
    // The leader and the coordinator have a connection each: what goes to both at a time comes in any order.
    expect([...asked.slice(0, 4), ...asked.slice(4, 6).sort(), ...asked.slice(6)]).toEqual([
      "FindCoordinator transaction billing",
      "InitProducerId",
      "AddPartitionsToTxn orders-0 orders-1",
      "Produce 1000/0: 0,1000/0: 0",
      "AddPartitionsToTxn orders-2",
      "Produce 1000/0: 1",
      "Produce 1000/0: 0",
      "EndTxn commit 1000/0",
      "AddPartitionsToTxn orders-0",
      "Produce 1000/0: 2",
      "EndTxn abort 1000/0",
    ]);
  });

  test("tells the coordinator of offsets before they are committed", async () => {
    const { asked, producer } = await inTransaction();
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 5 }], "readers");
    await producer.commitTransaction();
    expect(asked.slice(2)).toEqual([
      "AddOffsetsToTxn readers",
      "FindCoordinator group readers",
      "TxnOffsetCommit v4 readers orders-0@5",
      "EndTxn commit 1000/0",
    ]);
  });

  test("that has nothing in it needs no coordinator", async () => {
    const { asked, producer } = await inTransaction();
    await producer.commitTransaction();
    producer.beginTransaction();
    await producer.abortTransaction();
    await producer.transaction(async () => {});
    await quiet();
    expect(asked).toEqual(["FindCoordinator transaction billing", "InitProducerId"]);
  });
});

describe("a transaction of version 2", () => {
  const cluster = { transactionVersion: 2 } as const;

  test("is written to at once, and has another epoch after every end", async () => {
    const { asked, broker, producer } = await inTransaction({ cluster });
    for (const end of ["commitTransaction", "abortTransaction"] as const) {
      const sent = outcomeOf(producer.send({ topic, value: "a" }));
      const call = await broker.nextCall();
      expect(call.version).toBeGreaterThanOrEqual(12);
      good(call);
      await sent;
      await producer[end]();
      producer.beginTransaction();
    }
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 5n }], "readers");
    await producer.commitTransaction();
    expect(asked.slice(2)).toEqual([
      "Produce 1000/0: 0",
      "EndTxn commit 1000/0",
      "Produce 1000/1: 0",
      "EndTxn abort 1000/1",
      "FindCoordinator group readers",
      "TxnOffsetCommit v5 readers orders-0@5",
      "EndTxn commit 1000/2",
    ]);
  });

  test("goes on under another id when epochs are used up", async () => {
    const { asked, broker, producer } = await inTransaction({ cluster: { ...cluster, firstEpoch: 0x7fff } });
    for (let round = 0; round < 2; round++) {
      void outcomeOf(producer.send({ topic, value: "a" }));
      good(await broker.nextCall());
      await producer.commitTransaction();
      producer.beginTransaction();
    }
    expect(asked.filter((what) => what.startsWith("Produce"))).toEqual(["Produce 1000/32767: 0", "Produce 1001/0: 0"]);
  });

  test("is sent again when the coordinator is not through with the one before", async () => {
    const { broker, producer } = await inTransaction({ cluster });
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    bad(await broker.nextCall(), "CONCURRENT_TRANSACTIONS");
    good(await broker.nextCall(), 3n);
    expect(await sent).toBe("@3");
    await producer.commitTransaction();
  });
});

describe("a request to the coordinator", () => {
  /** Each is part of this transaction. */
  async function whole(given: Given, api: CoordinatorApi, ...mishaps: Mishap[]) {
    const all = await setUp(given);
    const { coordinator, broker, producer } = all;
    coordinator.spoil(api, ...mishaps);
    const steps: string[] = [];
    let answered = Promise.resolve<ProduceCall | null>(null);
    const step = async (name: string, call: Promise<void>) => {
      const end = await endOf(call);
      if (end !== "done") steps.push(`${name}: ${end}`);
      return end === "done";
    };
    if (await step("init", producer.initTransactions())) {
      producer.beginTransaction();
      const sent = producer.send({ topic, value: "a" }).then(
        () => {},
        (error: DeliveryError) => steps.push(`send: ${error.code}, ${error.persisted}`),
      );
      answered = broker.nextCall().then((call) => {
        good(call);
        return call;
      });
      await sent;
      const group = { groupId: "readers", generationId: 1, memberId: "m" };
      const offsets = [0, 1].map((partition) => ({ topic, partition, offset: partition }));
      if (steps.length === 0) await step("offsets", producer.sendOffsetsToTransaction(offsets, group));
      if (steps.length === 0) await step("commit", producer.commitTransaction());
    }
    return { ...all, steps, asked: coordinator.asked, answered };
  }

  const apis = ["InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn"] as const;
  /** Where each shows. */
  const steps = { InitProducerId: "init", AddOffsetsToTxn: "offsets", TxnOffsetCommit: "offsets", EndTxn: "commit" };

  const passable = apis.flatMap((api) =>
    (["NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS", "CONCURRENT_TRANSACTIONS", "closed", "unheard"] as const).map(
      (mishap) => ({ api, mishap }),
    ),
  );

  test.each(passable)("$api is made again after $mishap", async ({ api, mishap }) => {
    const { asked, steps: failed } = await whole({}, api, mishap);
    expect(failed).toEqual([]);
    const finds = asked.filter((what) => what.startsWith("FindCoordinator")).length;
    const isMoved = mishap === "NOT_COORDINATOR" || mishap === "closed" || mishap === "unheard";
    expect(finds).toBe(isMoved ? 3 : 2);
    expect(asked.filter((what) => what.startsWith(api))).toHaveLength(2);
    // What may come late must not find the epoch of the next transaction.
    const isLate = api !== "InitProducerId" && (mishap === "closed" || mishap === "unheard");
    expect(asked.at(-1)).toMatch(isLate ? /^InitProducerId after 1000\/0/ : /^EndTxn commit/);
  });

  test("TxnOffsetCommit is made again for the offsets that failed, and no others", async () => {
    const { asked } = await whole({}, "TxnOffsetCommit", "UNKNOWN_TOPIC_OR_PARTITION");
    expect(asked.filter((what) => what.startsWith("TxnOffsetCommit"))).toEqual([
      "TxnOffsetCommit v4 readers orders-0@0 orders-1@1: UNKNOWN_TOPIC_OR_PARTITION",
      "TxnOffsetCommit v4 readers orders-1@1",
    ]);
  });

  const fatal = apis.flatMap((api) =>
    (["PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE"] as const).map((mishap) => ({ api, mishap })),
  );

  test.each(fatal)("$api ends the producer with $mishap", async ({ api, mishap }) => {
    const { producer, steps: failed, asked } = await whole({}, api, mishap);
    const code = mishap === "INVALID_PRODUCER_EPOCH" ? "PRODUCER_FENCED" : mishap;
    expect(failed).toEqual([api === "AddPartitionsToTxn" ? `send: ${code}, no` : `${steps[api]}: ${code}, fatal`]);
    expect(await endOf(producer.abortTransaction())).toBe(`${code}, fatal`);
    expect(() => producer.beginTransaction()).toThrow("close this producer");
    expect(await outcomeOf(producer.send({ topic, value: "b" }))).toBe(`${code}, no`);
    const count = asked.length;
    await producer.close();
    await quiet();
    expect(asked).toHaveLength(count);
  });

  test.each([
    ["AddPartitionsToTxn", "TOPIC_AUTHORIZATION_FAILED"],
    ["AddPartitionsToTxn", "UNKNOWN_SERVER_ERROR"],
    ["AddPartitionsToTxn", "TRANSACTION_ABORTABLE"],
    ["AddOffsetsToTxn", "GROUP_AUTHORIZATION_FAILED"],
    ["TxnOffsetCommit", "GROUP_AUTHORIZATION_FAILED"],
    ["TxnOffsetCommit", "ILLEGAL_GENERATION"],
    ["TxnOffsetCommit", "FENCED_INSTANCE_ID"],
    ["EndTxn", "TRANSACTION_ABORTABLE"],
  ] as const)("%s with %s can be aborted, and the producer goes on", async (api, mishap) => {
    const { broker, producer, steps: failed, asked, answered } = await whole({}, api, mishap);
    expect(failed).toEqual([
      api === "AddPartitionsToTxn" ? `send: ${mishap}, no` : `${steps[api]}: ${mishap}, abortable`,
    ]);
    expect(await endOf(producer.commitTransaction())).toBe(`${mishap}, abortable`);
    expect(await outcomeOf(producer.send({ topic, value: "late" }))).toBe(`${mishap}, no`);
    const before = asked.length;
    await producer.abortTransaction();
    // Of a transaction whose first partition was not added, the coordinator knows nothing.
    const end = api === "AddPartitionsToTxn" ? [] : ["EndTxn abort 1000/0"];
    expect(asked.slice(before)).toEqual([...end, "InitProducerId after 1000/0"]);
    producer.beginTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "b" }));
    // What asked for the first batch is there yet, where that was never sent.
    if (api !== "AddPartitionsToTxn") good(await broker.nextCall());
    expect(await sent).toBe("@0");
    if (api === "AddPartitionsToTxn") expect((await answered)?.sequences).toEqual(["1000/1: 0"]);
    await producer.commitTransaction();
    expect(asked.at(-1)).toBe("EndTxn commit 1000/1");
  });

  test.each([
    [5, "UNKNOWN_PRODUCER_ID, abortable"],
    [2, "UNKNOWN_PRODUCER_ID, fatal"],
  ] as const)("with an id that is forgotten can be aborted where epochs can be raised: v%s", async (newest, end) => {
    const { producer } = await whole({ cluster: { initProducerId: newest } }, "AddOffsetsToTxn", "UNKNOWN_PRODUCER_ID");
    expect(await endOf(producer.commitTransaction())).toBe(end);
  });

  test("that ends an abort badly ends the producer: there is no other way out", async () => {
    const { asked, broker, producer, coordinator } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "a" }));
    good(await broker.nextCall());
    await producer.flush();
    coordinator.spoil("EndTxn", "TRANSACTION_ABORTABLE");
    expect(await endOf(producer.abortTransaction())).toBe("TRANSACTION_ABORTABLE, fatal");
    expect(await endOf(producer.abortTransaction())).toBe("TRANSACTION_ABORTABLE, fatal");
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0: TRANSACTION_ABORTABLE");
  });

  test("for an id that rights are missing for may be made again, once they are granted", async () => {
    const { producer, steps: failed } = await whole({}, "InitProducerId", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    expect(failed).toHaveLength(1);
    expect(failed[0]).toContain("TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    await producer.initTransactions();
    producer.beginTransaction();
  });

  test.each([
    ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "fatal"],
    ["INVALID_REQUEST", "fatal"],
  ] as const)("about who coordinates ends the producer with %s", async (mishap, end) => {
    const { steps: failed } = await whole({}, "FindCoordinator", mishap);
    expect(failed).toEqual([`init: ${mishap}, ${end}`]);
  });

  test("about who coordinates the group ends the transaction, where rights for the group are missing", async () => {
    const { producer, coordinator } = await inTransaction();
    coordinator.spoil("FindCoordinator", "GROUP_AUTHORIZATION_FAILED");
    const offsets = [{ topic, partition: 0, offset: 0 }];
    expect(await endOf(producer.sendOffsetsToTransaction(offsets, "readers"))).toBe(
      "GROUP_AUTHORIZATION_FAILED, abortable",
    );
    await producer.abortTransaction();
  });

  test("for the first partitions is made again soon, as the end of the transaction before takes moments", async () => {
    const clock = new ManualClock();
    const { coordinator, broker, producer } = await setUp({ clock, retryBackoffMs: 500, retryBackoffMaxMs: 500 });
    await soon(clock, producer.initTransactions());
    producer.beginTransaction();
    coordinator.spoil("AddPartitionsToTxn", ...Array<Mishap>(3).fill("CONCURRENT_TRANSACTIONS"));
    const startMs = clock.now();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await soon(clock, broker.nextCall());
    expect(clock.now() - startMs).toBeLessThan(500);
    good(call);
    await soon(clock, sent);
    expect(await sent).toBe("@0");
  });
});

describe("a Produce request of a transaction", () => {
  test.each([
    ["PRODUCER_FENCED", "fatal"],
    ["INVALID_PRODUCER_ID_MAPPING", "fatal"],
    ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "fatal"],
    ["CLUSTER_AUTHORIZATION_FAILED", "fatal"],
    ["INVALID_PRODUCER_EPOCH", "abortable"],
    ["INVALID_TXN_STATE", "abortable"],
    ["TOPIC_AUTHORIZATION_FAILED", "abortable"],
    ["TRANSACTION_ABORTABLE", "abortable"],
    ["INVALID_RECORD", "abortable"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", "abortable"],
  ] as const)("that is answered by %s: %s", async (mishap, end) => {
    const { broker, producer } = await inTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    bad(await broker.nextCall(), mishap);
    expect(await sent).toBe(`${mishap}, no`);
    expect(await endOf(producer.commitTransaction())).toBe(`${mishap}, ${end}`);
    expect(await endOf(producer.abortTransaction())).toBe(end === "fatal" ? `${mishap}, fatal` : "done");
  });

  test("that is not acknowledged in time ends the transaction, and the next epoch fences it", async () => {
    const clock = new ManualClock();
    const given = { clock, deliveryTimeoutMs: 1_000, requestTimeoutMs: 1_000 };
    const { asked, broker, producer } = await inTransaction(given);
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    (await soon(clock, broker.nextCall())).connection.reset();
    const again = await soon(clock, broker.nextCall());
    expect(await soon(clock, sent)).toBe("TIMEOUT, maybe");
    expect(await soon(clock, endOf(producer.commitTransaction()))).toBe("TIMEOUT, abortable");
    again.connection.reset();
    await soon(clock, producer.abortTransaction());
    expect(asked.slice(-2)).toEqual(["EndTxn abort 1000/0", "InitProducerId after 1000/0"]);
    producer.beginTransaction();
    const next = outcomeOf(producer.send({ topic, value: "b" }));
    const call = await soon(clock, broker.nextCall());
    expect(call.sequences).toEqual(["1000/1: 0"]);
    good(call);
    expect(await soon(clock, next)).toBe("@0");
  });

  test("that is not acknowledged in time ends the producer where epochs cannot be raised", async () => {
    const clock = new ManualClock();
    const given = { clock, deliveryTimeoutMs: 1_000, requestTimeoutMs: 1_000, cluster: { initProducerId: 2 } };
    const { broker, producer } = await inTransaction(given);
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    (await soon(clock, broker.nextCall())).connection.reset();
    const again = await soon(clock, broker.nextCall());
    expect(await soon(clock, sent)).toBe("TIMEOUT, maybe");
    await soon(clock, again.connection.closed);
    const aborted = endOf(producer.abortTransaction());
    // The sender looks in the next turn, before a coordinator could answer.
    clock.advance(0);
    expect(await aborted).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER, fatal");
  });

  test("that is refused leaves no gap, also where epochs cannot be raised", async () => {
    const { broker, producer } = await inTransaction({ cluster: { initProducerId: 2 } });
    const sends = [outcomeOf(producer.send({ topic, value: "a" }))];
    good(await broker.nextCall());
    sends.push(outcomeOf(producer.send({ topic, value: "refused" })));
    bad(await broker.nextCall(), "INVALID_RECORD");
    expect(await Promise.all(sends)).toEqual(["@0", "INVALID_RECORD, no"]);
    await producer.abortTransaction();
    producer.beginTransaction();
    void outcomeOf(producer.send({ topic, value: "b" }));
    expect((await broker.nextCall()).sequences).toEqual(["1000/0: 1"]);
  });

  test("that finds its id forgotten begins at 0 again in the same transaction, where its records were deleted", async () => {
    const { broker, producer } = await inTransaction();
    const first = outcomeOf(producer.send({ topic, value: "a" }));
    good(await broker.nextCall(), 7n);
    expect(await first).toBe("@7");
    const second = outcomeOf(producer.send({ topic, value: "b" }));
    const unknown = { errorCode: codeOf("UNKNOWN_PRODUCER_ID") };
    const call = await broker.nextCall();
    expect(call.sequences).toEqual(["1000/0: 1"]);
    call.answer(() => ({ ...unknown, logStartOffset: 8n }));
    const again = await broker.nextCall();
    expect(again.sequences).toEqual(["1000/0: 0"]);
    good(again, 8n);
    expect(await second).toBe("@8");
    await producer.commitTransaction();
  });

  test("that finds its id forgotten, and its records there, ends the transaction", async () => {
    const { broker, producer } = await inTransaction();
    const first = outcomeOf(producer.send({ topic, value: "a" }));
    good(await broker.nextCall(), 7n);
    await first;
    const second = outcomeOf(producer.send({ topic, value: "b" }));
    (await broker.nextCall()).answer(() => ({ errorCode: codeOf("UNKNOWN_PRODUCER_ID"), logStartOffset: 0n }));
    expect(await second).toBe("UNKNOWN_PRODUCER_ID, no");
    expect(await endOf(producer.commitTransaction())).toBe("UNKNOWN_PRODUCER_ID, abortable");
  });
});

describe("a commit", () => {
  test("waits for what was sent, also for records that lingered", async () => {
    const { asked, broker, producer } = await inTransaction({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const committed = endOf(producer.commitTransaction());
    const call = await broker.nextCall();
    await quiet();
    expect(asked.at(-1)).toBe("Produce 1000/0: 0");
    good(call);
    expect([await sent, await committed]).toEqual(["@0", "done"]);
    expect(asked.at(-1)).toBe("EndTxn commit 1000/0");
  });

  test("fails where a record fails meanwhile, and asks the coordinator for nothing", async () => {
    const { asked, broker, producer } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "a" }));
    const committed = endOf(producer.commitTransaction());
    bad(await broker.nextCall(), "INVALID_RECORD");
    expect(await committed).toBe("INVALID_RECORD, abortable");
    await quiet();
    expect(asked.at(-1)).toBe("Produce 1000/0: 0");
  });

  test.each([
    ["MESSAGE_TOO_LARGE", { maxRequestSize: 100 }, { topic, value: "a".repeat(200) }],
    ["TIMEOUT", { maxBlockMs: 50 }, { topic: "nowhere", value: "a" }],
  ] as const)("fails where a record was never in a batch: %s", async (code, options, record) => {
    const clock = new ManualClock();
    const { producer, asked } = await inTransaction({ clock, ...options });
    expect(await soon(clock, outcomeOf(producer.send(record)))).toBe(`${code}, no`);
    expect(await soon(clock, endOf(producer.commitTransaction()))).toBe(`${code}, abortable`);
    await soon(clock, producer.abortTransaction());
    await passing(clock).pass(0);
    expect(asked.some((what) => what.startsWith("EndTxn"))).toBe(false);
  });

  test("does not fail for what never was a record", async () => {
    const { producer } = await inTransaction();
    expect(await outcomeOf(producer.send({ topic, partition: -1 }))).toBe("OPTIONS, no");
    await producer.commitTransaction();
  });

  test("that ran out of time may be called again, and nothing else", async () => {
    const clock = new ManualClock();
    const { asked, broker, producer, coordinator } = await inTransaction({ clock });
    void outcomeOf(producer.send({ topic, value: "a" }));
    good(await soon(clock, broker.nextCall()));
    let letGo = () => {};
    coordinator.spoil(
      "EndTxn",
      new Promise((resolve) => {
        letGo = resolve;
      }),
    );
    expect(await soon(clock, endOf(producer.commitTransaction({ timeoutMs: 30 })))).toMatch(/^TimeoutError/);
    expect(await endOf(producer.abortTransaction())).toMatch(/^StateError.*call it again first/);
    const again = endOf(producer.commitTransaction());
    letGo();
    expect(await soon(clock, again)).toBe("done");
    expect(asked.filter((what) => what.startsWith("EndTxn"))).toEqual(["EndTxn commit 1000/0"]);
  });
});

describe("an abort", () => {
  test("drops what was not sent, and waits for what was", async () => {
    const { asked, broker, producer } = await inTransaction({ broker: { partitions: 2 } });
    const first = outcomeOf(producer.send({ topic, partition: 0, value: "a" }));
    const call = await broker.nextCall();
    const dropped = outcomeOf(producer.send({ topic, partition: 1, value: "b" }));
    const aborted = endOf(producer.abortTransaction());
    expect(await dropped).toBe("TRANSACTION_ABORTED, no");
    await quiet();
    expect(asked.at(-1)).toMatch(/^(Produce|AddPartitionsToTxn)/);
    good(call);
    expect([await first, await aborted]).toEqual(["@0", "done"]);
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
  });

  test("sends again what may be in the log, and does not say that it was dropped", async () => {
    const { broker, producer } = await inTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    (await broker.nextCall()).connection.reset();
    const aborted = endOf(producer.abortTransaction());
    good(await broker.nextCall());
    expect([await sent, await aborted]).toEqual(["@0", "done"]);
  });

  test("may follow offsets that ran out of time, and comes after them", async () => {
    const clock = new ManualClock();
    const { asked, producer, coordinator } = await inTransaction({ clock });
    let letGo = () => {};
    coordinator.spoil(
      "TxnOffsetCommit",
      new Promise((resolve) => {
        letGo = resolve;
      }),
    );
    const offsets = [{ topic, partition: 0, offset: 0 }];
    const late = endOf(producer.sendOffsetsToTransaction(offsets, "readers", { timeoutMs: 30 }));
    expect(await soon(clock, late)).toMatch(/^Timeout/);
    const aborted = endOf(producer.abortTransaction());
    await passing(clock).pass(0);
    letGo();
    expect(await soon(clock, aborted)).toBe("done");
    expect(asked.slice(-2)).toEqual(["TxnOffsetCommit v4 readers orders-0@0", "EndTxn abort 1000/0"]);
  });

  test("finds that the producer is fenced by what was under way", async () => {
    const { asked, broker, producer } = await inTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await broker.nextCall();
    const aborted = endOf(producer.abortTransaction());
    bad(call, "PRODUCER_FENCED");
    expect([await sent, await aborted]).toEqual(["PRODUCER_FENCED, no", "PRODUCER_FENCED, fatal"]);
    await quiet();
    expect(asked.at(-1)).toBe("Produce 1000/0: 0");
  });
});

describe("closing", () => {
  test("aborts the open transaction, and delivers what was sent", async () => {
    const { asked, broker, producer } = await inTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await broker.nextCall();
    const closed = producer.close();
    good(call);
    await closed;
    expect(await sent).toBe("@0");
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
  });

  test("waits for a commit that is under way", async () => {
    const { asked, broker, producer } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "a" }));
    const call = await broker.nextCall();
    const committed = endOf(producer.commitTransaction());
    const closed = producer.close();
    good(call);
    await closed;
    expect(await committed).toBe("done");
    expect(asked.at(-1)).toBe("EndTxn commit 1000/0");
  });

  test("aborts what a commit under way finds that it cannot commit", async () => {
    const { asked, broker, producer } = await inTransaction({ broker: { partitions: 2 } });
    const sends = [outcomeOf(producer.send({ topic, partition: 0, value: "a" }))];
    const refused = await broker.nextCall();
    sends.push(outcomeOf(producer.send({ topic, partition: 1, value: "b" })));
    const taken = await broker.nextCall();
    const committed = endOf(producer.commitTransaction());
    bad(refused, "INVALID_RECORD");
    expect(await sends[0]).toBe("INVALID_RECORD, no");
    // The commit waits for the other record.
    const closed = producer.close();
    await quiet();
    good(taken);
    await closed;
    expect(await sends[1]).toBe("@0");
    expect(await committed).toBe("INVALID_RECORD, abortable");
    expect(asked.filter((what) => what.startsWith("EndTxn"))).toEqual(["EndTxn abort 1000/0"]);
  });

  test("ends a call that waits for the coordinator, when its time is over", async () => {
    const clock = new ManualClock();
    const { producer, coordinator } = await setUp({ clock });
    coordinator.spoil("InitProducerId", new Promise(() => {}));
    const ready = endOf(producer.initTransactions());
    await passing(clock).passUntil(() => coordinator.asked.at(-1) === "InitProducerId");
    await soon(clock, producer.close({ timeoutMs: 50 }));
    expect(await ready).toMatch(/^ClosedError/);
  });
});

describe("the helper", () => {
  test("commits what its work has sent, and gives its result", async () => {
    const { asked, broker, producer } = await setUp().then((all) => ({ ...all, asked: all.coordinator.asked }));
    await producer.initTransactions();
    void broker.nextCall().then((call) => good(call, 4n));
    const offset = await producer.transaction(async () => (await producer.send({ topic, value: "a" })).offset);
    expect([offset, asked.at(-1)]).toEqual([4n, "EndTxn commit 1000/0"]);
  });

  test("aborts when its work throws, or a record fails, and throws that", async () => {
    const { broker, producer, coordinator } = await setUp();
    await producer.initTransactions();
    void broker.nextCall().then((call) => good(call));
    const work = async () => {
      await producer.send({ topic, value: "a" });
      throw new Error("no");
    };
    await expect(producer.transaction(work)).rejects.toThrow("no");
    expect(coordinator.asked.at(-1)).toBe("EndTxn abort 1000/0");
    void broker.nextCall().then((call) => bad(call, "INVALID_RECORD"));
    const careless = async () => {
      producer.send({ topic, value: "b" }, () => {});
    };
    await expect(producer.transaction(careless)).rejects.toMatchObject({ code: "INVALID_RECORD" });
    await producer.transaction(async () => {});
  });
});

describe("the helper's options", () => {
  /** With a record that the broker has taken in every transaction. */
  async function ready() {
    const clock = new ManualClock();
    const all = await setUp({ clock });
    await soon(clock, all.producer.initTransactions());
    const { broker, producer } = all;
    const work = () => {
      void broker.nextCall().then((call) => good(call));
      return producer.send({ topic, value: "a" });
    };
    return { ...all, clock, work, asked: all.coordinator.asked };
  }

  test("limit the wait for the commit, which may yet succeed", async () => {
    const { asked, clock, producer, coordinator, work } = await ready();
    let letGo = () => {};
    coordinator.spoil(
      "EndTxn",
      new Promise((resolve) => {
        letGo = resolve;
      }),
    );
    const late = soon(clock, producer.transaction(work, { timeoutMs: 30 }));
    await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
    const again = endOf(producer.commitTransaction());
    letGo();
    expect([await soon(clock, again), asked.at(-1)]).toEqual(["done", "EndTxn commit 1000/0"]);
  });

  test("limit the wait for the abort, and the error of the work counts", async () => {
    const { clock, producer, coordinator, work } = await ready();
    coordinator.spoil("EndTxn", new Promise(() => {}));
    const failing = () => work().then(() => Promise.reject(new Error("no")));
    await expect(soon(clock, producer.transaction(failing, { timeoutMs: 30 }))).rejects.toThrow("no");
    expect(() => producer.beginTransaction()).toThrow("abortTransaction ran out of time");
  });

  test("have nothing begun by a signal that came before", async () => {
    const { asked, clock, producer, work } = await ready();
    const signal = AbortSignal.abort(new Error("too late"));
    const { length } = asked;
    await expect(producer.transaction(work, { signal })).rejects.toThrow("too late");
    await passing(clock).pass(0);
    expect(asked).toHaveLength(length);
    producer.beginTransaction();
  });

  test("have the transaction aborted by a signal that comes while the work goes on", async () => {
    const { asked, clock, producer, work } = await ready();
    const controller = new AbortController();
    const slow = () => work().then(() => controller.abort(new Error("enough")));
    await expect(soon(clock, producer.transaction(slow, { signal: controller.signal }))).rejects.toThrow("enough");
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
    producer.beginTransaction();
  });
});

describe("calls in the wrong order", () => {
  test("are refused, and say what is missing", async () => {
    const { producer } = await setUp();
    expect(await outcomeOf(producer.send({ topic, value: "a" }))).toBe("STATE, no");
    expect(() => producer.beginTransaction()).toThrow("the producer is UNINITIALIZED");
    expect(await endOf(producer.commitTransaction())).toMatch(/^StateError/);
    await producer.initTransactions();
    expect(await endOf(producer.initTransactions())).toMatch(/^StateError/);
    const offsets = [{ topic, partition: 0, offset: 0 }];
    expect(await endOf(producer.sendOffsetsToTransaction(offsets, "readers"))).toMatch(/^StateError/);
    expect(await outcomeOf(producer.send({ topic, value: "a" }))).toBe("STATE, no");
    producer.beginTransaction();
    expect(() => producer.beginTransaction()).toThrow("the producer is IN_TRANSACTION");
  });

  test("are refused where the producer has no transactions", async () => {
    const broker = await ScriptedBroker.listen();
    const producer = new KafkaProducer({ bootstrapServers: broker.bootstrapServers });
    onTestFinished(() => producer.close({ timeoutMs: 0 }));
    expect(() => producer.beginTransaction()).toThrow("set transactionalId");
    expect(await endOf(producer.initTransactions())).toMatch(/set transactionalId$/);
  });
});

test("transactional calls are timed", async () => {
  const { broker, producer } = await inTransaction();
  void broker.nextCall().then((call) => good(call));
  await producer.send({ topic, value: "a" });
  await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 0 }], "readers");
  await producer.commitTransaction();
  producer.beginTransaction();
  await producer.abortTransaction();
  const timed = producer.metrics().filter(({ name, value }) => name.startsWith("txn-") && Number(value) > 0);
  expect(timed.map(({ name }) => name).sort()).toEqual(
    expect.arrayContaining(["txn-commit-time-ns-total", "txn-init-time-ns-total", "txn-send-offsets-time-ns-total"]),
  );
});
