import type { TopicPartition } from "@odradek/network";
import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  MemberAssignment,
  MemberSubscription,
} from "../partition-assignor.ts";
import { byInstanceThenMemberId, compareText } from "./member-order.ts";

/**
 * Deals the partitions of all topics like cards: in the order of topics and numbers, one to each member in turn, passing over
 * members that did not subscribe to the topic. Members that subscribe to the same topics get equal numbers of partitions, give
 * or take one, counted across all topics.
 *
 * For groups whose members all read the same topics and do not mind which partitions. Whoever joins or leaves has nearly all
 * partitions change hands; where that hurts, take `cooperativeStickyAssignor`.
 * Source: Kafka's `RoundRobinAssignor`.
 */
export const roundRobinAssignor: ConsumerPartitionAssignor = Object.freeze({ name: "roundrobin", assign });

interface Seat {
  readonly place: number;
  readonly memberId: string;
  readonly partitions: TopicPartition[];
}

function assign(topics: AssignableTopics, members: readonly MemberSubscription[]): readonly MemberAssignment[] {
  const seats: Seat[] = [];
  const seatsOf = new Map<string, Seat[]>([...topics.keys()].map((topic) => [topic, []]));
  for (const member of [...members].sort(byInstanceThenMemberId)) {
    const seat: Seat = { place: seats.length, memberId: member.memberId, partitions: [] };
    seats.push(seat);
    for (const topic of new Set(member.topics)) seatsOf.get(topic)?.push(seat);
  }

  let turn = 0;
  for (const [topic, partitions] of [...topics].sort(([a], [b]) => compareText(a, b))) {
    const round = seatsOf.get(topic) ?? [];
    const waiting = round.findIndex(({ place }) => place >= turn);
    let next = Math.max(waiting, 0);
    for (const { partition } of partitions) {
      const seat = round[next % round.length];
      if (seat === undefined) break;
      seat.partitions.push({ topic, partition });
      turn = (seat.place + 1) % seats.length;
      next++;
    }
  }
  return seats.map(({ memberId, partitions }) => ({ memberId, partitions }));
}
