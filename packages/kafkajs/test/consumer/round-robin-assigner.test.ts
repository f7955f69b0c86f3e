import { describe, expect, test } from "vitest";
import { call, libraries } from "../libraries.ts";

const cluster = {
  findTopicPartitionMetadata: (topic: string) =>
    Array.from({ length: topic === "a" ? 3 : 2 }, (_, partitionId) => ({ partitionId })),
};

describe.each(libraries)("the round robin of %s", (name, library) => {
  const isOurs = name === "@odradek/kafkajs";
  const assigner = call(library["PartitionAssigners"], "roundRobin", { cluster, groupId: "g", logger: {} });
  const protocol: { readonly MemberMetadata?: object; readonly MemberAssignment?: object } = Object(
    library["AssignerProtocol"],
  );
  const assigned = async (topics: readonly string[], members: Readonly<Record<string, readonly string[]>>) => {
    const given: unknown = await call(assigner, "assign", {
      topics,
      members: Object.entries(members).map(([memberId, subscribed]) => ({
        memberId,
        memberMetadata: subscribed.length === 0 ? Buffer.alloc(0) : metadataOf(subscribed),
      })),
    });
    const list: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[] = Object(given);
    return Object.fromEntries(
      list.map(({ memberId, memberAssignment }) => {
        const { assignment }: { readonly assignment?: Readonly<Record<string, readonly number[]>> } = Object(
          call(protocol.MemberAssignment, "decode", memberAssignment),
        );
        return [memberId, assignment];
      }),
    );
  };
  const metadataOf = (topics: readonly string[]) =>
    call(protocol.MemberMetadata, "encode", { version: 0, topics, userData: Buffer.alloc(0) });

  test("says what it is, and what its member reads", () => {
    expect(assigner).toMatchObject({ name: "RoundRobinAssigner", version: 0 });
    expect(call(assigner, "protocol", { topics: ["a", "b"] })).toEqual({
      name: "RoundRobinAssigner",
      metadata: metadataOf(["a", "b"]),
    });
  });

  test("deals out all partitions in order, to members by their ids, and is silent on who gets none", async () => {
    const both = ["a", "b"];
    expect(await assigned(both, { "2": both, "1": both })).toEqual({
      "1": { a: [0, 2], b: [1] },
      "2": { a: [1], b: [0] },
    });
    expect(await assigned(["b"], { "3": ["b"], "1": ["b"], "2": ["b"] })).toEqual({ "1": { b: [0] }, "2": { b: [1] } });
  });

  test("takes members that do not say what they read for such that read what it does", async () => {
    expect(await assigned(["b"], { "2": [], "1": [] })).toEqual({ "1": { b: [0] }, "2": { b: [1] } });
  });

  test.runIf(isOurs)("gives nobody what they did not subscribe to", async () => {
    expect(await assigned(["a"], { "1": ["a"], "2": ["b"] })).toEqual({ "1": { a: [0, 1, 2] }, "2": { b: [0, 1] } });
  });
});
