import { partitionText, type TopicPartition } from "@odradek/network";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cooperativeStickyAssignor } from "../../../src/group/assignors/cooperative-sticky-assignor.ts";
import { rangeAssignor } from "../../../src/group/assignors/range-assignor.ts";
import { roundRobinAssignor } from "../../../src/group/assignors/round-robin-assignor.ts";
import { stickyAssignor } from "../../../src/group/assignors/sticky-assignor.ts";
import type { ConsumerPartitionAssignor, MemberAssignment } from "../../../src/group/partition-assignor.ts";
import { type Group, groupArbitrary, groupKinds } from "./group-arbitrary.ts";
import { far, isBalanced, joinedAnew, lost, partitionsFor, readersOf } from "./group-measures.ts";
import { textsOf } from "./group-text.ts";

const runs = { numRuns: 2000 };

function expectValid({ topics, members }: Group, assignments: readonly MemberAssignment[]): void {
  expect(assignments.map(({ memberId }) => memberId).sort()).toEqual(members.map(({ memberId }) => memberId).sort());
  const readers = readersOf(assignments);
  const readable = [...topics.values()]
    .flat()
    .filter(({ topic }) => members.some((each) => each.topics.includes(topic)));
  expect([...readers.keys()].sort()).toEqual(readable.map(partitionText).sort());
  const subscribed = new Map(members.map(({ memberId, topics: names }) => [memberId, names] as const));
  const isRight = ({ topic, partition }: TopicPartition): boolean => {
    const [reader = "", ...others] = readers.get(partitionText({ topic, partition })) ?? [];
    return others.length === 0 && subscribed.get(reader)?.includes(topic) === true;
  };
  expect(readable.filter((each) => !isRight(each))).toEqual([]);
}

/** Assigns, and assigns anew from what came of it. */
function settled(
  assignor: ConsumerPartitionAssignor,
  { topics, members }: Group,
  generationId: number,
): readonly MemberAssignment[] {
  let assignments = assignor.assign(topics, members);
  for (let round = 0; ; round++) {
    const next = assignor.assign(topics, joinedAnew(assignor, members, assignments, generationId));
    if (JSON.stringify(textsOf(next)) === JSON.stringify(textsOf(assignments))) return assignments;
    expect(round).toBeLessThan(10);
    assignments = next;
  }
}

describe.each(groupKinds)("in groups of $name", (kind) => {
  const groups = groupArbitrary(kind);

  test.each([rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor])(
    "$name gives each partition to one member that subscribed to its topic",
    (assignor) => {
      fc.assert(
        fc.property(groups, (group) => expectValid(group, assignor.assign(group.topics, group.members))),
        runs,
      );
    },
  );

  test("no partition of sticky could move to a member with two fewer", () => {
    fc.assert(
      fc.property(groups, ({ topics, members }) => {
        expect(isBalanced(members, stickyAssignor.assign(topics, members))).toBe(true);
      }),
      runs,
    );
  });

  test("where nothing changes sticky moves nothing, save to bring partitions nearer", () => {
    fc.assert(
      fc.property(groups, ({ topics, members }) => {
        const first = stickyAssignor.assign(topics, members);
        const second = stickyAssignor.assign(topics, joinedAnew(stickyAssignor, members, first, 1));
        if (lost(first, second).length === 0) return;
        expect(kind).toMatchObject({ isUniform: false, hasRacks: true });
        const isMoreEven =
          Math.max(...second.map((each) => each.partitions.length)) <
          Math.max(...first.map((each) => each.partitions.length));
        expect(isMoreEven || far(topics, members, second) < far(topics, members, first)).toBe(true);
      }),
      runs,
    );
  });

  test("when a member leaves the others keep what they have, as far as the balance allows", () => {
    fc.assert(
      fc.property(groups, ({ topics, members }) => {
        const before = settled(stickyAssignor, { topics, members }, 1);
        const [gone, ...left] = joinedAnew(stickyAssignor, members, before, 1);
        const after = stickyAssignor.assign(topics, left);
        expectValid({ topics, members: left }, after);
        expect(isBalanced(left, after)).toBe(true);
        const others = before.filter(({ memberId }) => memberId !== gone?.memberId);
        if (!kind.hasRacks && kind.isUniform) expect(lost(others, after)).toEqual([]);
      }),
      runs,
    );
  });

  test("when a member joins the others give up only what it gets", () => {
    fc.assert(
      fc.property(groups, ({ topics, members: [come, ...members] }) => {
        if (come === undefined) return;
        const before = settled(stickyAssignor, { topics, members }, 1);
        const all = [...joinedAnew(stickyAssignor, members, before, 1), come];
        const after = stickyAssignor.assign(topics, all);
        expectValid({ topics, members: all }, after);
        expect(isBalanced(all, after)).toBe(true);
        if (kind.hasRacks || !kind.isUniform) return;
        expect(lost(before, after).sort()).toEqual(partitionsFor(after, come.memberId).map(partitionText).sort());
      }),
      runs,
    );
  });

  test("cooperative-sticky gives nothing that another member still has, and the next round gives the rest", () => {
    const claims = fc.array(fc.record({ by: fc.nat(), of: fc.nat(), generationId: fc.integer({ min: -1, max: 7 }) }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(groups, claims, ({ topics, members: [come, ...members] }, wrong) => {
        if (come === undefined) return;
        const before = cooperativeStickyAssignor.assign(topics, members);
        const joining = [...joinedAnew(cooperativeStickyAssignor, members, before, 7), come];
        for (const { by, of, generationId } of wrong) {
          const [claimant, other] = [by % joining.length, of % joining.length];
          const ownedPartitions = joining[other]?.ownedPartitions ?? [];
          if (claimant !== other)
            joining[claimant] = { ...(joining[claimant] ?? come), ownedPartitions, generationId, userData: null };
        }
        const first = cooperativeStickyAssignor.assign(topics, joining);
        const newest = new Map<string, number>();
        for (const { ownedPartitions, generationId } of joining) {
          for (const each of ownedPartitions.map(partitionText))
            newest.set(each, Math.max(newest.get(each) ?? -1, generationId));
        }
        const readers = readersOf(first);
        const takenAway = joining.flatMap(({ memberId, ownedPartitions, generationId }) =>
          ownedPartitions.map(partitionText).filter((each) => {
            // Whoever was given the partition later than this member has a right to keep it.
            if (generationId < (newest.get(each) ?? -1)) return false;
            return readers.get(each)?.some((reader) => reader !== memberId) === true;
          }),
        );
        expect(takenAway).toEqual([]);

        // Where racks count, what was nobody's beyond doubt may be nearer to a member than something that it has, and that changes
        // hands in its turn.
        const isClear = !kind.hasRacks || (kind.isUniform && wrong.length === 0);
        let [assignments, current] = [first, joining];
        let rounds = 1;
        const readable = [...topics.values()]
          .flat()
          .filter(({ topic }) => joining.some((each) => each.topics.includes(topic)));
        while (readersOf(assignments).size < readable.length) {
          rounds++;
          current = joinedAnew(cooperativeStickyAssignor, current, assignments, 7 + rounds);
          assignments = cooperativeStickyAssignor.assign(topics, current);
          expect(rounds).toBeLessThanOrEqual(isClear ? 2 : 4);
        }
        expectValid({ topics, members: current }, assignments);
      }),
      runs,
    );
  });
});
