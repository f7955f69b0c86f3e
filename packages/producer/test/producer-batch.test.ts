import { defaultCodecs, defaultRecordBatchesOptions, KafkaError, RecordBatches } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import { ProducerBatch, type ProducerBatchOptions } from "../src/producer-batch.ts";
import { recordOf, Told } from "./told.ts";

const lost = new KafkaError("connection lost", { code: "CONNECTION", retriable: true });
const refused = new KafkaError("not the leader", { code: "NOT_LEADER_OR_FOLLOWER", retriable: true });

function setUp(given: Partial<ProducerBatchOptions> = {}) {
  const batch = new ProducerBatch({
    topic: "orders",
    partition: 3,
    buffer: Buffer.alloc(1_000),
    batchSize: 1_000,
    compression: null,
    settings: null,
    memory: new BufferPool(10_000, 1_000, new ManualClock()),
    createdAtMs: 0,
    serial: 0,
    ...given,
  });
  const told = new Told();
  let position = 0;
  const append = (valueBytes = 10): boolean =>
    batch.tryAppend(recordOf(valueBytes, { delivery: told, position: position++ }));
  return { batch, told, append };
}

describe("a batch that arrives", () => {
  test("tells its records in the order of the appends where they are", () => {
    const { batch, told, append } = setUp();
    for (let record = 0; record < 3; record++) append();
    batch.send();
    batch.complete(40n, -1);
    expect(told.all).toEqual(["0@40", "1@41", "2@42"]);
    expect(batch.state).toBe("done");
  });

  test("tells the time of the broker where the topic is configured so", () => {
    const { batch, told, append } = setUp();
    append();
    batch.send();
    batch.complete(0n, 1_700_000_000_123);
    expect(told.metadata[0]?.timestamp).toBe(1_700_000_000_123);
  });

  test("tells no offsets where nobody was asked for an answer", () => {
    const { batch, told, append } = setUp();
    append();
    append();
    batch.send();
    batch.complete(-1n, -1);
    expect(told.all).toEqual(["0@-1", "1@-1"]);
  });

  test("tells the sizes of keys and values in bytes, also of text that is not ASCII", () => {
    const { batch, told } = setUp();
    const pairs = [
      ["key", "value"],
      ["é", null],
      [null, "中中"],
      ["", Buffer.alloc(7)],
    ] as const;
    for (const [key, value] of pairs) batch.tryAppend(recordOf(0, { delivery: told, key, value }));
    batch.send();
    batch.complete(0n, -1);
    expect(
      told.metadata.map(({ serializedKeySize, serializedValueSize }) => [serializedKeySize, serializedValueSize]),
    ).toEqual([
      [3, 5],
      [2, -1],
      [-1, 6],
      [0, 7],
    ]);
  });
});

describe("a batch that fails", () => {
  test("and was never in a request is not in the log", () => {
    const { batch, told, append } = setUp();
    append();
    append();
    batch.close();
    batch.fail(lost, "no");
    expect(told.all).toEqual(["0: CONNECTION, no", "1: CONNECTION, no"]);
  });

  test("and was refused by every broker that got it is not in the log", () => {
    const { batch, told, append } = setUp();
    append();
    batch.send();
    batch.retry(100, refused, false);
    batch.send();
    batch.fail(refused, "no");
    expect(told.all).toEqual(["0: NOT_LEADER_OR_FOLLOWER, no"]);
  });

  test("may be in the log once an attempt ended without an answer, whatever is said later", () => {
    const { batch, told, append } = setUp();
    append();
    batch.send();
    batch.retry(100, lost, true);
    batch.send();
    batch.fail(refused, "no");
    expect(told.all).toEqual(["0: NOT_LEADER_OR_FOLLOWER, maybe"]);
  });

  test("tells each record its own reason where there is one", () => {
    const { batch, told, append } = setUp();
    for (let record = 0; record < 3; record++) append();
    batch.send();
    const shared = new KafkaError("another record was refused", { code: "INVALID_RECORD" });
    batch.fail(shared, "no", new Map([[1, new KafkaError("no key", { code: "INVALID_RECORD" })]]));
    expect(told.errors.map(({ message }) => message)).toEqual([
      "record for orders-3 was not acknowledged (not in the log): another record was refused",
      "record for orders-3 was not acknowledged (not in the log): no key",
      "record for orders-3 was not acknowledged (not in the log): another record was refused",
    ]);
  });

  test("while a request has it is told at once, and keeps its buffer until the request ends", () => {
    const { batch, told, append } = setUp();
    append();
    batch.send();
    batch.abandon(lost);
    expect([told.all, batch.state]).toEqual([["0: CONNECTION, maybe"], "abandoned"]);
    batch.letGo();
    expect(batch.state).toBe("done");
  });
});

describe("a batch", () => {
  test("has the same bytes at every attempt", () => {
    const { batch, append } = setUp();
    append();
    batch.send();
    const first = Buffer.from(batch.build());
    batch.retry(0, lost, true);
    batch.send();
    expect(batch.build()).toEqual(first);
  });

  test("takes no records once it is closed", () => {
    const { batch, append } = setUp();
    append();
    batch.close();
    expect([append(), batch.isFull, batch.recordCount]).toEqual([false, true, 1]);
  });

  test("holds what was appended, compressed as configured", () => {
    const { batch, told } = setUp({ compression: { codec: defaultCodecs.gzip, ratio: 1 } });
    const headers = [{ key: "h", value: "1" }];
    batch.tryAppend(recordOf(0, { delivery: told, key: "k", value: "v".repeat(200), headers }));
    batch.send();
    const [read] = [...new RecordBatches(batch.build(), defaultRecordBatchesOptions)];
    const [record] = [...read!];
    expect([read?.compression, record?.key?.toString(), record?.value?.length]).toEqual(["gzip", "k", 200]);
    expect(record?.headers).toEqual([{ key: "h", value: Buffer.from("1") }]);
    expect(batch.compressionRatio).toBeLessThan(0.5);
  });

  test("says when all was told", async () => {
    const { batch, append } = setUp();
    append();
    let isTold = false;
    const told = batch.whenTold().then(() => {
      isTold = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isTold).toBe(false);
    batch.send();
    batch.complete(0n, -1);
    await told;
    await expect(batch.whenTold()).resolves.toBeUndefined();
  });

  test("cannot end twice", () => {
    const { batch, append } = setUp();
    append();
    batch.send();
    batch.complete(0n, -1);
    expect(() => batch.fail(lost, "maybe")).toThrow("illegal move from done to done");
  });
});
