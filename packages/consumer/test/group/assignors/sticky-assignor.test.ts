import { describe, expect, test } from "vitest";
import { stickyAssignor } from "../../../src/group/assignors/sticky-assignor.ts";
import type { AssignableTopics, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { assigned, holding, member, partitionsOf, topicsOf } from "./group-text.ts";

const sticky = (topics: AssignableTopics, members: readonly MemberSubscription[]): Record<string, string> =>
  assigned(stickyAssignor, topics, members);

const had = (subscription: MemberSubscription, partitions: string, generationId = 5): MemberSubscription =>
  holding(stickyAssignor, subscription, partitionsOf(partitions), generationId);

test("is eager, under Kafka's name", () => {
  expect(stickyAssignor).toMatchObject({ name: "sticky" });
  expect(stickyAssignor.protocols).toBeUndefined();
  expect(Object.isFrozen(stickyAssignor)).toBe(true);
});

test("a member without topics, or with one that does not exist, gets nothing", () => {
  expect(sticky(topicsOf({}), [member("a", []), member("b", ["gone"])])).toEqual({ a: "", b: "" });
});

test("what is new goes to each member in turn, across topics", () => {
  const members = [member("a", ["orders", "payments"]), member("b", ["orders", "payments"])];
  expect(sticky(topicsOf({ orders: 3, payments: 3 }), members)).toEqual({
    a: "orders:0,2 payments:1",
    b: "orders:1 payments:0,2",
  });
});

describe("members that subscribed to the same topics", () => {
  const topics = topicsOf({ orders: 6 });
  const to = (memberId: string): MemberSubscription => member(memberId, ["orders"]);

  test("give up to one that joins, and get from one that left", () => {
    expect(sticky(topics, [had(to("a"), "orders:0,1,2"), had(to("b"), "orders:3,4,5"), to("c")])).toEqual({
      a: "orders:0,1",
      b: "orders:3,4",
      c: "orders:2,5",
    });
    expect(sticky(topics, [had(to("a"), "orders:0,1"), had(to("c"), "orders:2,5")])).toEqual({
      a: "orders:0,1,3",
      c: "orders:2,4,5",
    });
  });

  test("keep one more than others where the numbers do not divide", () => {
    const five = topicsOf({ orders: 5 });
    expect(sticky(five, [had(to("a"), "orders:0,1"), had(to("b"), "orders:2,3,4")])).toEqual({
      a: "orders:0,1",
      b: "orders:2,3,4",
    });
    expect(sticky(five, [had(to("a"), "orders:0,1,2"), had(to("b"), "orders:3,4"), to("c")])).toEqual({
      a: "orders:0,1",
      b: "orders:3,4",
      c: "orders:2",
    });
  });

  test("keep as much of each topic when they give up half", () => {
    const names = ["orders", "payments"];
    const all = "orders:0,1,2,3 payments:0,1,2,3";
    expect(sticky(topicsOf({ orders: 4, payments: 4 }), [had(member("a", names), all), member("b", names)])).toEqual({
      a: "orders:0,1 payments:0,1",
      b: "orders:2,3 payments:2,3",
    });
  });

  test("get the partitions of a new topic, and lose those of one that is gone", () => {
    const names = ["orders", "payments", "refunds"];
    const members = [had(member("a", names), "orders:0,1 refunds:0"), had(member("b", names), "orders:2,3 refunds:1")];
    expect(sticky(topicsOf({ orders: 4, payments: 2 }), members)).toEqual({
      a: "orders:0,1 payments:0",
      b: "orders:2,3 payments:1",
    });
  });
});

describe("members that subscribed to different topics", () => {
  test("get what few others may read, and leave the rest to others", () => {
    const topics = topicsOf({ orders: 4, payments: 2 });
    expect(sticky(topics, [member("a", ["orders", "payments"]), member("b", ["orders"])])).toEqual({
      a: "orders:2 payments:0,1",
      b: "orders:0,1,3",
    });
  });

  test("lose what they did not subscribe to any more", () => {
    const topics = topicsOf({ orders: 2, payments: 2 });
    const members = [
      had(member("a", ["orders"]), "orders:0 payments:0"),
      had(member("b", ["orders", "payments"]), "orders:1 payments:1"),
    ];
    expect(sticky(topics, members)).toEqual({ a: "orders:0,1", b: "payments:0,1" });
  });

  test("move what was nobody's rather than what somebody had", () => {
    const topics = topicsOf({ orders: 3, payments: 4 });
    const members = [
      had(member("a", ["orders"]), "orders:0,1,2"),
      member("b", ["orders", "payments"]),
      member("c", ["payments"]),
    ];
    expect(sticky(topics, members)).toEqual({ a: "orders:0,1,2", b: "payments:0,2", c: "payments:1,3" });
  });

  test("give what they have to spare back to whose it was before", () => {
    const members = [
      had(member("a", ["orders"]), "orders:0,1,2,3"),
      member("b", ["orders"]),
      member("c", ["payments"]),
      had(member("z", ["orders"]), "orders:0", 4),
    ];
    expect(sticky(topicsOf({ orders: 4, payments: 1 }), members)).toEqual({
      a: "orders:2,3",
      b: "orders:1",
      c: "payments:0",
      z: "orders:0",
    });
  });

  test("hand partitions on along a chain where no single move would help", () => {
    const members = [
      had(member("a", ["orders"]), "orders:0,1,2"),
      had(member("b", ["orders", "payments"]), "payments:0,1"),
      had(member("c", ["payments"]), "payments:2"),
    ];
    expect(sticky(topicsOf({ orders: 3, payments: 3 }), members)).toEqual({
      a: "orders:1,2",
      b: "orders:0 payments:1",
      c: "payments:0,2",
    });
  });
});

describe("of claims to a partition", () => {
  const topics = topicsOf({ orders: 4 });
  const to = (memberId: string): MemberSubscription => member(memberId, ["orders"]);

  test.each([
    ["an older generation", 4],
    ["no generation", -1],
  ])("one of %s loses", (_, generationId) => {
    expect(sticky(topics, [had(to("a"), "orders:0,1", generationId), had(to("b"), "orders:0,1")])).toEqual({
      a: "orders:2,3",
      b: "orders:0,1",
    });
  });

  test("one of an older generation wins where it is the only one", () => {
    expect(sticky(topics, [had(to("a"), "orders:2,3", 3), had(to("b"), "orders:0,1")])).toEqual({
      a: "orders:2,3",
      b: "orders:0,1",
    });
  });

  test("two of the same generation make it nobody's", () => {
    expect(sticky(topics, [had(to("a"), "orders:0,1"), had(to("b"), "orders:0,2"), to("c")])).toEqual({
      a: "orders:1,3",
      b: "orders:2",
      c: "orders:0",
    });
  });

  test("none counts that names a partition which does not exist", () => {
    expect(sticky(topics, [had(to("a"), "orders:0,9 gone:1"), had(to("b"), "orders:1")])).toEqual({
      a: "orders:0,2",
      b: "orders:1,3",
    });
  });
});

describe("racks", () => {
  const inRack = (memberId: string, rackId: string, topics = ["orders"]): MemberSubscription =>
    member(memberId, topics, { rackId });

  test("decide who gets which partitions, not how many", () => {
    expect(sticky(topicsOf({ orders: "b,a,b,b" }), [inRack("1", "a"), inRack("2", "b")])).toEqual({
      1: "orders:1,3",
      2: "orders:0,2",
    });
  });

  test("have partitions move to where they are near", () => {
    const members = [had(inRack("1", "a"), "orders:0,1"), had(inRack("2", "b"), "orders:2,3")];
    expect(sticky(topicsOf({ orders: "b,b,a,a" }), members)).toEqual({ 1: "orders:2,3", 2: "orders:0,1" });
  });

  test("leave a partition that is near nobody where it was", () => {
    const members = [had(inRack("1", "a"), "orders:1,3"), had(inRack("2", "b"), "orders:0,2")];
    expect(sticky(topicsOf({ orders: "c,c,b,a" }), members)).toEqual({ 1: "orders:1,3", 2: "orders:0,2" });
  });

  test("count also where members subscribed to different topics", () => {
    const topics = topicsOf({ orders: "b,a,b,a", payments: "a" });
    const members = [
      had(inRack("1", "a", ["orders"]), "orders:0,2"),
      had(inRack("2", "b", ["orders", "payments"]), "orders:1,3"),
    ];
    expect(sticky(topics, members)).toEqual({ 1: "orders:1,3", 2: "orders:0,2 payments:0" });
  });
});

describe("the user data", () => {
  const one = member("a", ["orders"]);
  const two = had(member("b", ["orders"]), "orders:1");

  test("is nothing before the first assignment", () => {
    expect(stickyAssignor.userData?.(null)).toBeNull();
  });

  test("has the partitions by topic, and the generation", () => {
    const last = { partitions: partitionsOf("orders:2,0 p:1"), generationId: 9, userData: null };
    expect(Buffer.from(stickyAssignor.userData?.(last) ?? []).toString("hex")).toBe(
      "00000002" +
        "0006" +
        "6f7264657273" +
        "00000002" +
        "00000002" +
        "00000000" +
        "0001" +
        "70" +
        "00000001" +
        "00000001" +
        "00000009",
    );
  });

  test("counts, and not what the subscription says: an eager member has given up all partitions", () => {
    const userData =
      stickyAssignor.userData?.({ partitions: partitionsOf("orders:0"), generationId: 4, userData: null }) ?? null;
    const members = [{ ...one, userData, ownedPartitions: partitionsOf("orders:1"), generationId: 6 }, two];
    expect(sticky(topicsOf({ orders: 2 }), members)).toEqual({ a: "orders:0", b: "orders:1" });
  });

  test("of version 0 has no generation, and is read too", () => {
    const userData = had(one, "orders:0").userData?.subarray(0, -4) ?? null;
    expect(sticky(topicsOf({ orders: 2 }), [{ ...one, userData }, member("0", ["orders"])])).toEqual({
      a: "orders:0",
      0: "orders:1",
    });
    expect(
      sticky(topicsOf({ orders: 2 }), [
        { ...had(one, "orders:1"), userData: had(one, "orders:1").userData?.subarray(0, -4) ?? null },
        two,
      ]),
    ).toEqual({
      a: "orders:0",
      b: "orders:1",
    });
  });

  test.each([
    ["empty", ""],
    ["cut short", "0000000100066f7264"],
    ["more topics than bytes", "7fffffff"],
    ["a negative count", "ffffffff00000005"],
    ["a negative length", "00000001ffff00000000"],
  ])("that cannot be read claims nothing: %s", (_, hex) => {
    const broken = { ...member("0", ["orders"]), userData: Buffer.from(hex, "hex") };
    expect(sticky(topicsOf({ orders: 2 }), [broken, had(one, "orders:0")])).toEqual({ 0: "orders:1", a: "orders:0" });
  });
});
