import type { TopicPartition } from "@odradek/network";
import { BrokerError, type BrokerErrorName, codeOf, type KafkaError } from "@odradek/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { RecordingLogger } from "../../network/test/recording-logger.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import { ProducerBatch } from "../src/producer-batch.ts";
import { noProducerId, type ProducerIdAndEpoch } from "../src/producer-id.ts";
import { TransactionManager } from "../src/transaction-manager.ts";
import { TransactionRequestFailure } from "../src/transaction-request-failure.ts";
import type { TransactionVersion } from "../src/transaction-requests.ts";
import type { TransactionalRequest, Verdict } from "../src/transaction-verdicts.ts";
import { recordOf, Told } from "./told.ts";

interface Asked {
  readonly what: string;
  succeed(producer?: ProducerIdAndEpoch): void;
  fail(verdict: Exclude<Verdict, "retry" | "findCoordinator">, name: BrokerErrorName): void;
}

/** The requests of a manager, each answered when the test says so. */
class ScriptedRequests {
  canBumpEpoch = true;
  transactionVersion: TransactionVersion = 1;
  /** Whether a transaction of the producer before is open, as 7/3. */
  hasOngoing = false;
  readonly #open: Asked[] = [];

  initProducerId({ producerId, producerEpoch }: ProducerIdAndEpoch): Promise<ProducerIdAndEpoch> {
    return this.#ask("InitProducerId", producerId < 0n ? "" : `${producerId}/${producerEpoch}`);
  }

  async keepPrepared() {
    const ongoing = { producerId: 7n, producerEpoch: 3 };
    return { producer: await this.#ask("InitProducerId", "keep"), ongoing: this.hasOngoing ? ongoing : noProducerId };
  }

  async addPartitions(_: ProducerIdAndEpoch, partitions: readonly TopicPartition[]): Promise<void> {
    await this.#ask("AddPartitionsToTxn", partitions.map(({ partition }) => partition).join());
  }

  async addOffsets(_: ProducerIdAndEpoch, groupId: string): Promise<void> {
    await this.#ask("AddOffsetsToTxn", groupId);
  }

  async commitOffsets(): Promise<void> {
    await this.#ask("TxnOffsetCommit", "");
  }

  async endTransaction({ producerEpoch }: ProducerIdAndEpoch, committed: boolean): Promise<ProducerIdAndEpoch> {
    return this.#ask("EndTxn", `${committed ? "commit" : "abort"} ${producerEpoch}`);
  }

  takeUnanswered(): boolean {
    return false;
  }

  close(): void {}
  stop(): void {}

  get openCount(): number {
    return this.#open.length;
  }

  /** The oldest request that has no answer yet. */
  async next(): Promise<Asked> {
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    const asked = this.#open.shift();
    if (asked === undefined) throw new Error("nothing is asked");
    return asked;
  }

  #ask(request: TransactionalRequest, about: string): Promise<ProducerIdAndEpoch> {
    return new Promise((resolve, reject) => {
      this.#open.push({
        what: about === "" ? request : `${request} ${about}`,
        succeed: (producer = { producerId: 7n, producerEpoch: 0 }) => resolve(producer),
        fail: (verdict, name) =>
          reject(new TransactionRequestFailure(request, verdict, new BrokerError(codeOf(name), request))),
      });
    });
  }
}

function setUp(isTransactional = true) {
  const requests = new ScriptedRequests();
  const failed: string[] = [];
  let changes = 0;
  const manager = new TransactionManager(requests, isTransactional, new RecordingLogger(), {
    onChange: () => {
      changes += 1;
    },
    flush: () => Promise.resolve(),
    failUnsent: ({ code }) => failed.push(`unsent ${code}`),
    failAll: ({ code }) => failed.push(`all ${code}`),
  });
  return { requests, manager, failed, changeCount: () => changes };
}

async function inTransaction(version: TransactionVersion = 1) {
  const all = setUp();
  all.requests.transactionVersion = version;
  const ready = all.manager.initTransactions();
  (await all.requests.next()).succeed();
  await ready;
  all.manager.beginTransaction();
  return all;
}

const memory = new BufferPool(10_000, 1_000, new ManualClock());

function batchOf(partition = 0): ProducerBatch {
  const options = {
    buffer: Buffer.alloc(500),
    batchSize: 500,
    compression: null,
    settings: null,
    memory,
    createdAtMs: 0,
    serial: 0,
  };
  const batch = new ProducerBatch({ topic: "orders", partition, ...options });
  batch.tryAppend(recordOf(1, { delivery: new Told() }));
  return batch;
}

/** Sends a batch for the first time. */
function sent(manager: TransactionManager, partition = 0): ProducerBatch {
  const batch = batchOf(partition);
  expect(manager.mayDrain(batch)).toBe(true);
  batch.send();
  manager.number(batch);
  return batch;
}

/** Lets what was answered have its effects. */
async function turns(): Promise<void> {
  for (let done = 0; done < 10; done++) await Promise.resolve();
}

const errorOf = (name: BrokerErrorName): KafkaError => new BrokerError(codeOf(name), "Produce");

describe("without transactions", () => {
  test("nothing is sent before there is an id, which is asked for once", async () => {
    const { requests, manager, changeCount } = setUp(false);
    manager.requireSendable();
    for (let time = 0; time < 2; time++) manager.prepare();
    expect([manager.state, manager.mayDrain(batchOf())]).toEqual(["INITIALIZING", false]);
    const asked = await requests.next();
    expect([asked.what, requests.openCount]).toEqual(["InitProducerId", 0]);
    asked.succeed();
    await Promise.resolve(requests);
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    expect([manager.state, manager.mayDrain(batchOf()), changeCount()]).toEqual(["READY", true, 1]);
  });

  test("an id that is refused is asked for again when the next record is appended", async () => {
    const { requests, manager, failed } = setUp(false);
    manager.prepare();
    (await requests.next()).fail("abortable", "CLUSTER_AUTHORIZATION_FAILED");
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    manager.onFailed(batchOf(), errorOf("CLUSTER_AUTHORIZATION_FAILED"), "refused");
    manager.prepare();
    expect([manager.state, requests.openCount, failed]).toEqual([
      "REFUSED",
      0,
      ["unsent CLUSTER_AUTHORIZATION_FAILED"],
    ]);
    manager.requireSendable();
    manager.requireAppendable();
    manager.prepare();
    expect((await requests.next()).what).toBe("InitProducerId");
  });

  test("a refused batch leaves a gap, after which the next epoch begins", async () => {
    const { requests, manager } = setUp(false);
    manager.prepare();
    (await requests.next()).succeed();
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    manager.onCompleted(sent(manager), 0n);
    const batch = sent(manager);
    manager.onFailed(batch, errorOf("INVALID_RECORD"), "refused");
    expect(manager.mayDrain(batchOf())).toBe(false);
    manager.prepare();
    expect(sent(manager).producerState).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
  });

  test.each(["refused", "given"] as const)("that cannot go on stays so when its next id is %s", async (answer) => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    onTestFinished(() => {
      process.off("unhandledRejection", onUnhandled);
    });
    const { requests, manager } = setUp(false);
    manager.prepare();
    (await requests.next()).succeed({ producerId: 7n, producerEpoch: 0x7fff });
    await turns();
    const [first, second] = [sent(manager, 0), sent(manager, 1)];
    manager.onFailed(first, errorOf("INVALID_RECORD"), "refused");
    // Its epochs are used up, so that it takes another id.
    manager.prepare();
    expect(manager.state).toBe("INITIALIZING");
    const asked = await requests.next();
    manager.onFailed(second, errorOf("CLUSTER_AUTHORIZATION_FAILED"), "refused");
    expect(manager.state).toBe("FATAL_ERROR");
    if (answer === "refused") asked.fail("abortable", "CLUSTER_AUTHORIZATION_FAILED");
    else asked.succeed({ producerId: 8n, producerEpoch: 0 });
    // Node tells of rejections that nobody handles when the microtasks are done, before it goes on with the loop.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
    expect(manager.state).toBe("FATAL_ERROR");
    expect(() => manager.requireSendable()).toThrow("close this producer");
  });
});

describe("a transaction", () => {
  test("takes records between its begin and its end", async () => {
    const { requests, manager } = setUp();
    expect(() => manager.requireSendable()).toThrow("await initTransactions and call beginTransaction first");
    const ready = manager.initTransactions();
    expect(() => manager.beginTransaction()).toThrow("the producer is INITIALIZING, and must be READY");
    (await requests.next()).succeed();
    await ready;
    expect(() => manager.requireSendable()).toThrow("no transaction is open, call beginTransaction first");
    manager.beginTransaction();
    manager.requireSendable();
    expect(manager.isOpen).toBe(true);
    await manager.commit();
    expect(() => manager.requireAppendable()).toThrow("the transaction has ended meanwhile");
    expect([manager.state, manager.isOpen, requests.openCount]).toEqual(["READY", false, 0]);
  });

  test("of version 1 tells the coordinator of partitions first, of those found together in one request", async () => {
    const { requests, manager } = await inTransaction();
    expect(manager.produceBounds).toEqual({ newest: 11 });
    expect([batchOf(0), batchOf(1)].map((batch) => manager.mayDrain(batch))).toEqual([false, false]);
    const first = await requests.next();
    expect(first.what).toBe("AddPartitionsToTxn 0,1");
    // Found while the first request is under way.
    expect(manager.mayDrain(batchOf(2))).toBe(false);
    first.succeed();
    const second = await requests.next();
    expect(second.what).toBe("AddPartitionsToTxn 2");
    expect([batchOf(0), batchOf(1), batchOf(2)].map((batch) => manager.mayDrain(batch))).toEqual([true, true, false]);
    second.succeed();
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    expect(manager.mayDrain(batchOf(2))).toBe(true);
  });

  test("of version 2 needs no coordinator, and takes over what its end gives", async () => {
    const { requests, manager } = await inTransaction(2);
    expect(manager.produceBounds).toEqual({});
    manager.onCompleted(sent(manager), 0n);
    const done = manager.commit();
    const end = await requests.next();
    expect(end.what).toBe("EndTxn commit 0");
    end.succeed({ producerId: 8n, producerEpoch: 4 });
    await done;
    manager.beginTransaction();
    expect(sent(manager).producerState).toMatchObject({ producerId: 8n, producerEpoch: 4, baseSequence: 0 });
  });

  test("changes its version when the next one begins, and not before", async () => {
    const { requests, manager } = await inTransaction(1);
    requests.transactionVersion = 2;
    expect(manager.produceBounds).toEqual({ newest: 11 });
    await manager.commit();
    manager.beginTransaction();
    expect(manager.produceBounds).toEqual({});
  });

  test("that has failed lets go of what was not sent, and sends again what was", async () => {
    const { manager, failed } = await inTransaction(2);
    const [first, second] = [sent(manager, 0), sent(manager, 1)];
    manager.onFailed(first, errorOf("INVALID_RECORD"), "refused");
    expect([manager.state, failed]).toEqual(["ABORTABLE_ERROR", ["unsent INVALID_RECORD"]]);
    expect([second, batchOf(2)].map((batch) => manager.mayDrain(batch))).toEqual([true, false]);
    expect(() => manager.requireSendable()).toThrow("call abortTransaction, and begin again");
    // Whatever follows is not why it failed.
    manager.onFailed(second, errorOf("TOPIC_AUTHORIZATION_FAILED"), "refused");
    await expect(manager.commit()).rejects.toMatchObject({ code: "INVALID_RECORD", abortable: true });
  });

  test("whose producer is fenced is over, and so is the producer", async () => {
    const { requests, manager, failed } = await inTransaction(2);
    manager.onFailed(sent(manager), errorOf("PRODUCER_FENCED"), "refused");
    expect([manager.state, failed]).toEqual(["FATAL_ERROR", ["all PRODUCER_FENCED"]]);
    await expect(manager.abort()).rejects.toMatchObject({ code: "PRODUCER_FENCED", abortable: false });
    manager.onFailed(batchOf(), errorOf("INVALID_RECORD"), "refused");
    expect([manager.state, requests.openCount]).toEqual(["FATAL_ERROR", 0]);
  });

  test("asks one thing at a time: its end comes after partitions and offsets", async () => {
    const { requests, manager } = await inTransaction();
    manager.mayDrain(batchOf());
    const group = { groupId: "readers", generationId: -1, memberId: "", groupInstanceId: null };
    const offsets = manager.sendOffsets([{ topic: "orders", partition: 0, offset: 0 }], group);
    const done = manager.commit();
    const seen: string[] = [];
    for (let count = 0; count < 4; count++) {
      const asked = await requests.next();
      expect(requests.openCount).toBe(0);
      seen.push(asked.what);
      asked.succeed();
    }
    await Promise.all([offsets, done]);
    expect(seen.map((what) => what.split(" ")[0]).sort()).toEqual([
      "AddOffsetsToTxn",
      "AddPartitionsToTxn",
      "EndTxn",
      "TxnOffsetCommit",
    ]);
    expect(seen.at(-1)).toBe("EndTxn commit 0");
  });

  test.each([
    ["abortable", true, "ABORTABLE_ERROR"],
    ["abortableByBump", true, "ABORTABLE_ERROR"],
    ["abortableByBump", false, "FATAL_ERROR"],
    ["fatal", true, "FATAL_ERROR"],
  ] as const)(
    "whose offsets are refused, %s, with epochs that can be raised %s: %s",
    async (verdict, canBump, state) => {
      const { requests, manager } = await inTransaction();
      requests.canBumpEpoch = canBump;
      const group = { groupId: "readers", generationId: -1, memberId: "", groupInstanceId: null };
      const offsets = manager.sendOffsets([{ topic: "orders", partition: 0, offset: 0 }], group);
      const refused = expect(offsets).rejects.toMatchObject({ abortable: state === "ABORTABLE_ERROR" });
      (await requests.next()).fail(verdict, "UNKNOWN_PRODUCER_ID");
      await refused;
      expect(manager.state).toBe(state);
    },
  );

  test("that is aborted after an error goes on under the next epoch, where that can be asked for", async () => {
    const { requests, manager } = await inTransaction();
    manager.mayDrain(batchOf());
    (await requests.next()).succeed();
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    manager.onFailed(sent(manager), errorOf("INVALID_RECORD"), "unknown");
    const done = manager.abort();
    const end = await requests.next();
    expect(end.what).toBe("EndTxn abort 0");
    end.succeed();
    const bump = await requests.next();
    expect([bump.what, manager.state]).toEqual(["InitProducerId 7/0", "INITIALIZING"]);
    bump.succeed({ producerId: 7n, producerEpoch: 1 });
    await done;
    expect(manager.state).toBe("READY");
  });

  test("ends well where the coordinator says so, though what was given up before it turns out to have left a gap", async () => {
    const { requests, manager } = await inTransaction();
    requests.canBumpEpoch = false;
    const add = async (partition: number) => {
      expect(manager.mayDrain(batchOf(partition))).toBe(false);
      const asked = await requests.next();
      expect(asked.what).toBe(`AddPartitionsToTxn ${partition}`);
      asked.succeed();
      await turns();
    };
    await add(0);
    const givenUp = sent(manager, 0);
    const late = errorOf("REQUEST_TIMED_OUT");
    givenUp.abandon(late);
    manager.onFailed(givenUp, late, "open");
    const aborted = manager.abort();
    (await requests.next()).succeed();
    await aborted;

    manager.beginTransaction();
    await add(1);
    manager.onCompleted(sent(manager, 1), 0n);
    const committed = manager.commit();
    const end = await requests.next();
    expect(end.what).toBe("EndTxn commit 0");
    manager.onLetGo(givenUp);
    manager.prepare();
    end.succeed();
    await committed;
  });
});

describe("a prepared transaction", () => {
  const only = "takes nothing but commitTransaction, abortTransaction or completeTransaction";
  const group = { groupId: "readers", generationId: -1, memberId: "", groupInstanceId: null };

  async function prepared() {
    const all = await inTransaction(2);
    all.manager.onCompleted(sent(all.manager), 0n);
    await all.manager.prepareTransaction();
    return all;
  }

  test("is its producer's id and epoch, and outlives its producer", async () => {
    const { manager } = await prepared();
    expect([manager.state, manager.prepared]).toEqual(["PREPARED_TRANSACTION", { producerId: 7n, producerEpoch: 0 }]);
    expect([manager.isOpen, manager.isEnding]).toEqual([false, false]);
  });

  test("takes nothing but its end", async () => {
    const { requests, manager } = await prepared();
    expect(() => manager.requireSendable()).toThrow(`send: the transaction is prepared, and ${only}`);
    expect(() => manager.requireAppendable()).toThrow("the transaction has ended meanwhile");
    expect(() => manager.beginTransaction()).toThrow(`beginTransaction: the transaction is prepared, and ${only}`);
    await expect(manager.prepareTransaction()).rejects.toThrow(only);
    await expect(manager.initTransactions(true)).rejects.toThrow(only);
    await expect(manager.sendOffsets([{ topic: "orders", partition: 0, offset: 0 }], group)).rejects.toThrow(only);
    expect([manager.state, requests.openCount]).toEqual(["PREPARED_TRANSACTION", 0]);
  });

  test.each([
    ["is committed where it is the one", { producerId: 7n, producerEpoch: 0 }, "EndTxn commit 0"],
    ["is aborted where the epoch differs", { producerId: 7n, producerEpoch: 1 }, "EndTxn abort 0"],
    ["is aborted where the id differs", { producerId: 8n, producerEpoch: 0 }, "EndTxn abort 0"],
    ["is aborted where it is to be none", noProducerId, "EndTxn abort 0"],
  ])("%s", async (_, state, what) => {
    const { requests, manager } = await prepared();
    const done = manager.complete(state);
    const end = await requests.next();
    expect(end.what).toBe(what);
    end.succeed({ producerId: 7n, producerEpoch: 1 });
    await done;
    expect([manager.state, manager.prepared]).toEqual(["READY", noProducerId]);
    manager.beginTransaction();
    expect(sent(manager).producerState).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
  });

  test.each([
    ["commit", "EndTxn commit 0"],
    ["abort", "EndTxn abort 0"],
  ] as const)("can be ended by a plain %s", async (end, what) => {
    const { requests, manager } = await prepared();
    const done = manager[end]();
    const asked = await requests.next();
    expect(asked.what).toBe(what);
    asked.succeed();
    await done;
    expect(manager.state).toBe("READY");
  });

  test("cannot be completed where there is none", async () => {
    const { manager } = await inTransaction();
    await expect(manager.complete(noProducerId)).rejects.toThrow(
      "completeTransaction: the producer is IN_TRANSACTION, and must be PREPARED_TRANSACTION",
    );
    await manager.commit();
    await expect(manager.complete(noProducerId)).rejects.toMatchObject({ code: "NOTHING_PREPARED" });
  });

  test("comes behind offsets that are under way", async () => {
    const { requests, manager } = await inTransaction(2);
    const offsets = manager.sendOffsets([{ topic: "orders", partition: 0, offset: 0 }], group);
    const asked = await requests.next();
    const done = manager.prepareTransaction();
    await turns();
    expect([manager.state, manager.isEnding]).toEqual(["PREPARING_TRANSACTION", true]);
    expect(() => manager.requireSendable()).toThrow("the transaction is prepared");
    asked.succeed();
    await Promise.all([offsets, done]);
    expect(manager.state).toBe("PREPARED_TRANSACTION");
  });

  test("is none where offsets that are under way are refused", async () => {
    const { requests, manager } = await inTransaction(2);
    const offsets = manager.sendOffsets([{ topic: "orders", partition: 0, offset: 0 }], group);
    const asked = await requests.next();
    const done = manager.prepareTransaction();
    const refused = [offsets, done].map((call) =>
      expect(call).rejects.toMatchObject({ code: "ILLEGAL_GENERATION", abortable: true }),
    );
    asked.fail("abortable", "ILLEGAL_GENERATION");
    await Promise.all(refused);
    expect([manager.state, manager.isOpen, manager.prepared]).toEqual(["ABORTABLE_ERROR", true, noProducerId]);
  });

  test("whose commit is refused can be aborted", async () => {
    const { requests, manager } = await prepared();
    const done = expect(manager.complete(manager.prepared)).rejects.toMatchObject({ abortable: true });
    (await requests.next()).fail("abortable", "TRANSACTION_ABORTABLE");
    await done;
    const aborted = manager.abort();
    (await requests.next()).succeed();
    await aborted;
    expect(manager.prepared).toBe(noProducerId);
  });
});

describe("a producer that keeps what was prepared", () => {
  async function keeping(hasOngoing: boolean) {
    const all = setUp();
    all.requests.hasOngoing = hasOngoing;
    all.requests.transactionVersion = 2;
    const ready = all.manager.initTransactions(true);
    const asked = await all.requests.next();
    expect([asked.what, all.manager.state]).toEqual(["InitProducerId keep", "INITIALIZING"]);
    asked.succeed({ producerId: 7n, producerEpoch: 4 });
    await ready;
    return all;
  }

  test("has it under the epoch of the producer before, and ends it under its own", async () => {
    const { requests, manager } = await keeping(true);
    expect([manager.state, manager.prepared]).toEqual(["PREPARED_TRANSACTION", { producerId: 7n, producerEpoch: 3 }]);
    expect(() => manager.beginTransaction()).toThrow("the transaction is prepared");
    const done = manager.complete({ producerId: 7n, producerEpoch: 3 });
    const end = await requests.next();
    expect(end.what).toBe("EndTxn commit 4");
    end.succeed({ producerId: 7n, producerEpoch: 5 });
    await done;
    manager.beginTransaction();
    expect(sent(manager).producerState).toMatchObject({ producerEpoch: 5, baseSequence: 0 });
  });

  test("begins with what is next where nothing was open", async () => {
    const { manager } = await keeping(false);
    expect([manager.state, manager.prepared]).toEqual(["READY", noProducerId]);
    await expect(manager.complete({ producerId: 7n, producerEpoch: 3 })).rejects.toMatchObject({
      code: "NOTHING_PREPARED",
    });
    manager.beginTransaction();
    expect(sent(manager).producerState).toMatchObject({ producerEpoch: 4 });
  });

  test.each([
    ["abortable", "UNINITIALIZED"],
    ["fatal", "FATAL_ERROR"],
  ] as const)("and is refused, %s: %s", async (verdict, state) => {
    const { requests, manager } = setUp();
    const refused = expect(manager.initTransactions(true)).rejects.toThrow("TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    (await requests.next()).fail(verdict, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    await refused;
    expect(manager.state).toBe(state);
  });
});
