import { OptionsError } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { offsetAndTimestamp, queriesForTimes } from "../../src/positions/offset-and-timestamp.ts";
import { listed } from "../answers.ts";

const at = (timestamp: number, partition = 0) => ({ topic: "orders", partition, timestamp });

describe("queriesForTimes", () => {
  test("asks for times as ListOffsets takes them", () => {
    expect(queriesForTimes([at(0), at(1_700_000_000_000, 1)])).toEqual([
      { topic: "orders", partition: 0, timestamp: 0n },
      { topic: "orders", partition: 1, timestamp: 1_700_000_000_000n },
    ]);
  });

  test.each([-1, -2, 1.5, Number.NaN])("refuses %s, which is no time", (timestamp) => {
    expect(() => queriesForTimes([at(timestamp)])).toThrow(OptionsError);
  });

  test("refuses two times for one partition", () => {
    expect(() => queriesForTimes([at(1), at(2)])).toThrow("each partition only once");
  });
});

describe("offsetAndTimestamp", () => {
  const partition = { topic: "orders", partition: 0 };

  test("gives offset, time and epoch of the record that was found", () => {
    expect(offsetAndTimestamp(partition, listed(0, 30n, { timestamp: 1_007n, leaderEpoch: 2 }))).toEqual({
      ...partition,
      offset: 30n,
      timestamp: 1_007,
      leaderEpoch: 2,
    });
  });

  test("gives null for what was not found, and for an epoch that the broker does not tell", () => {
    const nothing = { ...partition, offset: null, timestamp: null, leaderEpoch: null };
    expect(offsetAndTimestamp(partition, listed(0, -1n))).toEqual(nothing);
    expect(offsetAndTimestamp(partition, listed(0, 3n, { leaderEpoch: -1 })).leaderEpoch).toBeNull();
  });
});
