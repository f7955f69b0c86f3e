import { byTopicAndNumber, OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { type AdminContext, Call } from "./asking/call.ts";
import { type ConsumerGroupDescription, describeConsumerGroups } from "./group-descriptions.ts";
import { type GroupOffset, listConsumerGroupOffsets } from "./group-offsets.ts";
import { checkedGroupId } from "./groups.ts";
import { type ListedOffset, type ListOffsetsOptions, listOffsets } from "./offsets.ts";
import { type Result, Results } from "./results.ts";

/** How far a group is behind in one partition. */
export interface PartitionLag extends TopicPartition {
  /** The offset that the group reads next; `null` where it has committed none. */
  readonly committed: bigint | null;
  /** The offset of the record that will be written next. */
  readonly end: bigint;
  /** Records between the two; `null` where the group has committed none. Never negative. */
  readonly lag: bigint | null;
  /** Who reads the partition right now; `null` where nobody does. */
  readonly member: LagMember | null;
}

export interface LagMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
}

/** See `KafkaAdmin.lag`. */
export async function lag(
  context: AdminContext,
  given: string,
  options: ListOffsetsOptions,
): Promise<Results<PartitionLag, TopicPartition>> {
  const groupId = checkedGroupId(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const isolationLevel = reader.oneOf("isolationLevel", "read_uncommitted", ["read_uncommitted", "read_committed"]);
  reader.finish();
  const rest = () => ({
    timeoutMs: Math.ceil(call.deadline.remainingMs),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });

  const [groups, fetched] = await Promise.all([
    describeConsumerGroups(context, [groupId], rest()),
    listConsumerGroupOffsets(context, [groupId], rest()),
  ]);
  const [group] = groups.orThrow();
  const [offsets = []] = fetched.orThrow();
  const members = membersByPartition(group?.members ?? []);
  const committed = new Map(offsets.map((offset) => [partitionText(offset), offset]));
  const partitions = new Map<string, TopicPartition>([
    ...[...members].map(([text, { at }]): [string, TopicPartition] => [text, at]),
    ...offsets.map(({ topic, partition }): [string, TopicPartition] => [
      partitionText({ topic, partition }),
      { topic, partition },
    ]),
  ]);
  // Behind the committed offsets: the other way round, a group that reads meanwhile could seem to be ahead of the ends.
  const ends = await listOffsets(
    context,
    [...partitions.values()].sort(byTopicAndNumber).map((at) => ({ ...at, spec: "latest" })),
    { ...rest(), isolationLevel },
  );
  return new Results(
    [...ends].map((end) => {
      const key = { topic: end.key.topic, partition: end.key.partition };
      const text = partitionText(key);
      return lagOf(key, committed.get(text), end, members.get(text)?.member ?? null);
    }),
    partitionText,
  );
}

function lagOf(
  key: TopicPartition,
  committed: GroupOffset | undefined,
  end: Result<ListedOffset, TopicPartition>,
  member: LagMember | null,
): Result<PartitionLag, TopicPartition> {
  if (end.error !== null) return { key, value: null, error: end.error };
  const notTold = committed?.error ?? null;
  if (notTold !== null) return { key, value: null, error: notTold };
  const offset = committed?.offset ?? null;
  const endOffset = end.value.offset ?? 0n;
  // A topic that was created anew under the same name may be shorter than what the group has read of the old one.
  const behind = offset === null ? null : endOffset > offset ? endOffset - offset : 0n;
  return { key, value: { ...key, committed: offset, end: endOffset, lag: behind, member }, error: null };
}

/** Who reads what, by the texts of the partitions. */
function membersByPartition(members: ConsumerGroupDescription["members"]) {
  return new Map(
    members.flatMap(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => {
      const member: LagMember = { memberId, groupInstanceId, clientId, clientHost };
      return assignment.map((at): [string, { at: TopicPartition; member: LagMember }] => [
        partitionText(at),
        { at, member },
      ]);
    }),
  );
}
