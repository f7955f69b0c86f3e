import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import { PreparedTransactionState } from "../src/prepared-transaction-state.ts";
import { KafkaProducer } from "../src/producer.ts";
import { endOf } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";
import { type Mishap, ScriptedCoordinator } from "./scripted-coordinator.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const offsets = [{ topic: "orders", partition: 0, offset: 5 }];

async function setUp() {
  const clock = new ManualClock();
  const coordinator = new ScriptedCoordinator({ transactionVersion: 2, initProducerId: 6 });
  const broker = await ScriptedBroker.listen({ coordinator });
  const { bootstrapServers } = broker;
  const options = { bootstrapServers, transactionalId: "billing", transactionTwoPhaseCommitEnable: true };
  const producer = new KafkaProducer(options, clock);
  closeInTheEnd(producer, clock);
  return { asked: coordinator.asked, clock, coordinator, producer };
}

/** Every call that waits, given what its types do not allow. */
const calls: Readonly<Record<string, (producer: KafkaProducer, options: never) => Promise<unknown>>> = {
  connect: (producer, options) => producer.connect(options),
  flush: (producer, options) => producer.flush(options),
  partitionsFor: (producer, options) => producer.partitionsFor("orders", options),
  close: (producer, options) => producer.close(options),
  initTransactions: (producer, options) => producer.initTransactions(options),
  sendOffsetsToTransaction: (producer, options) => producer.sendOffsetsToTransaction(offsets, "readers", options),
  prepareTransaction: (producer, options) => producer.prepareTransaction(options),
  completeTransaction: (producer, options) => producer.completeTransaction(PreparedTransactionState.none, options),
  commitTransaction: (producer, options) => producer.commitTransaction(options),
  abortTransaction: (producer, options) => producer.abortTransaction(options),
  transaction: (producer, options) => producer.transaction(async () => {}, options),
};
const given = [
  { timeoutMs: Number.NaN },
  { timeoutMs: -1 },
  { timeoutMs: "500" },
  { signal: 5 },
  { keepPreparedTxn: true },
  5,
  null,
] as const;

describe.each(Object.entries(calls))("%s", (_, call) => {
  test.each(given)("refuses %o, and begins nothing", async (options) => {
    const { asked, clock, producer } = await setUp();
    await soon(clock, producer.initTransactions());
    producer.beginTransaction();
    const { length } = asked;
    await expect(call(producer, options as never)).rejects.toMatchObject({ name: "OptionsError", code: "OPTIONS" });
    await passing(clock).pass(0);
    expect(asked).toHaveLength(length);
    // It is open still.
    await soon(clock, producer.abortTransaction());
  });
});

describe("a call that ran out of time shares its outcome with none that asks for something else:", () => {
  const never: Mishap = new Promise(() => {});

  test("initTransactions", async () => {
    const { clock, coordinator, producer } = await setUp();
    coordinator.spoil("InitProducerId", never);
    expect(await soon(clock, endOf(producer.initTransactions({ timeoutMs: 30 })))).toMatch(/^TimeoutError/);
    await expect(producer.initTransactions({ keepPreparedTransaction: true })).rejects.toMatchObject({
      code: "STATE",
      message:
        "initTransactions: the one that ran out of time, with keepPreparedTransaction false, may yet succeed, call it again first",
    });
    await soon(clock, producer.initTransactions({ keepPreparedTransaction: false }));
    producer.beginTransaction();
  });

  test("completeTransaction", async () => {
    const { asked, clock, coordinator, producer } = await setUp();
    await soon(clock, producer.initTransactions());
    producer.beginTransaction();
    await soon(clock, producer.sendOffsetsToTransaction(offsets, "readers"));
    const state = await soon(clock, producer.prepareTransaction());
    coordinator.spoil("EndTxn", never);
    expect(await soon(clock, endOf(producer.completeTransaction(state, { timeoutMs: 30 })))).toMatch(/^TimeoutError/);
    await expect(producer.completeTransaction(PreparedTransactionState.none)).rejects.toMatchObject({
      code: "STATE",
      message: "completeTransaction: the one that ran out of time, with 1000:0, may yet succeed, call it again first",
    });
    await soon(clock, producer.completeTransaction(PreparedTransactionState.parse("1000:0")));
    expect(new Set(asked.filter((what) => what.startsWith("EndTxn")))).toEqual(new Set(["EndTxn commit 1000/0"]));
  });
});
