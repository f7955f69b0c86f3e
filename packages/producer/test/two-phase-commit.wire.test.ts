import { describe, expect, onTestFinished, test } from "vitest";
import { quiet } from "../../network/test/passing.ts";
import { until } from "../../network/test/until.ts";
import { PreparedTransactionState } from "../src/prepared-transaction-state.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import { bad, endOf, good, outcomeOf } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";
import { ScriptedCoordinator, type ScriptedCoordinatorOptions } from "./scripted-coordinator.ts";

const topic = "orders";
const only = "the transaction is prepared, and takes nothing but";

interface Given extends Partial<ProducerOptions> {
  readonly cluster?: ScriptedCoordinatorOptions;
  readonly partitions?: number;
}

/** A producer that takes part in two-phase commits, and a broker that has them. */
async function setUp({ cluster, partitions = 1, ...options }: Given = {}) {
  const coordinator = new ScriptedCoordinator({ transactionVersion: 2, initProducerId: 6, ...cluster });
  const broker = await ScriptedBroker.listen({ coordinator, partitions });
  const producer = new KafkaProducer({
    bootstrapServers: broker.bootstrapServers,
    transactionalId: "billing",
    transactionTwoPhaseCommitEnable: true,
    lingerMs: 0,
    retryBackoffMs: 2,
    reconnectBackoffMs: 2,
    ...options,
  });
  onTestFinished(() => producer.close({ timeoutMs: 0 }));
  return { asked: coordinator.asked, broker, coordinator, producer };
}

/** The same, with a transaction open that a record is in. */
async function inTransaction(given: Given = {}) {
  const all = await setUp(given);
  const { broker, producer } = all;
  await producer.initTransactions();
  producer.beginTransaction();
  const sent = outcomeOf(producer.send({ topic, value: "a" }));
  good(await broker.nextCall());
  expect(await sent).toBe("@0");
  return all;
}

/** The same, with the transaction prepared. */
async function prepared(given: Given = {}) {
  const all = await inTransaction(given);
  const state = await all.producer.prepareTransaction();
  return { ...all, state };
}

/** Something that a test lets happen. */
function held() {
  let letGo = () => {};
  const happened = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { happened, letGo };
}

describe("the version of InitProducerId that is not stable", () => {
  test.each([
    ["with two-phase commit", { transactionTwoPhaseCommitEnable: true }, {}, "InitProducerId v6 2pc"],
    [
      "to keep what is prepared",
      { transactionTwoPhaseCommitEnable: true },
      { keepPreparedTransaction: true },
      "InitProducerId v6 2pc keep",
    ],
    [
      "to keep what is prepared, without",
      { transactionTwoPhaseCommitEnable: false },
      { keepPreparedTransaction: true },
      "InitProducerId v6 keep",
    ],
    ["never otherwise", { transactionTwoPhaseCommitEnable: false }, {}, "InitProducerId"],
  ])("is used %s", async (_, options, init, what) => {
    const { asked, producer } = await setUp(options);
    await producer.initTransactions(init);
    expect(asked).toEqual(["FindCoordinator transaction billing", what]);
  });

  test("is used for the next epoch too", async () => {
    const { asked, broker, producer } = await inTransaction({ cluster: { transactionVersion: 1 } });
    const sent = outcomeOf(producer.send({ topic, value: "b" }));
    bad(await broker.nextCall(), "INVALID_RECORD");
    expect(await sent).toBe("INVALID_RECORD, no");
    await producer.abortTransaction();
    expect(asked.at(-1)).toBe("InitProducerId v6 2pc after 1000/0");
  });

  test("is not used by a producer without transactions", async () => {
    const coordinator = new ScriptedCoordinator({ initProducerId: 6 });
    const broker = await ScriptedBroker.listen({ coordinator });
    const producer = new KafkaProducer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 });
    onTestFinished(() => producer.close({ timeoutMs: 0 }));
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    good(await broker.nextCall());
    expect([await sent, coordinator.asked[0]]).toEqual(["@0", "InitProducerId"]);
  });

  test.each(["NOT_COORDINATOR", "CONCURRENT_TRANSACTIONS", "closed", "unheard"] as const)(
    "is asked again after %s",
    async (mishap) => {
      const { asked, coordinator, producer } = await setUp();
      coordinator.spoil("InitProducerId", mishap);
      await producer.initTransactions({ keepPreparedTransaction: true });
      expect(asked.filter((what) => what.startsWith("InitProducerId v6 2pc keep"))).toHaveLength(2);
    },
  );
});

describe("a coordinator that does not have two-phase commit", () => {
  test("does not offer the version, and the error says what to do", async () => {
    const { asked, producer } = await setUp({ cluster: { initProducerId: 5 } });
    await expect(producer.initTransactions()).rejects.toMatchObject({
      code: "UNSUPPORTED_VERSION",
      abortable: false,
      cause: { name: "UnsupportedVersionError" },
      message:
        "initTransactions: broker 1, the coordinator of billing, does not offer two-phase commit (no common version of " +
        "InitProducerId: 6 to 6 here, 0 to 5 on the broker): set unstable.api.versions.enable=true and " +
        "transaction.two.phase.commit.enable=true on every broker; close this producer",
    });
    // Nothing was asked that would have fenced, or aborted, the producer before.
    await quiet();
    expect(asked).toEqual(["FindCoordinator transaction billing"]);
    expect(() => producer.beginTransaction()).toThrow("close this producer");
  });

  test("offers the version, and cannot keep what is prepared", async () => {
    const { coordinator, producer } = await setUp();
    coordinator.spoil("InitProducerId", "UNSUPPORTED_VERSION");
    await expect(producer.initTransactions({ keepPreparedTransaction: true })).rejects.toMatchObject({
      code: "UNSUPPORTED_VERSION",
      abortable: false,
      cause: { name: "UnsupportedVersionError" },
      message: expect.stringContaining(
        "broker 1, the coordinator of billing, cannot keep a prepared transaction, and has left it as it is: end it with",
      ),
    });
  });

  test("has it switched off, or the right is missing: both may change, and the call be made again", async () => {
    const { coordinator, producer } = await setUp();
    coordinator.spoil("InitProducerId", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    await expect(producer.initTransactions()).rejects.toMatchObject({
      code: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
      message: expect.stringContaining(
        "InitProducerId of billing with two-phase commit, for which the broker needs " +
          "transaction.two.phase.commit.enable=true and the principal the right TWO_PHASE_COMMIT",
      ),
    });
    await producer.initTransactions();
    producer.beginTransaction();
  });

  test.each(["PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"] as const)("ends the producer with %s", async (mishap) => {
    const { coordinator, producer } = await setUp();
    coordinator.spoil("InitProducerId", mishap);
    expect(await endOf(producer.initTransactions({ keepPreparedTransaction: true }))).toBe("PRODUCER_FENCED, fatal");
  });
});

describe("preparing", () => {
  test("delivers what was sent, asks the coordinator for nothing, and gives what is to be stored", async () => {
    const { asked, broker, producer } = await inTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "b" }));
    const preparing = producer.prepareTransaction();
    const call = await broker.nextCall();
    expect(await outcomeOf(producer.send({ topic, value: "late" }))).toBe("STATE, no");
    good(call, 1n);
    expect([await sent, String(await preparing)]).toEqual(["@1", "1000:0"]);
    await quiet();
    expect(asked.at(-1)).toBe("Produce 1000/0: 1");
  });

  test("fails where a record fails, and the transaction can be aborted", async () => {
    const { asked, broker, producer } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "b" }));
    const preparing = producer.prepareTransaction();
    const failed = expect(preparing).rejects.toMatchObject({ code: "INVALID_RECORD", abortable: true });
    bad(await broker.nextCall(), "INVALID_RECORD");
    await failed;
    await expect(producer.prepareTransaction()).rejects.toMatchObject({ code: "INVALID_RECORD", abortable: true });
    await producer.abortTransaction();
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
    producer.beginTransaction();
  });

  test("that ran out of time goes on, and the same call gives its outcome", async () => {
    const { broker, producer } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "b" }));
    const call = await broker.nextCall();
    await expect(producer.prepareTransaction({ timeoutMs: 20 })).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await endOf(producer.commitTransaction())).toMatch(
      /prepareTransaction ran out of time.*call it again first/,
    );
    const again = producer.prepareTransaction();
    good(call, 1n);
    expect(String(await again)).toBe("1000:0");
  });

  test("is waited for by close, which leaves what is prepared as it is", async () => {
    const { asked, broker, producer } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "b" }));
    const call = await broker.nextCall();
    const preparing = producer.prepareTransaction();
    const closed = producer.close();
    await quiet();
    good(call, 1n);
    expect(String(await preparing)).toBe("1000:0");
    await closed;
    await quiet();
    expect(asked.filter((what) => what.startsWith("EndTxn"))).toEqual([]);
  });

  test("that fails while the producer is closed has the transaction aborted", async () => {
    const { asked, broker, producer } = await inTransaction();
    void outcomeOf(producer.send({ topic, value: "b" }));
    const call = await broker.nextCall();
    const failed = expect(producer.prepareTransaction()).rejects.toMatchObject({ code: "INVALID_RECORD" });
    const closed = producer.close();
    await quiet();
    bad(call, "INVALID_RECORD");
    await Promise.all([failed, closed]);
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
  });

  test("that fails while others are on their way does not undo the abort of close", async () => {
    const { asked, broker, producer } = await inTransaction({ partitions: 2 });
    const lost = outcomeOf(producer.send({ topic, partition: 0, value: "b" }));
    const refused = await broker.nextCall();
    void outcomeOf(producer.send({ topic, partition: 1, value: "c" }));
    const taken = await broker.nextCall();
    const failed = expect(producer.prepareTransaction()).rejects.toMatchObject({
      name: "TransactionError",
      code: "INVALID_RECORD",
    });
    bad(refused, "INVALID_RECORD");
    expect(await lost).toBe("INVALID_RECORD, no");
    const closed = producer.close();
    await quiet();
    good(taken);
    await Promise.all([failed, closed]);
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
  });

  test.each([
    ["commit", "1000:0", "abort"],
    ["abort", "1000:1", "commit"],
  ])("is timed, and so is its end: %s", async (end, stored, other) => {
    const { producer } = await prepared();
    await producer.completeTransaction(PreparedTransactionState.parse(stored));
    const timed = (call: string) =>
      Number(producer.metrics().find(({ name }) => name === `txn-${call}-time-ns-total`)?.value);
    expect([timed("prepare") > 0, timed(end) > 0, timed(other)]).toEqual([true, true, 0]);
  });
});

describe("what is prepared", () => {
  test("takes nothing but its end", async () => {
    const { asked, producer } = await prepared();
    const { length } = asked;
    await expect(producer.send({ topic, value: "late" })).rejects.toMatchObject({
      code: "STATE",
      persisted: "no",
      message: expect.stringContaining(only),
    });
    expect(() => producer.beginTransaction()).toThrow(only);
    const offsets = [{ topic, partition: 0, offset: 0 }];
    await expect(producer.sendOffsetsToTransaction(offsets, "readers")).rejects.toThrow(only);
    await expect(producer.prepareTransaction()).rejects.toThrow(only);
    await expect(producer.initTransactions({ keepPreparedTransaction: true })).rejects.toThrow(only);
    await expect(producer.transaction(async () => {})).rejects.toThrow(only);
    await producer.flush();
    expect(asked).toHaveLength(length);
    await producer.commitTransaction();
    expect(asked.at(-1)).toBe("EndTxn commit 1000/0");
  });

  test.each([
    ["is committed where its own state is given", "1000:0", "EndTxn commit 1000/0"],
    ["is aborted where another epoch is given", "1000:1", "EndTxn abort 1000/0"],
    ["is aborted where another id is given", "999:0", "EndTxn abort 1000/0"],
    ["is aborted where none is given", "", "EndTxn abort 1000/0"],
  ])("%s", async (_, text, end) => {
    const { asked, broker, producer } = await prepared();
    await producer.completeTransaction(PreparedTransactionState.parse(text));
    expect(asked.at(-1)).toBe(end);
    // Once, and the producer goes on.
    await expect(producer.completeTransaction(PreparedTransactionState.parse(text))).rejects.toThrow(
      "completeTransaction: nothing is prepared",
    );
    producer.beginTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "b" }));
    good(await broker.nextCall(), 1n);
    expect(await sent).toBe("@1");
    expect(String(await producer.prepareTransaction())).toBe("1000:1");
  });

  test("can be aborted by a plain abort", async () => {
    const { asked, producer } = await prepared();
    await producer.abortTransaction();
    expect(asked.at(-1)).toBe("EndTxn abort 1000/0");
  });

  test("keeps its epoch where ends of transactions do not raise it", async () => {
    const { asked, producer, state } = await prepared({ cluster: { transactionVersion: 1 } });
    await producer.completeTransaction(state);
    expect(asked.at(-1)).toBe("EndTxn commit 1000/0");
    producer.beginTransaction();
    expect(String(await producer.prepareTransaction())).toBe("1000:0");
  });

  test.each(["NOT_COORDINATOR", "CONCURRENT_TRANSACTIONS", "closed"] as const)(
    "is ended in spite of %s",
    async (mishap) => {
      const { asked, coordinator, producer, state } = await prepared();
      coordinator.spoil("EndTxn", mishap);
      await producer.completeTransaction(state);
      expect(asked.filter((what) => what.startsWith("EndTxn commit 1000/0"))).toHaveLength(2);
    },
  );

  test.each([
    ["PRODUCER_FENCED", "PRODUCER_FENCED, fatal", "PRODUCER_FENCED, fatal"],
    ["INVALID_TXN_STATE", "INVALID_TXN_STATE, fatal", "INVALID_TXN_STATE, fatal"],
    ["TRANSACTION_ABORTABLE", "TRANSACTION_ABORTABLE, abortable", "done"],
  ] as const)("whose end is answered by %s", async (mishap, completed, aborted) => {
    const { coordinator, producer, state } = await prepared();
    coordinator.spoil("EndTxn", mishap);
    expect(await endOf(producer.completeTransaction(state))).toBe(completed);
    expect(await endOf(producer.abortTransaction())).toBe(aborted);
  });

  test("whose end ran out of time is asked for once", async () => {
    const { asked, coordinator, producer, state } = await prepared();
    const { happened, letGo } = held();
    coordinator.spoil("EndTxn", happened);
    const late = expect(producer.completeTransaction(state, { timeoutMs: 20 })).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    await until(() => asked.at(-1) === "EndTxn commit 1000/0");
    await late;
    const again = endOf(producer.completeTransaction(state));
    letGo();
    expect(await again).toBe("done");
    expect(asked.filter((what) => what.startsWith("EndTxn"))).toEqual(["EndTxn commit 1000/0"]);
  });

  test("is left open by close", async () => {
    const { asked, producer } = await prepared();
    await producer.close();
    await quiet();
    expect(asked.filter((what) => what.startsWith("EndTxn"))).toEqual([]);
  });
});

describe("a producer that keeps what the one before prepared", () => {
  const cluster = { ongoing: { producerId: 1000n, producerEpoch: 4 }, firstEpoch: 5 };

  async function keeping(given: Given = { cluster }) {
    const all = await setUp(given);
    await all.producer.initTransactions({ keepPreparedTransaction: true });
    return all;
  }

  test.each([
    ["commits it where the stored state is that", "1000:4", "EndTxn commit 1000/5"],
    ["aborts it where the stored state is another", "1000:3", "EndTxn abort 1000/5"],
    ["aborts it where its own epoch is given, which prepared nothing", "1000:5", "EndTxn abort 1000/5"],
    ["aborts it where nothing was stored", "", "EndTxn abort 1000/5"],
  ])("%s", async (_, stored, end) => {
    const { asked, broker, producer } = await keeping();
    await producer.completeTransaction(PreparedTransactionState.parse(stored));
    expect(asked.slice(1)).toEqual(["InitProducerId v6 2pc keep", end]);
    producer.beginTransaction();
    void outcomeOf(producer.send({ topic, value: "b" }));
    expect((await broker.nextCall()).sequences).toEqual(["1000/6: 0"]);
  });

  test("begins nothing and sends nothing before", async () => {
    const { asked, producer } = await keeping();
    expect(() => producer.beginTransaction()).toThrow(only);
    expect(await outcomeOf(producer.send({ topic, value: "late" }))).toBe("STATE, no");
    await producer.close();
    await quiet();
    expect(asked.filter((what) => what.startsWith("EndTxn"))).toEqual([]);
  });

  test("has nothing to complete where nothing was open", async () => {
    const { producer } = await keeping({});
    await expect(producer.completeTransaction(PreparedTransactionState.parse("1000:4"))).rejects.toMatchObject({
      code: "NOTHING_PREPARED",
      message: "completeTransaction: nothing is prepared",
    });
    producer.beginTransaction();
  });

  test("may end it plainly, also without two-phase commit of its own", async () => {
    const { asked, producer } = await keeping({ cluster, transactionTwoPhaseCommitEnable: false });
    await producer.commitTransaction();
    expect(asked.at(-1)).toBe("EndTxn commit 1000/5");
  });
});

describe("calls that make no sense", () => {
  test.each([
    [{ transactionalId: "billing" }, "two-phase commit is off, set transactionTwoPhaseCommitEnable"],
    [{}, "the producer has no transactions, set transactionalId"],
  ])("are refused of a producer with no more than %o", async (options, message) => {
    const broker = await ScriptedBroker.listen();
    const producer = new KafkaProducer({ bootstrapServers: broker.bootstrapServers, ...options });
    onTestFinished(() => producer.close({ timeoutMs: 0 }));
    await expect(producer.prepareTransaction()).rejects.toThrow(`prepareTransaction: ${message}`);
    await expect(producer.completeTransaction(PreparedTransactionState.none)).rejects.toThrow(message);
  });

  test("are refused before a transaction is open", async () => {
    const { producer } = await setUp();
    await expect(producer.prepareTransaction()).rejects.toThrow("the producer is UNINITIALIZED, and must be IN_TRANS");
    await producer.initTransactions();
    await expect(producer.prepareTransaction()).rejects.toThrow("the producer is READY, and must be IN_TRANSACTION");
    producer.beginTransaction();
    await expect(producer.completeTransaction(PreparedTransactionState.none)).rejects.toThrow("IN_TRANSACTION");
  });

  test("are refused where text is given in place of a state", async () => {
    const { producer } = await prepared();
    // @ts-expect-error who has no types may pass anything
    await expect(producer.completeTransaction("1000:0")).rejects.toMatchObject({ code: "OPTIONS" });
  });
});
