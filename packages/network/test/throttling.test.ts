import type { Api } from "@odradek/protocol";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { ConsumerGroupHeartbeat } from "@odradek/protocol/messages/consumer-group-heartbeat";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { describe, expect, test } from "vitest";
import { throttleTimeMs } from "../src/throttling.ts";

describe("the time for which a client is to be quiet", () => {
  test.each<[Api, number, number]>([
    [Produce, 5, 0],
    [Produce, 6, 70],
    [Fetch, 7, 0],
    [Fetch, 8, 70],
    [Metadata, 5, 0],
    [Metadata, 13, 70],
    [AddPartitionsToTxn, 0, 0],
    [AddPartitionsToTxn, 1, 70],
    [ConsumerGroupHeartbeat, 0, 70],
  ])("is what an answer says in the versions that answer before they throttle: $name v%i", (api, version, expected) => {
    expect(throttleTimeMs(api, version, { throttleTimeMs: 70 })).toBe(expected);
  });

  test("is none where the answer has no such field, or says less than nothing", () => {
    expect(throttleTimeMs(Fetch, 12, {})).toBe(0);
    expect(throttleTimeMs(Fetch, 12, { throttleTimeMs: -1 })).toBe(0);
  });
});
