import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { legacyMurmur2 } from "../src/partitioners/legacy-murmur2.ts";
import { call, libraries } from "./libraries.ts";

const require = createRequire(import.meta.url);
const originalLegacyMurmur2: (
  key: Uint8Array,
) => number = require("kafkajs/src/producer/partitioners/legacy/murmur2.js");

const partitionMetadata = (leaders: readonly number[]) =>
  leaders.map((leader, partitionId) => ({ partitionErrorCode: 0, partitionId, leader, replicas: [0], isr: [0] }));

describe.each(libraries)("partitioners of %s", (_, library) => {
  const partitionerOf = (name: string) => {
    const partitioner = call(library["Partitioners"], name);
    if (typeof partitioner !== "function") throw new Error("no partitioner");
    return (message: object, leaders: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]): unknown =>
      Reflect.apply(partitioner, undefined, [{ topic: "t", partitionMetadata: partitionMetadata(leaders), message }]);
  };

  test.each([
    ["DefaultPartitioner", { a: 4, hello: 9, kafkajs: 4 }],
    ["LegacyPartitioner", { a: 5, hello: 4, kafkajs: 0 }],
  ])("%s puts keys where they have always been", (name, places) => {
    const partition = partitionerOf(name);
    expect(Object.fromEntries(Object.keys(places).map((key) => [key, partition({ key })]))).toEqual(places);
    expect(partition({ key: Buffer.from("hello") })).toBe(partition({ key: "hello" }));
  });

  test.each(["DefaultPartitioner", "LegacyPartitioner"])("%s", (name) => {
    const partition = partitionerOf(name);
    // The message's own choice goes before its key, and no matter what there is.
    expect(partition({ key: "a", partition: 12 })).toBe(12);
    expect(partition({ partition: 0 })).toBe(0);
    // An empty key is a key.
    expect(new Set([1, 2, 3].map(() => partition({ key: "" }))).size).toBe(1);
    // Without one they take turns, among those that have a leader.
    const leaders = [0, -1, 0, 0];
    const turns = Array.from({ length: 6 }, () => partition({ key: null }, leaders));
    expect([...turns.slice(0, 3)].sort()).toEqual([0, 2, 3]);
    expect(turns.slice(3)).toEqual(turns.slice(0, 3));
    expect([...[1, 2].map(() => partition({}, [-1, -1]))].sort()).toEqual([0, 1]);
  });

  test("JavaCompatiblePartitioner is the default one", () => {
    const partitioners: unknown = library["Partitioners"];
    expect(Reflect.get(Object(partitioners), "JavaCompatiblePartitioner")).toBe(
      Reflect.get(Object(partitioners), "DefaultPartitioner"),
    );
  });
});

test("the hash of kafkajs 1.x is the same for every key", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(legacyMurmur2(bytes)).toBe(originalLegacyMurmur2(Buffer.from(bytes)));
    }),
    { numRuns: 2_000 },
  );
});
