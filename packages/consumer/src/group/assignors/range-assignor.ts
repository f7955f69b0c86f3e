import type { TopicPartition } from "@odradek/network";
import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  MemberAssignment,
  MemberSubscription,
} from "../partition-assignor.ts";
import { byInstanceThenMemberId, compareText } from "./member-order.ts";
import { rackOf } from "./racks.ts";
import { assignTogetherWithinRacks, coPartitioned } from "./range/co-partitioned-topics.ts";
import { type RangeMember, TopicRange } from "./range/topic-range.ts";

/**
 * Cuts the partitions of each topic into ranges of equal length, one for each member that subscribed to it; the first members get
 * one more where the numbers do not divide. Topics with equally many partitions are cut at the same places, so that a
 * member reads partitions of the same numbers from all of them.
 *
 * For members that join topics with each other by key. The first members get one more of every topic: with many topics of few
 * partitions they have most of the work. Where members have a `rackId`, they get partitions with a replica in
 * their rack as far as the lengths allow (KIP-881).
 * Source: Kafka's `RangeAssignor`.
 */
export const rangeAssignor: ConsumerPartitionAssignor = Object.freeze({ name: "range", assign });

function assign(topics: AssignableTopics, members: readonly MemberSubscription[]): readonly MemberAssignment[] {
  const subscribers = new Map<string, RangeMember[]>([...topics.keys()].map((topic) => [topic, []]));
  const assignment = new Map<RangeMember, TopicPartition[]>();
  for (const subscription of [...members].sort(byInstanceThenMemberId)) {
    const member: RangeMember = { memberId: subscription.memberId, rack: rackOf(subscription) };
    assignment.set(member, []);
    for (const topic of new Set(subscription.topics)) subscribers.get(topic)?.push(member);
  }

  const ranges = new Map<string, TopicRange>();
  for (const [topic, partitions] of [...topics].sort(([a], [b]) => compareText(a, b))) {
    const readers = subscribers.get(topic) ?? [];
    if (readers.length > 0) ranges.set(topic, new TopicRange(partitions, readers));
  }
  matchRacks([...ranges.values()]);
  for (const [topic, range] of ranges) {
    range.assignRest();
    for (const [member, partition] of range.assigned()) assignment.get(member)?.push({ topic, partition });
  }
  return [...assignment].map(([{ memberId }, partitions]) => ({ memberId, partitions }));
}

function matchRacks(ranges: readonly TopicRange[]): void {
  if (!ranges.some(({ isRackAware }) => isRackAware)) return;
  for (const group of coPartitioned(ranges)) {
    if (group.length > 1) assignTogetherWithinRacks(group);
    else for (const range of group) if (range.isRackAware) range.assignWithinRacks();
  }
}
