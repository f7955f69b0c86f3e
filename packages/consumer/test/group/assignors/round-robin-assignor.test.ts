import { expect, test } from "vitest";
import { roundRobinAssignor } from "../../../src/group/assignors/round-robin-assignor.ts";
import type { AssignableTopics, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { assigned, member, topicsOf } from "./group-text.ts";

const roundRobin = (topics: AssignableTopics, members: readonly MemberSubscription[]): Record<string, string> =>
  assigned(roundRobinAssignor, topics, members);

test("is eager, under Kafka's name", () => {
  expect(roundRobinAssignor).toMatchObject({ name: "roundrobin" });
  expect(roundRobinAssignor.protocols).toBeUndefined();
  expect(Object.isFrozen(roundRobinAssignor)).toBe(true);
});

test("a member without topics, or with one that does not exist, gets nothing", () => {
  expect(roundRobin(topicsOf({}), [member("a", []), member("b", ["gone"])])).toEqual({ a: "", b: "" });
});

test("one member gets all partitions of its topics, and of no others", () => {
  const topics = topicsOf({ orders: 3, payments: 2, other: 4 });
  expect(roundRobin(topics, [member("a", ["orders", "payments"])])).toEqual({ a: "orders:0,1,2 payments:0,1" });
});

test("members without a partition to read get nothing", () => {
  const members = [member("a", ["orders"]), member("b", ["orders"])];
  expect(roundRobin(topicsOf({ orders: 1 }), members)).toEqual({ a: "orders:0", b: "" });
  expect(roundRobin(topicsOf({ orders: 2 }), members)).toEqual({ a: "orders:0", b: "orders:1" });
});

test("a topic goes on where the one before it ended, whatever the order in which they come", () => {
  const topics = topicsOf({ payments: 3, orders: 3 });
  const members = [member("b", ["orders", "payments"]), member("a", ["orders", "payments"])];
  expect(roundRobin(topics, members)).toEqual({ a: "orders:0,2 payments:1", b: "orders:1 payments:0,2" });
});

test("who did not subscribe to a topic is passed over", () => {
  const topics = topicsOf({ orders: 3, payments: 2 });
  const members = [member("a", ["orders"]), member("b", ["orders", "payments"]), member("c", ["orders"])];
  expect(roundRobin(topics, members)).toEqual({ a: "orders:0", b: "orders:1 payments:0,1", c: "orders:2" });
});

test("static members stand before the others, and keep their partitions though their member ids change", () => {
  const topics = topicsOf({ orders: 3, payments: 3 });
  const names = ["orders", "payments"];
  const group = (one: string, two: string): MemberSubscription[] => [
    member("m", names),
    member(two, names, { groupInstanceId: "two" }),
    member(one, names, { groupInstanceId: "one" }),
  ];
  expect(roundRobin(topics, group("z", "a"))).toEqual({
    z: "orders:0 payments:0",
    a: "orders:1 payments:1",
    m: "orders:2 payments:2",
  });
  expect(roundRobin(topics, group("b", "y"))).toEqual({
    b: "orders:0 payments:0",
    y: "orders:1 payments:1",
    m: "orders:2 payments:2",
  });
});
