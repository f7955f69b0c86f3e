import { expect, test } from "vitest";
import { OffsetLedger, topicOffsetsOf } from "../../src/consumer/offset-ledger.ts";

const at = (partition: number, offset: bigint) => ({ topic: "t", partition, offset });

test("what is resolved and not committed is to be committed", () => {
  const ledger = new OffsetLedger();
  ledger.begin(at(0, 5n));
  ledger.begin(at(1, 7n));
  expect(ledger.uncommitted()).toEqual([]);
  ledger.resolve(at(0, 8n));
  // A batch that begins anew does not take back what is done with.
  ledger.begin(at(0, 5n));
  expect(ledger.uncommitted()).toEqual([at(0, 8n)]);
  expect(ledger.uncommittedCount).toBe(3);
  expect(ledger.resolvedOf({ topic: "t", partition: 0 })).toBe(8n);
  expect(ledger.uncommitted([{ topic: "t", partition: 1 }])).toEqual([]);
  ledger.committed(at(0, 8n));
  expect(ledger.uncommitted()).toEqual([]);
  expect(ledger.uncommittedCount).toBe(0);
});

test("a partition that was given up is forgotten", () => {
  const ledger = new OffsetLedger();
  ledger.begin(at(0, 5n));
  ledger.resolve(at(0, 6n));
  ledger.forget([{ topic: "t", partition: 0 }]);
  ledger.committed(at(0, 6n));
  expect(ledger.uncommitted()).toEqual([]);
  expect(ledger.resolvedOf({ topic: "t", partition: 0 })).toBe(null);
});

test("offsets as kafkajs groups them", () => {
  expect(topicOffsetsOf([at(0, 1n), { topic: "u", partition: 0, offset: 2n }, at(3, 9_007_199_254_740_993n)])).toEqual([
    {
      topic: "t",
      partitions: [
        { partition: 0, offset: "1" },
        { partition: 3, offset: "9007199254740993" },
      ],
    },
    { topic: "u", partitions: [{ partition: 0, offset: "2" }] },
  ]);
});
