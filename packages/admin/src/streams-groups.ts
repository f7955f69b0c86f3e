import { BrokerError, type KafkaError, type ResponseOf } from "@odradek/protocol";
import { StreamsGroupDescribe } from "@odradek/protocol/messages/streams-group-describe";
import { authorizedOperations } from "./acl-operations.ts";
import type { AdminContext } from "./asking/call.ts";
import { type DescribeGroupsOptions, describe, type GroupDescription } from "./group-descriptions.ts";
import { groupStateOf } from "./groups.ts";
import type { Results } from "./results.ts";

/** One task for each subtopology and partition. Source: Kafka's `StreamsGroupMemberAssignment.TaskIds`. */
export interface StreamsTasks {
  readonly subtopologyId: string;
  readonly partitions: readonly number[];
}

export interface StreamsAssignment {
  readonly activeTasks: readonly StreamsTasks[];
  /** Copies of state that follow along. */
  readonly standbyTasks: readonly StreamsTasks[];
  /** Copies of state that catch up before the task moves there. */
  readonly warmupTasks: readonly StreamsTasks[];
}

/** Offsets of a task: of all its changelogs together. Source: Kafka's `StreamsGroupMemberDescription.TaskOffset`. */
export interface StreamsTaskOffset {
  readonly subtopologyId: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** A topic that Kafka Streams keeps for itself. Source: Kafka's `StreamsGroupSubtopologyDescription.TopicInfo`. */
export interface StreamsInternalTopic {
  readonly topic: string;
  /** `null` where the coordinator decides, as it does for changelogs. */
  readonly numPartitions: number | null;
  /** `null` for the broker's default. */
  readonly replicationFactor: number | null;
  readonly configs: Readonly<Record<string, string>>;
}

export interface StreamsSubtopology {
  readonly subtopologyId: string;
  readonly sourceTopics: readonly string[];
  readonly repartitionSinkTopics: readonly string[];
  readonly stateChangelogTopics: readonly StreamsInternalTopic[];
  readonly repartitionSourceTopics: readonly StreamsInternalTopic[];
}

export interface StreamsEndpoint {
  readonly host: string;
  readonly port: number;
}

/** Source: Kafka's `StreamsGroupMemberDescription`. */
export interface StreamsGroupMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly groupInstanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Of the topology that the member runs. */
  readonly topologyEpoch: number;
  /** Shared by all members of one process. */
  readonly processId: string;
  /** Where it answers interactive queries; `null` where it does not. */
  readonly userEndpoint: StreamsEndpoint | null;
  /** By which standby tasks are spread over racks and the like. */
  readonly clientTags: Readonly<Record<string, string>>;
  /** How far its copies of state are. */
  readonly taskOffsets: readonly StreamsTaskOffset[];
  /** How far they could be. */
  readonly taskEndOffsets: readonly StreamsTaskOffset[];
  /** What it runs. */
  readonly assignment: StreamsAssignment;
  /** What it is to run in the end. */
  readonly targetAssignment: StreamsAssignment;
  /** Whether it is still of the classic protocol, in a group that is migrating. */
  readonly isClassic: boolean;
}

/** Source: Kafka's `StreamsGroupDescription`, KIP-1071. */
export interface StreamsGroupDescription extends GroupDescription {
  readonly groupEpoch: number;
  readonly targetAssignmentEpoch: number;
  /** `null` where the group has none. */
  readonly topologyEpoch: number | null;
  /** Empty while topics that it reads are missing. */
  readonly subtopologies: readonly StreamsSubtopology[];
  readonly members: readonly StreamsGroupMember[];
}

type GroupAnswer = ResponseOf<typeof StreamsGroupDescribe>["groups"][number];
type SubtopologyAnswer = NonNullable<NonNullable<GroupAnswer["topology"]>["subtopologies"]>[number];
type TopicAnswer = SubtopologyAnswer["stateChangelogTopics"][number];
type MemberAnswer = GroupAnswer["members"][number];

/** See `KafkaAdmin.describeStreamsGroups`. */
export async function describeStreamsGroups(
  context: AdminContext,
  given: readonly string[],
  options: DescribeGroupsOptions,
): Promise<Results<StreamsGroupDescription>> {
  return describe(context, given, options, async (call, groupIds, whom, includeAuthorizedOperations) => {
    const { groups } = await call.request(StreamsGroupDescribe, { groupIds, includeAuthorizedOperations }, whom);
    return new Map(
      groups.map((group) => [group.groupId, toStreamsGroup(group, Number(whom), includeAuthorizedOperations)]),
    );
  });
}

function toStreamsGroup(
  group: GroupAnswer,
  coordinatorId: number,
  withOperations: boolean,
): StreamsGroupDescription | KafkaError {
  if (group.errorCode !== 0) {
    return new BrokerError(group.errorCode, `describing streams group ${group.groupId}`, group.errorMessage);
  }
  return {
    groupId: group.groupId,
    type: "Streams",
    state: groupStateOf(group.groupState),
    coordinatorId,
    authorizedOperations: withOperations ? authorizedOperations(group.authorizedOperations) : null,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    topologyEpoch: group.topology?.epoch ?? null,
    subtopologies: (group.topology?.subtopologies ?? []).map(toSubtopology),
    members: group.members.map(toMember),
  };
}

const toSubtopology = (subtopology: SubtopologyAnswer): StreamsSubtopology => ({
  subtopologyId: subtopology.subtopologyId,
  sourceTopics: subtopology.sourceTopics,
  repartitionSinkTopics: subtopology.repartitionSinkTopics,
  stateChangelogTopics: subtopology.stateChangelogTopics.map(toInternalTopic),
  repartitionSourceTopics: subtopology.repartitionSourceTopics.map(toInternalTopic),
});

const toInternalTopic = ({ name, partitions, replicationFactor, topicConfigs }: TopicAnswer): StreamsInternalTopic => ({
  topic: name,
  numPartitions: partitions || null,
  replicationFactor: replicationFactor || null,
  configs: toRecord(topicConfigs),
});

const toMember = ({ instanceId, clientTags, ...member }: MemberAnswer): StreamsGroupMember => ({
  ...member,
  groupInstanceId: instanceId,
  clientTags: toRecord(clientTags),
});

const toRecord = (pairs: MemberAnswer["clientTags"]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
