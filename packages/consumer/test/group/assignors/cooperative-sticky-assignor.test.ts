import { describe, expect, test } from "vitest";
import { cooperativeStickyAssignor } from "../../../src/group/assignors/cooperative-sticky-assignor.ts";
import type { AssignableTopics, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { assigned, member, partitionsOf, topicsOf } from "./group-text.ts";

const cooperative = (topics: AssignableTopics, members: readonly MemberSubscription[]): Record<string, string> =>
  assigned(cooperativeStickyAssignor, topics, members);

const has = (memberId: string, partitions: string, generationId = 5, topics = ["orders"]): MemberSubscription =>
  member(memberId, topics, { ownedPartitions: partitionsOf(partitions), generationId });

const userDataOf = (generationId: number): Uint8Array | null =>
  cooperativeStickyAssignor.userData?.({ partitions: [], generationId, userData: null }) ?? null;

test("is cooperative, and eager where others need that, under Kafka's name", () => {
  expect(cooperativeStickyAssignor).toMatchObject({ name: "cooperative-sticky", protocols: ["cooperative", "eager"] });
  expect(Object.isFrozen(cooperativeStickyAssignor)).toBe(true);
});

test("what is nobody's is given at once", () => {
  expect(cooperative(topicsOf({ orders: 4 }), [has("a", "orders:0,1"), member("b", ["orders"])])).toEqual({
    a: "orders:0,1",
    b: "orders:2,3",
  });
});

describe("a partition that another member has", () => {
  test("is withheld, and given in the next round", () => {
    const topics = topicsOf({ orders: 4 });
    expect(cooperative(topics, [has("a", "orders:0,1,2,3"), member("b", ["orders"])])).toEqual({
      a: "orders:0,1",
      b: "",
    });
    expect(cooperative(topics, [has("a", "orders:0,1", 6), has("b", "", 6)])).toEqual({
      a: "orders:0,1",
      b: "orders:2,3",
    });
  });

  test("is withheld where members subscribed to different topics", () => {
    const topics = topicsOf({ orders: 4, payments: 1 });
    const members = [has("a", "orders:0,1,2,3"), member("b", ["orders", "payments"])];
    expect(cooperative(topics, members)).toEqual({ a: "orders:1,2,3", b: "payments:0" });
  });

  test("is given at once where that one has left", () => {
    expect(cooperative(topicsOf({ orders: 2 }), [member("b", ["orders"])])).toEqual({ b: "orders:0,1" });
  });
});

describe("a partition that two members claim", () => {
  const topics = topicsOf({ orders: 3 });

  test("in the same generation is withheld from all", () => {
    expect(cooperative(topics, [has("a", "orders:0,1"), has("b", "orders:0,2"), has("c", "")])).toEqual({
      a: "orders:1",
      b: "orders:2",
      c: "",
    });
    expect(cooperative(topics, [has("a", "orders:0,1"), has("b", "orders:0")])).toEqual({ a: "orders:1,2", b: "" });
  });

  test("stays with the one of the newer generation", () => {
    expect(cooperative(topics, [has("a", "orders:0", 4), has("b", "orders:0"), has("c", "")])).toEqual({
      a: "orders:1",
      b: "orders:0",
      c: "orders:2",
    });
  });

  test("is withheld from the one of the older generation while the newer has it", () => {
    expect(cooperative(topicsOf({ orders: 2 }), [has("a", "orders:1", 4), has("b", "orders:0,1")])).toEqual({
      a: "",
      b: "orders:0",
    });
  });
});

describe("the generation", () => {
  const topics = topicsOf({ orders: 2 });

  test("goes into the user data, -1 before the first", () => {
    expect(Buffer.from(cooperativeStickyAssignor.userData?.(null) ?? []).toString("hex")).toBe("ffffffff");
    expect(Buffer.from(userDataOf(258) ?? []).toString("hex")).toBe("00000102");
  });

  test("is taken from there where the subscription has none", () => {
    const old = { ...has("a", "orders:0", -1), userData: userDataOf(7) };
    expect(cooperative(topics, [old, has("b", "orders:0", 6)])).toEqual({ a: "orders:0", b: "orders:1" });
  });

  test("of the subscription comes before that of the user data", () => {
    const newer = { ...has("a", "orders:0", 5), userData: userDataOf(7) };
    expect(cooperative(topics, [newer, has("b", "orders:0", 6)])).toEqual({ a: "orders:1", b: "orders:0" });
  });

  test("is none where the user data is too short for one", () => {
    const broken = { ...has("a", "orders:0", -1), userData: Buffer.from([1, 2, 3]) };
    expect(cooperative(topics, [broken, has("b", "orders:0", 0)])).toEqual({ a: "orders:1", b: "orders:0" });
  });
});

test("partitions stay with members whose ids sort later than those of new ones", () => {
  const topics = topicsOf({ orders: 4 });
  expect(cooperative(topics, [has("z", "orders:0,1"), has("y", "orders:2,3")])).toEqual({
    y: "orders:2,3",
    z: "orders:0,1",
  });
  expect(cooperative(topics, [has("z", "orders:0,1"), has("y", "orders:2,3"), member("a", ["orders"])])).toEqual({
    a: "",
    y: "orders:2,3",
    z: "orders:0",
  });
});
