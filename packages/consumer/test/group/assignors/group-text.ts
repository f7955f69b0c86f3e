import type { TopicPartition } from "@odradek/network";
import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  MemberAssignment,
  MemberSubscription,
} from "../../../src/group/partition-assignor.ts";

/** Partitions as the tests write them: `orders:0,1 payments:2`. */
export function partitionsOf(text: string): TopicPartition[] {
  return text
    .split(" ")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [topic = "", numbers = ""] = part.split(":");
      return numbers.split(",").map((number) => ({ topic, partition: Number(number) }));
    });
}

/** The same the other way round, by topic and number. */
function textOf(partitions: readonly TopicPartition[]): string {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return [...byTopic]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, numbers]) => `${topic}:${numbers.sort((a, b) => a - b).join(",")}`)
    .join(" ");
}

/** Topics with a number of partitions, or with the racks of each partition, one letter a rack: `"a,ab,,b"`. */
export function topicsOf(topics: Readonly<Record<string, number | string>>): AssignableTopics {
  return new Map(
    Object.entries(topics).map(([topic, of]) => {
      const racks = typeof of === "number" ? new Array<string>(of).fill("") : of.split(",");
      return [topic, racks.map((letters, partition) => ({ topic, partition, racks: letters.split("") }))] as const;
    }),
  );
}

/** A member that has only just come. */
export function member(
  memberId: string,
  topics: readonly string[],
  more: Partial<Omit<MemberSubscription, "memberId" | "topics">> = {},
): MemberSubscription {
  return {
    memberId,
    topics,
    groupInstanceId: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
    userData: null,
    ...more,
  };
}

/** What a member says as it joins anew, having been given `partitions` in a generation. */
export function holding(
  assignor: ConsumerPartitionAssignor,
  subscription: MemberSubscription,
  partitions: readonly TopicPartition[],
  generationId: number,
): MemberSubscription {
  const userData = assignor.userData?.({ partitions, generationId, userData: null }) ?? null;
  return { ...subscription, ownedPartitions: partitions, generationId, userData };
}

/** Who gets what, by member id. */
export function assigned(
  assignor: ConsumerPartitionAssignor,
  topics: AssignableTopics,
  members: readonly MemberSubscription[],
): Record<string, string> {
  return textsOf(assignor.assign(topics, members));
}

export const textsOf = (assignments: readonly MemberAssignment[]): Record<string, string> =>
  Object.fromEntries(assignments.map(({ memberId, partitions }) => [memberId, textOf(partitions)]));
