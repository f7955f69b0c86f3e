import { partitionText, type TopicPartition } from "@odradek/network";
import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  MemberAssignment,
  MemberSubscription,
} from "../../../src/group/partition-assignor.ts";
import { holding } from "./group-text.ts";

export const partitionsFor = (assignments: readonly MemberAssignment[], memberId: string): readonly TopicPartition[] =>
  assignments.find((each) => each.memberId === memberId)?.partitions ?? [];

/** Who reads each partition, by the text of the partition: more than one where the assignment is wrong. */
export function readersOf(assignments: readonly MemberAssignment[]): Map<string, string[]> {
  const readers = new Map<string, string[]>();
  for (const { memberId, partitions } of assignments) {
    for (const each of partitions.map(partitionText)) readers.set(each, [...(readers.get(each) ?? []), memberId]);
  }
  return readers;
}

/** The members as they join anew after an assignment: they keep what was theirs, and take what they were given. */
export const joinedAnew = (
  assignor: ConsumerPartitionAssignor,
  members: readonly MemberSubscription[],
  assignments: readonly MemberAssignment[],
  generationId: number,
): MemberSubscription[] =>
  members.map((each) => holding(assignor, each, partitionsFor(assignments, each.memberId), generationId));

/** What members had before and have no more, as `member: partition`. */
export function lost(before: readonly MemberAssignment[], after: readonly MemberAssignment[]): string[] {
  return before.flatMap(({ memberId, partitions }) => {
    const kept = new Set(partitionsFor(after, memberId).map(partitionText));
    return partitions.map(partitionText).filter((each) => !kept.has(each));
  });
}

/** Whether no partition could move to a member that may read it and has at least two fewer. */
export function isBalanced(members: readonly MemberSubscription[], assignments: readonly MemberAssignment[]): boolean {
  const loads = new Map(assignments.map(({ memberId, partitions }) => [memberId, partitions.length] as const));
  return assignments.every(({ partitions }) =>
    partitions.every(({ topic }) =>
      members
        .filter(({ topics }) => topics.includes(topic))
        .every(({ memberId }) => (loads.get(memberId) ?? 0) + 1 >= partitions.length),
    ),
  );
}

/** How many partitions are read by a member that has a rack and no replica in it. */
export function far(
  topics: AssignableTopics,
  members: readonly MemberSubscription[],
  assignments: readonly MemberAssignment[],
): number {
  return members.reduce((sum, { memberId, rackId }) => {
    if (rackId === null || rackId === "") return sum;
    const isNear = ({ topic, partition }: TopicPartition): boolean =>
      topics.get(topic)?.[partition]?.racks.includes(rackId) === true;
    return sum + partitionsFor(assignments, memberId).filter((each) => !isNear(each)).length;
  }, 0);
}
