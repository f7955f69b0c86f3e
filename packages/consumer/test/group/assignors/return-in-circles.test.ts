import { expect, test } from "vitest";
import { returnInCircles } from "../../../src/group/assignors/sticky/return-in-circles.ts";
import { StickyMember, StickyPartition } from "../../../src/group/assignors/sticky/sticky-group.ts";

/** Members and partitions that went from one to another: `ab` is one that a had and b has. */
function moves(...texts: readonly string[]): { kept: Map<StickyPartition, StickyMember>; current: () => string[] } {
  const members = new Map(
    "abcdef".split("").map((id, place) => [id, new StickyMember(place, id, null, new Set(["t"]))] as const),
  );
  const kept = new Map<StickyPartition, StickyMember>();
  texts.forEach(([from = "", to = ""], partition) => {
    const moved = new StickyPartition({ topic: "t", partition }, [], []);
    moved.giveTo(members.get(to) ?? null);
    const owner = members.get(from);
    if (owner !== undefined) kept.set(moved, owner);
  });
  return { kept, current: () => [...kept].map(([{ reader }, owner]) => owner.memberId + (reader?.memberId ?? "")) };
}

test.each([
  ["two swapped", ["ab", "ba"], ["aa", "bb"]],
  ["three handed on", ["ab", "bc", "ca"], ["aa", "bb", "cc"]],
  ["two circles share a member", ["ab", "ba", "bc", "cb"], ["aa", "bb", "bb", "cc"]],
  ["there is more beside the circle", ["da", "ab", "ba", "be", "cd"], ["da", "aa", "bb", "be", "cd"]],
  ["one of several went round", ["ab", "ab", "ba"], ["ab", "aa", "bb"]],
  ["a circle goes through a dead end's beginning", ["ba", "ca", "cb", "ad", "dc"], ["ba", "cc", "cb", "aa", "dd"]],
])("where %s, all in the circle keep what they had", (_, before, after) => {
  const { kept, current } = moves(...before);
  expect(returnInCircles(kept)).toBe(true);
  expect(current()).toEqual(after);
  expect(returnInCircles(kept)).toBe(false);
});

test("where nothing went round, nothing is returned", () => {
  const { kept, current } = moves("ab", "bc", "ac", "dd");
  expect(returnInCircles(kept)).toBe(false);
  expect(current()).toEqual(["ab", "bc", "ac", "dd"]);
});
