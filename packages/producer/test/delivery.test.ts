import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../network/test/recording-logger.ts";
import { CallbackDelivery, CollectedDelivery, PromisedDelivery, type SendCallback } from "../src/delivery.ts";
import { DeliveryError, type Persisted, SendBatchError } from "../src/delivery-error.ts";
import { RecordMetadata } from "../src/record-metadata.ts";

const metadataAt = (offset: bigint): RecordMetadata =>
  new RecordMetadata(
    { topic: "orders", partition: 0, baseOffset: offset, logAppendTimeMs: -1, logStartOffset: -1n },
    0,
    0,
    -1,
    -1,
  );

const failure = (persisted: Persisted, retriable = true): DeliveryError =>
  new DeliveryError("orders", 3, persisted, new KafkaError("connection lost", { code: "CONNECTION", retriable }));

describe("one promise for one record", () => {
  test("resolves to its metadata", async () => {
    const delivery = new PromisedDelivery();
    delivery.delivered(metadataAt(7n));
    expect((await delivery.promise).offset).toBe(7n);
  });

  test("rejects with its error", async () => {
    const delivery = new PromisedDelivery();
    delivery.failed(failure("no"));
    await expect(delivery.promise).rejects.toMatchObject({
      name: "DeliveryError",
      code: "CONNECTION",
      retriable: true,
      topic: "orders",
      partition: 3,
      persisted: "no",
      message: "record for orders-3 was not acknowledged (not in the log): connection lost",
    });
  });
});

describe("a callback", () => {
  test("gets the metadata or the error", () => {
    const calls: unknown[] = [];
    const delivery = new CallbackDelivery((error, metadata) => calls.push([error, metadata]), new RecordingLogger());
    const metadata = metadataAt(1n);
    const error = failure("maybe");
    delivery.delivered(metadata);
    delivery.failed(error);
    expect(calls).toEqual([
      [null, metadata],
      [error, null],
    ]);
  });

  test("that throws or rejects stops nobody, and is logged", async () => {
    const logger = new RecordingLogger();
    const broken = new CallbackDelivery(() => {
      throw new Error("a defect of the caller");
    }, logger);
    broken.delivered(metadataAt(1n));
    broken.failed(failure("no"));
    const rejecting = (async () => {
      throw new Error("later");
    }) as SendCallback;
    const later = new CallbackDelivery(rejecting, logger);
    later.delivered(metadataAt(2n));
    await new Promise((resolve) => setImmediate(resolve));
    expect(logger.lines).toEqual([
      'error: the callback of a send failed: a defect of the caller {"topic":"orders","partition":0}',
      'error: the callback of a send failed: a defect of the caller {"topic":"orders","partition":3}',
      'error: the callback of a send failed: later {"topic":"orders","partition":0}',
    ]);
  });
});

describe("one promise for many records", () => {
  test("resolves to their metadata in the order of the records, in whatever order they arrive", async () => {
    const delivery = new CollectedDelivery(3);
    for (const position of [2, 0, 1]) delivery.delivered(metadataAt(BigInt(position)), position);
    expect((await delivery.promise).map(({ offset }) => offset)).toEqual([0n, 1n, 2n]);
  });

  test("resolves at once for none", async () => {
    expect(await new CollectedDelivery(0).promise).toEqual([]);
  });

  test("waits for the last record before it says which failed", async () => {
    const delivery = new CollectedDelivery(3);
    const error = failure("maybe");
    delivery.failed(error, 1);
    delivery.delivered(metadataAt(5n), 2);
    let isSettled = false;
    const settled = delivery.promise.catch(() => {
      isSettled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isSettled).toBe(false);
    delivery.delivered(metadataAt(4n), 0);
    await settled;
    const rejection = await delivery.promise.catch((thrown: unknown) => thrown);
    expect(rejection).toBeInstanceOf(SendBatchError);
    expect(rejection).toMatchObject({ code: "CONNECTION", retriable: true, persisted: "maybe", cause: error });
    const { results } = rejection as SendBatchError;
    expect(results.map((result) => (result instanceof RecordMetadata ? result.offset : result))).toEqual([
      4n,
      error,
      5n,
    ]);
    expect(String(rejection)).toContain("1 of 3 records were not acknowledged; the first: record for orders-3");
  });

  test("says that none is in the log only where that is so for all", async () => {
    const sameFor = async (...persisted: Persisted[]): Promise<unknown> => {
      const delivery = new CollectedDelivery(persisted.length);
      for (const [position, value] of persisted.entries()) delivery.failed(failure(value), position);
      return delivery.promise.catch((error: SendBatchError) => error.persisted);
    };
    expect(await sameFor("no", "no")).toBe("no");
    expect(await sameFor("no", "maybe")).toBe("maybe");
    expect(await sameFor("yes", "no")).toBe("maybe");
  });

  test("is worth another try only where every failure is", async () => {
    const delivery = new CollectedDelivery(2);
    delivery.failed(failure("no", true), 0);
    delivery.failed(failure("no", false), 1);
    await expect(delivery.promise).rejects.toMatchObject({ retriable: false });
  });
});
