import { describe, expect, test } from "vitest";
import { rangeAssignor } from "../../../src/group/assignors/range-assignor.ts";
import { roundRobinAssignor } from "../../../src/group/assignors/round-robin-assignor.ts";
import { stickyAssignor } from "../../../src/group/assignors/sticky-assignor.ts";
import { type GoldenGroup, goldenGroups } from "./golden-groups.ts";
import { assigned, partitionsOf } from "./group-text.ts";

const isFresh = ({ members }: GoldenGroup): boolean => members.every(({ userData }) => userData === null);

/** Kafka's own class takes a topic that does not exist for a difference; for us it is none. */
const isUniform = ({ members }: GoldenGroup): boolean => new Set(members.map(({ topics }) => topics.join())).size === 1;

/** The differences of the loads of all pairs of members. */
function unevenness(assignment: Readonly<Record<string, string>>): number {
  const loads = Object.values(assignment).map((text) => partitionsOf(text).length);
  return loads.reduce((sum, load) => loads.reduce((some, other) => some + Math.abs(load - other), sum), 0);
}

describe("Kafka's own classes assign the same", () => {
  test.each([
    { name: "range", assignor: rangeAssignor } as const,
    { name: "roundrobin", assignor: roundRobinAssignor } as const,
  ])("$name, in every group", ({ name, assignor }) => {
    for (const { topics, members, kafkas } of goldenGroups) {
      expect(assigned(assignor, topics, members)).toEqual(kafkas(name));
    }
    expect(goldenGroups.length).toBe(300);
  });

  test("sticky, in new groups whose members subscribed to the same topics", () => {
    const groups = goldenGroups.filter((group) => isFresh(group) && isUniform(group));
    for (const { topics, members, kafkas } of groups) {
      expect(assigned(stickyAssignor, topics, members)).toEqual(kafkas("sticky"));
    }
    expect(groups.length).toBeGreaterThan(20);
  });
});

test("sticky is balanced at least as well as Kafka's own class in every group", () => {
  for (const { topics, members, kafkas } of goldenGroups) {
    expect(unevenness(assigned(stickyAssignor, topics, members))).toBeLessThanOrEqual(unevenness(kafkas("sticky")));
  }
});

test("sticky writes the user data that Kafka's own class writes", () => {
  // With more topics, Kafka's are in the order of their hashes.
  const holders = goldenGroups
    .flatMap(({ members }) => members)
    .filter(
      ({ userData, ownedPartitions }) =>
        userData !== null && new Set(ownedPartitions.map(({ topic }) => topic)).size < 2,
    );
  for (const { ownedPartitions: partitions, generationId, userData } of holders) {
    expect(stickyAssignor.userData?.({ partitions, generationId, userData: null })).toEqual(userData);
  }
  expect(holders.length).toBeGreaterThan(200);
});
