import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { RecordMetadata } from "../src/record-metadata.ts";

const outcome = {
  topic: "orders",
  partition: 3,
  baseOffset: 9_007_199_254_740_993n,
  logAppendTimeMs: -1,
  logStartOffset: 5n,
};

describe("the metadata of a record", () => {
  const metadata = new RecordMetadata(outcome, 2, 1_700_000_000_000, 4, -1);

  test("is what the batch has, moved on by the record's place in it", () => {
    const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } = metadata;
    expect({ topic, partition, offset, timestamp, serializedKeySize, serializedValueSize }).toEqual({
      topic: "orders",
      partition: 3,
      offset: 9_007_199_254_740_995n,
      timestamp: 1_700_000_000_000,
      serializedKeySize: 4,
      serializedValueSize: -1,
    });
  });

  test("tells where the log began, and the broker's time where that is the record's", () => {
    expect([metadata.logStartOffset, metadata.logAppendTime]).toEqual([5n, null]);
    const stamped = new RecordMetadata(
      { ...outcome, logAppendTimeMs: 1_700_000_000_001 },
      0,
      1_700_000_000_000,
      -1,
      -1,
    );
    expect([stamped.timestamp, stamped.logAppendTime]).toEqual([1_700_000_000_001, 1_700_000_000_001]);
  });

  test("can be written as JSON, with the offset as text", () => {
    expect(JSON.parse(JSON.stringify(metadata))).toEqual({
      topic: "orders",
      partition: 3,
      offset: "9007199254740995",
      timestamp: 1_700_000_000_000,
      serializedKeySize: 4,
      serializedValueSize: -1,
    });
  });

  test("shows itself in logs", () => {
    expect(String(metadata)).toBe("orders-3@9007199254740995");
    expect(inspect(metadata)).toContain("offset: 9007199254740995n");
  });
});
