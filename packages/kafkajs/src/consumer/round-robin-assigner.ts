import { AssignerProtocol } from "../assigner-protocol.ts";
import { type PartitionAssigner, topicsOfMember } from "./partition-assigner.ts";

/**
 * Deals out all partitions of all topics, in order, to the members in the order of their ids; each gets only what it subscribed to, where
 * kafkajs gives all members what the leader subscribed to.
 */
const roundRobin: PartitionAssigner = ({ cluster }) => ({
  name: "RoundRobinAssigner",
  version: 0,
  async assign({ members, topics }) {
    const seats = members
      .map(({ memberId, memberMetadata }) => ({ memberId, topics: topicsOfMember(memberMetadata) ?? topics }))
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
    const dealt = new Map<string, Map<string, number[]>>();
    let turn = 0;
    for (const topic of new Set([...topics, ...seats.flatMap((seat) => seat.topics)])) {
      for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
        for (let passed = 0; passed < seats.length; passed++) {
          const seat = seats[turn++ % seats.length];
          if (seat === undefined || !seat.topics.includes(topic)) continue;
          const hand = dealt.get(seat.memberId) ?? new Map<string, number[]>();
          dealt.set(seat.memberId, hand);
          const partitions = hand.get(topic);
          if (partitions === undefined) hand.set(topic, [partitionId]);
          else partitions.push(partitionId);
          break;
        }
      }
    }
    const { version } = this;
    return [...dealt].map(([memberId, hand]) => {
      const assignment = Object.fromEntries(hand);
      return { memberId, memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment }) };
    });
  },
  protocol({ topics }) {
    const { name, version } = this;
    return { name, metadata: AssignerProtocol.MemberMetadata.encode({ version, topics }) };
  },
});

/** What decides which member of a group reads what. Members of kafkajs may be in the same group. */
export const PartitionAssigners: { roundRobin: PartitionAssigner } = { roundRobin };
