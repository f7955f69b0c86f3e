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

export interface StreamsSubtopology {
  readonly subtopologyId: string;
  readonly sourceTopics: readonly string[];
  readonly repartitionSinkTopics: readonly string[];
  readonly stateChangelogTopics: readonly string[];
  readonly repartitionSourceTopics: readonly string[];
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
type TopicAnswer = { readonly name: string };

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
  const names = (topics: readonly TopicAnswer[]) => topics.map(({ name }) => name);
  return {
    groupId: group.groupId,
    type: "Streams",
    state: groupStateOf(group.groupState),
    coordinatorId,
    authorizedOperations: withOperations ? authorizedOperations(group.authorizedOperations) : null,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    topologyEpoch: group.topology?.epoch ?? null,
    subtopologies: (group.topology?.subtopologies ?? []).map((subtopology) => ({
      subtopologyId: subtopology.subtopologyId,
      sourceTopics: subtopology.sourceTopics,
      repartitionSinkTopics: subtopology.repartitionSinkTopics,
      stateChangelogTopics: names(subtopology.stateChangelogTopics),
      repartitionSourceTopics: names(subtopology.repartitionSourceTopics),
    })),
    members: group.members.map((member) => ({
      memberId: member.memberId,
      memberEpoch: member.memberEpoch,
      groupInstanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      topologyEpoch: member.topologyEpoch,
      processId: member.processId,
      assignment: member.assignment,
      targetAssignment: member.targetAssignment,
      isClassic: member.isClassic,
    })),
  };
}
