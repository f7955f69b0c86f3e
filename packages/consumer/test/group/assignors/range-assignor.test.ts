import { describe, expect, test } from "vitest";
import { rangeAssignor } from "../../../src/group/assignors/range-assignor.ts";
import type { AssignableTopics, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { assigned, member, topicsOf } from "./group-text.ts";

const range = (topics: AssignableTopics, members: readonly MemberSubscription[]): Record<string, string> =>
  assigned(rangeAssignor, topics, members);

test("is eager, under Kafka's name", () => {
  expect(rangeAssignor).toMatchObject({ name: "range" });
  expect(rangeAssignor.protocols).toBeUndefined();
  expect(Object.isFrozen(rangeAssignor)).toBe(true);
});

test("a member without topics, or with one that does not exist, gets nothing", () => {
  expect(range(topicsOf({}), [member("a", []), member("b", ["gone"])])).toEqual({ a: "", b: "" });
});

test("one member gets all partitions of its topics, and of no others", () => {
  const topics = topicsOf({ orders: 3, payments: 2, other: 4 });
  expect(range(topics, [member("a", ["orders", "payments"])])).toEqual({ a: "orders:0,1,2 payments:0,1" });
});

test("members without a partition to read get nothing", () => {
  const members = [member("a", ["orders"]), member("b", ["orders"])];
  expect(range(topicsOf({ orders: 1 }), members)).toEqual({ a: "orders:0", b: "" });
  expect(range(topicsOf({ orders: 2 }), members)).toEqual({ a: "orders:0", b: "orders:1" });
});

test("each topic is cut on its own, and the first members get one more of each", () => {
  const topics = topicsOf({ orders: 3, payments: 3 });
  const members = [member("b", ["orders", "payments"]), member("a", ["orders", "payments"])];
  expect(range(topics, members)).toEqual({ a: "orders:0,1 payments:0,1", b: "orders:2 payments:2" });
});

test("a topic is cut among those who subscribed to it", () => {
  const topics = topicsOf({ orders: 3, payments: 2 });
  const members = [member("a", ["orders"]), member("b", ["orders", "payments"]), member("c", ["orders"])];
  expect(range(topics, members)).toEqual({ a: "orders:0", b: "orders:1 payments:0,1", c: "orders:2" });
});

test("a topic that a member names twice counts once", () => {
  const members = [member("a", ["orders", "orders"]), member("b", ["orders"])];
  expect(range(topicsOf({ orders: 2 }), members)).toEqual({ a: "orders:0", b: "orders:1" });
});

describe("static members", () => {
  const topics = topicsOf({ orders: 3 });
  const fixed = (memberId: string, groupInstanceId: string): MemberSubscription =>
    member(memberId, ["orders"], { groupInstanceId });

  test("stand before the others, in the order of their instance ids", () => {
    expect(range(topics, [member("a", ["orders"]), fixed("b", "two"), fixed("c", "one")])).toEqual({
      c: "orders:0",
      b: "orders:1",
      a: "orders:2",
    });
  });

  test("keep their partitions though their member ids change", () => {
    const before = range(topics, [fixed("a", "one"), fixed("b", "two")]);
    const after = range(topics, [fixed("z", "one"), fixed("y", "two")]);
    expect([after["z"], after["y"]]).toEqual([before["a"], before["b"]]);
  });
});

describe("racks", () => {
  const inRack = (memberId: string, rackId: string | null, topics: string[]): MemberSubscription =>
    member(memberId, topics, { rackId });

  test("decide who gets which partitions, not how many", () => {
    const topics = topicsOf({ orders: "b,a,b,a,b,b" });
    expect(range(topics, [inRack("1", "a", ["orders"]), inRack("2", "b", ["orders"])])).toEqual({
      1: "orders:1,3,5",
      2: "orders:0,2,4",
    });
  });

  test.each([
    ["no partition has one", ",,,"],
    ["all partitions have a replica in all of them", "ab,ba,ab,ab"],
    ["none of them is a member's", "c,d,c,d"],
  ])("decide nothing where %s", (_, partitions) => {
    const members = [inRack("1", "b", ["orders"]), inRack("2", "a", ["orders"])];
    expect(range(topicsOf({ orders: partitions }), members)).toEqual({ 1: "orders:0,1", 2: "orders:2,3" });
  });

  test("decide nothing where no member has one; an empty one is none", () => {
    const members = [inRack("1", "", ["orders"]), inRack("2", null, ["orders"])];
    expect(range(topicsOf({ orders: "b,a,b,a" }), members)).toEqual({ 1: "orders:0,1", 2: "orders:2,3" });
  });

  test("are overruled by the number of a partition in topics that are cut alike", () => {
    const topics = topicsOf({ orders: "a,b,a,b", payments: "a,b,b,a" });
    const both = ["orders", "payments"];
    expect(range(topics, [inRack("1", "b", both), inRack("2", "a", both)])).toEqual({
      1: "orders:1,2 payments:1,2",
      2: "orders:0,3 payments:0,3",
    });
  });

  test("decide for each topic where the topics have different numbers of partitions", () => {
    const topics = topicsOf({ orders: "a,b,a,b", payments: "a,b" });
    const both = ["orders", "payments"];
    expect(range(topics, [inRack("1", "b", both), inRack("2", "a", both)])).toEqual({
      1: "orders:1,3 payments:1",
      2: "orders:0,2 payments:0",
    });
  });

  test("decide among those who subscribed to a topic, where members have different topics", () => {
    const topics = topicsOf({ orders: "a,b,c,a,b,c", payments: "c,b" });
    const members = [
      inRack("1", "c", ["orders", "payments"]),
      inRack("2", "b", ["orders", "payments"]),
      inRack("3", "a", ["orders"]),
    ];
    expect(range(topics, members)).toEqual({ 1: "orders:2,5 payments:0", 2: "orders:1,4 payments:1", 3: "orders:0,3" });
  });
});
