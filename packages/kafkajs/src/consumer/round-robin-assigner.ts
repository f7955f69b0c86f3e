import type { ConsumerPartitionAssignor, TopicPartition } from "odradek";

/** The name by which members of kafkajs know it: they may be in the same group. */
export const roundRobinName = "RoundRobinAssigner";

/**
 * Deals out all partitions of all topics, in order, to the members in the order of their ids; each gets only what it subscribed to.
 *
 * @param onLead called where this member decides for its group
 */
export const roundRobinAssigner = (onLead: () => void): ConsumerPartitionAssignor => ({
  name: roundRobinName,
  assign(topics, members) {
    onLead();
    const dealt = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
    const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
    let turn = 0;
    for (const [topic, partitions] of topics) {
      for (const { partition } of partitions) {
        for (let passed = 0; passed < sorted.length; passed++) {
          const member = sorted[turn++ % sorted.length];
          if (member === undefined || !member.topics.includes(topic)) continue;
          dealt.get(member.memberId)?.push({ topic, partition });
          break;
        }
      }
    }
    return [...dealt].map(([memberId, partitions]) => ({ memberId, partitions }));
  },
});
