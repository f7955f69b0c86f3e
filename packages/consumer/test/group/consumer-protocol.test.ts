import { DecodeError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../src/group/consumer-protocol.ts";
import { named, texts } from "./scripted-group.ts";

// As Java writes them.
const v0 = "0000000000020002743100027432ffffffff";
const v1 = "0001000000020002743100027432ffffffff0000000100027431000000020000000000000001";
const v2 = `0002${v1.slice(4)}00000009`;
const v3 = `0003${v2.slice(4)}00027231`;
const assignment = "00000000000200027431000000020000000000000002000274320000000100000001ffffffff";

const bytes = (hex: string) => Buffer.from(hex, "hex");
const subscription = {
  topics: ["t1", "t2"],
  ownedPartitions: named("t1-0", "t1-1"),
  generationId: 9,
  rackId: "r1",
  userData: null,
};

describe("a subscription", () => {
  test("is written as Java writes it, with topics and partitions in order", () => {
    expect(encodeSubscription(subscription).toString("hex")).toBe(v3);
    const shuffled = { ...subscription, topics: ["t2", "t1"], ownedPartitions: named("t1-1", "t1-0") };
    expect(encodeSubscription(shuffled).toString("hex")).toBe(v3);
  });

  test("keeps what an assignor has to say, be it only a part of a larger buffer", () => {
    const userData = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    expect(decodeSubscription(encodeSubscription({ ...subscription, userData })).userData).toEqual(Buffer.from([1, 2]));
  });

  test.each([
    ["0", v0, { ownedPartitions: [], generationId: -1, rackId: null }],
    ["1", v1, { generationId: -1, rackId: null }],
    ["2", v2, { rackId: null }],
    ["3", v3, {}],
    ["4, which is newer than any", `0004${v3.slice(4)}0102030405`, {}],
  ])("of version %s is read", (_, hex, missing) => {
    expect(decodeSubscription(bytes(hex))).toEqual({ ...subscription, ...missing });
  });

  test.each(["", "00", v3.slice(0, -2), `ffff${v3.slice(4)}`])("that is none is refused: %s", (hex) => {
    expect(() => decodeSubscription(bytes(hex))).toThrow(DecodeError);
  });
});

describe("an assignment", () => {
  const partitions = named("t2-1", "t1-2", "t1-0");

  test("is written as Java writes it, with topics and partitions in order", () => {
    expect(encodeAssignment(partitions, null).toString("hex")).toBe(`0003${assignment.slice(4)}`);
  });

  test.each(["0000", "0001", "0002", "0003", "0007"])("of version %s is read", (version) => {
    const read = decodeAssignment(bytes(version + assignment.slice(4)));
    expect(texts(read.partitions)).toEqual(["t1-0", "t1-2", "t2-1"]);
    expect(read.userData).toBeNull();
  });

  test("of no bytes has no partitions", () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ partitions: [], userData: null });
  });

  test("that names a partition twice is of it once", () => {
    const twice = "0000000000020002743100000001000000000002743100000002000000000000000100000001aa";
    const read = decodeAssignment(bytes(twice));
    expect([texts(read.partitions), read.userData]).toEqual([["t1-0", "t1-1"], Buffer.from([0xaa])]);
  });

  test("that is none is refused", () => {
    expect(() => decodeAssignment(bytes(assignment.slice(0, -2)))).toThrow(DecodeError);
  });
});
