import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import { KafkaProducer } from "../src/producer.ts";
import { endOf, good, outcomeOf } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";
import { type Mishap, ScriptedCoordinator, type ScriptedCoordinatorOptions } from "./scripted-coordinator.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const topic = "orders";

/** A producer with a record in its transaction, whose end meets with a mishap. */
async function inTransaction(mishap: Mishap, cluster: ScriptedCoordinatorOptions = {}) {
  const clock = new ManualClock();
  const coordinator = new ScriptedCoordinator(cluster);
  const broker = await ScriptedBroker.listen({ coordinator });
  const { bootstrapServers } = broker;
  const producer = new KafkaProducer({ bootstrapServers, transactionalId: "billing", requestTimeoutMs: 1_000 }, clock);
  closeInTheEnd(producer, clock);
  await soon(clock, producer.initTransactions());
  /** In a transaction of its own; tells under which numbers it went. */
  const send = async () => {
    producer.beginTransaction();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await soon(clock, broker.nextCall());
    good(call);
    expect(await soon(clock, sent)).toBe("@0");
    return call.sequences;
  };
  await send();
  coordinator.spoil("EndTxn", mishap);
  const asked = () => coordinator.asked.slice(4).filter((what) => !what.startsWith("FindCoordinator"));
  return { asked, clock, coordinator, producer, send };
}

const unanswered = new Promise<void>(() => {});

describe("an end of version 1 that had no answer and was asked for again", () => {
  test.each([
    ["commitTransaction", "commit", unanswered],
    ["commitTransaction", "commit", "unheard"],
    ["abortTransaction", "abort", unanswered],
  ] as const)(
    "finds another epoch when it comes after the next transaction has begun: %s",
    async (call, end, mishap) => {
      const { asked, clock, producer, send } = await inTransaction(mishap);
      await soon(clock, producer[call]());
      expect(asked()).toEqual([`EndTxn ${end} 1000/0`, `EndTxn ${end} 1000/0`, "InitProducerId after 1000/0"]);
      expect(await send()).toEqual(["1000/1: 0"]);
      await soon(clock, producer.commitTransaction());
      // Of an end that was answered nothing comes later.
      expect(await send()).toEqual(["1000/1: 1"]);
    },
  );

  test.each([
    ["was refused for a moment, which is an answer", "CONCURRENT_TRANSACTIONS", {}],
    ["had none of a broker that cannot raise epochs", "unheard", { initProducerId: 2 }],
    ["had none, and raises the epoch itself", "unheard", { transactionVersion: 2 }],
  ] as const)("raises no epoch where it %s", async (_, mishap, cluster) => {
    const { asked, clock, producer } = await inTransaction(mishap, cluster);
    await soon(clock, producer.commitTransaction());
    expect(asked().filter((what) => what.startsWith("InitProducerId"))).toEqual([]);
    producer.beginTransaction();
  });

  test("is a commit all the same where the next epoch is refused, and another id has to be asked for", async () => {
    const { clock, coordinator, producer, send } = await inTransaction("unheard");
    coordinator.spoil("InitProducerId", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    expect(await soon(clock, endOf(producer.commitTransaction()))).toBe("done");
    expect(() => producer.beginTransaction()).toThrow("the producer is UNINITIALIZED, and must be READY");
    await soon(clock, producer.initTransactions());
    expect(await send()).toEqual(["1000/1: 0"]);
  });

  test("is a commit all the same where the producer is fenced by then", async () => {
    const { clock, coordinator, producer } = await inTransaction("unheard");
    coordinator.spoil("InitProducerId", "PRODUCER_FENCED");
    expect(await soon(clock, endOf(producer.commitTransaction()))).toBe("done");
    expect(() => producer.beginTransaction()).toThrow("close this producer");
  });

  test("is a commit all the same where the producer is closed before it has the next epoch", async () => {
    const { asked, clock, coordinator, producer } = await inTransaction("unheard");
    coordinator.spoil("InitProducerId", unanswered);
    const committed = endOf(producer.commitTransaction());
    await passing(clock).passUntil(() => asked().at(-1) === "InitProducerId after 1000/0");
    await soon(clock, producer.close());
    expect(await committed).toBe("done");
  });
});

describe("a request of a transaction of version 1 that had no answer and was asked for again", () => {
  const group = { groupId: "billing" };
  const offsets = [{ topic, partition: 0, offset: 7 }];

  test.each(["AddOffsetsToTxn", "TxnOffsetCommit"] as const)(
    "finds another epoch when it comes after the end, and begins nothing that nobody ends: %s",
    async (api) => {
      const { asked, clock, coordinator, producer, send } = await inTransaction("COORDINATOR_LOAD_IN_PROGRESS");
      coordinator.spoil(api, "unheard");
      await soon(clock, producer.sendOffsetsToTransaction(offsets, group));
      await soon(clock, producer.commitTransaction());
      expect(asked().at(-1)).toBe("InitProducerId after 1000/0");
      expect(await send()).toEqual(["1000/1: 0"]);
      await soon(clock, producer.commitTransaction());
      expect(asked().at(-1)).toBe("EndTxn commit 1000/1");
    },
  );

  test("finds another epoch where its transaction was aborted, which had nothing in it yet", async () => {
    const { asked, clock, coordinator, producer } = await inTransaction("COORDINATOR_LOAD_IN_PROGRESS");
    await soon(clock, producer.commitTransaction());
    producer.beginTransaction();
    coordinator.spoil("AddOffsetsToTxn", unanswered, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    const sent = endOf(producer.sendOffsetsToTransaction(offsets, group, { timeoutMs: 10 }));
    await soon(clock, sent);
    await soon(clock, producer.abortTransaction());
    expect(asked().at(-1)).toBe("InitProducerId after 1000/0");
  });

  test("finds another epoch where it was to add partitions", async () => {
    const { asked, clock, coordinator, producer, send } = await inTransaction("COORDINATOR_LOAD_IN_PROGRESS");
    await soon(clock, producer.commitTransaction());
    coordinator.spoil("AddPartitionsToTxn", "unheard");
    await send();
    await soon(clock, producer.commitTransaction());
    expect(asked().at(-1)).toBe("InitProducerId after 1000/0");
  });
});
