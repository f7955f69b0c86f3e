import { expect, test } from "vitest";
import { roundRobinAssigner } from "../../src/consumer/round-robin-assigner.ts";

const member = (memberId: string, ...topics: string[]) => ({
  memberId,
  topics,
  groupInstanceId: null,
  ownedPartitions: [],
  generationId: -1,
  rackId: null,
  userData: null,
});

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition, racks: [] }));

const assigned = (topics: Readonly<Record<string, number>>, ...members: ReturnType<typeof member>[]) => {
  let leads = 0;
  const assignor = roundRobinAssigner(() => {
    leads++;
  });
  const all = new Map(Object.entries(topics).map(([topic, count]) => [topic, partitionsOf(topic, count)]));
  const assignments = assignor.assign(all, members);
  expect(leads).toBe(1);
  return Object.fromEntries(
    assignments.map(({ memberId, partitions }) => [
      memberId,
      partitions.map((place) => `${place.topic}${place.partition}`),
    ]),
  );
};

test("deals out all partitions in order, to members by their ids", () => {
  expect(assigned({ a: 3, b: 2 }, member("2", "a", "b"), member("1", "a", "b"))).toEqual({
    "1": ["a0", "a2", "b1"],
    "2": ["a1", "b0"],
  });
});

test("gives nobody what they did not subscribe to", () => {
  expect(assigned({ a: 2, b: 2 }, member("1", "a"), member("2", "b"), member("3"))).toEqual({
    "1": ["a0", "a1"],
    "2": ["b0", "b1"],
    "3": [],
  });
});
