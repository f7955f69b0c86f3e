import { OptionReader, type TopicPartition } from "@odradek/network";
import {
  BrokerError,
  codeOf,
  DecodeError,
  decodeBlob,
  KafkaError,
  type KafkaErrorCode,
  type ResponseOf,
  UnsupportedVersionError,
} from "@odradek/protocol";
import { ConsumerGroupDescribe } from "@odradek/protocol/messages/consumer-group-describe";
import { ConsumerProtocolAssignment } from "@odradek/protocol/messages/consumer-protocol";
import { DescribeGroups } from "@odradek/protocol/messages/describe-groups";
import { type AclOperation, authorizedOperations } from "./acl-operations.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { type Answers, askAll, askParts } from "./asking/fan-out.ts";
import { toCoordinator } from "./asking/routing.ts";
import { checkedGroupIds, type GroupState, type GroupType, groupStateOf } from "./groups.ts";
import type { Results } from "./results.ts";

export interface DescribeGroupsOptions extends AdminCallOptions {
  /** Whether brokers are asked what the client may do with each group; before Kafka 2.3 they do not tell. @default false */
  readonly includeAuthorizedOperations?: boolean;
}

/** What every description of a group has. */
export interface GroupDescription {
  readonly groupId: string;
  readonly type: GroupType;
  readonly state: GroupState;
  /** The broker that coordinates it. */
  readonly coordinatorId: number;
  /** What the client may do with it; `null` where that was not asked for, or the broker does not tell. */
  readonly authorizedOperations: readonly AclOperation[] | null;
}

export interface ConsumerGroupMember {
  readonly memberId: string;
  /** `null` unless the member is static. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** Where it connects from, as the broker sees it. */
  readonly clientHost: string;
  /** `null` for a member of a classic group, or where the broker does not tell. */
  readonly rackId: string | null;
  /** `null` for a member of a classic group. */
  readonly memberEpoch: number | null;
  /** What it owns. */
  readonly assignment: readonly TopicPartition[];
  /** What it is to own in the end; `null` for a member of a classic group. */
  readonly targetAssignment: readonly TopicPartition[] | null;
  /** Topics that it subscribed to by name; `null` for a member of a classic group. */
  readonly subscribedTopics: readonly string[] | null;
  /** The pattern that it subscribed by, matched by the broker; `null` where it did not. */
  readonly subscribedTopicRegex: string | null;
  /**
   * What it speaks: in a group that is migrating, members of both protocols are together. `null` before Kafka 4.0 for a member of
   * a group of the consumer protocol (KIP-1099).
   */
  readonly protocol: "classic" | "consumer" | null;
}

/** A group of consumers, of either protocol. Source: Kafka's `ConsumerGroupDescription`. */
export interface ConsumerGroupDescription extends GroupDescription {
  /** Empty while a classic group has none in use. */
  readonly partitionAssignor: string;
  /** `null` for a classic group. */
  readonly groupEpoch: number | null;
  /** `null` for a classic group. */
  readonly targetAssignmentEpoch: number | null;
  /** Whether it only has offsets, and nobody in it who would be assigned partitions. */
  readonly isSimpleConsumerGroup: boolean;
  readonly members: readonly ConsumerGroupMember[];
}

/** A member of a classic group, whatever protocol it speaks. */
export interface ClassicGroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** What it said of itself when it joined; no bytes unless the group is stable. */
  readonly metadata: Buffer;
  /** What the group's leader gave it; no bytes unless the group is stable. */
  readonly assignment: Buffer;
}

/** A group of the classic protocol, of consumers or others. Source: Kafka's `ClassicGroupDescription`. */
export interface ClassicGroupDescription extends GroupDescription {
  /** What its members speak, such as `consumer` or `connect`; empty for a group that only holds offsets. */
  readonly protocolType: string;
  /** What the members have agreed on, such as an assignor; empty unless the group is stable. */
  readonly protocolData: string;
  readonly members: readonly ClassicGroupMember[];
}

/** What consumers call what they speak in a classic group. */
const consumerProtocolType = "consumer";

/** See `KafkaAdmin.describeConsumerGroups`. */
export async function describeConsumerGroups(
  context: AdminContext,
  groupIds: readonly string[],
  options: DescribeGroupsOptions,
): Promise<Results<ConsumerGroupDescription>> {
  return describe(context, groupIds, options, async (call, ids, whom, withOperations) => {
    const modern = await describeModern(call, ids, whom, withOperations);
    const others = ids.filter((id) => mayBeClassic(modern.get(id)));
    if (others.length === 0) return modern;
    const ask = () => describeClassic(call, others, whom, withOperations);
    const classic = await askParts(call, [{ texts: () => others, ask }]);
    const asConsumers = [...classic].map(([id, group]): [string, ConsumerGroupDescription | KafkaError] => [
      id,
      group instanceof KafkaError ? group : consumerGroupOrError(group),
    ]);
    return new Map([...modern, ...asConsumers]);
  });
}

/** See `KafkaAdmin.describeClassicGroups`. */
export async function describeClassicGroups(
  context: AdminContext,
  groupIds: readonly string[],
  options: DescribeGroupsOptions,
): Promise<Results<ClassicGroupDescription>> {
  return describe(context, groupIds, options, describeClassic);
}

type Describe<T extends NonNullable<unknown>> = (
  call: Call,
  groupIds: readonly string[],
  whom: Whom,
  withOperations: boolean,
) => Promise<Answers<T>>;

/** Describes groups of whatever type, each at its coordinator. */
export async function describe<T extends NonNullable<unknown>>(
  context: AdminContext,
  given: readonly string[],
  options: DescribeGroupsOptions,
  ask: Describe<T>,
): Promise<Results<T>> {
  const groupIds = checkedGroupIds(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const withOperations = reader.boolean("includeAuthorizedOperations", false);
  reader.finish();
  return askAll(call, {
    keys: groupIds,
    textOf: String,
    routing: toCoordinator("group", (groupId) => groupId),
    ask: (ids, whom) => ask(call, ids, whom, withOperations),
  });
}

/** Groups of the consumer protocol; a broker without it has none. */
async function describeModern(
  call: Call,
  groupIds: readonly string[],
  whom: Whom,
  includeAuthorizedOperations: boolean,
): Promise<Answers<ConsumerGroupDescription>> {
  try {
    const { groups } = await call.request(ConsumerGroupDescribe, { groupIds, includeAuthorizedOperations }, whom);
    return new Map(groups.map((group) => [group.groupId, toConsumerGroup(group, whom, includeAuthorizedOperations)]));
  } catch (error) {
    if (error instanceof UnsupportedVersionError) return new Map();
    throw error;
  }
}

/**
 * What is answered about a group that may be of the classic protocol all the same; INVALID_GROUP_ID is said of the one without a
 * name. Source: Kafka's `DescribeConsumerGroupsHandler`, which knows the first two.
 */
const ofNoModernGroup: ReadonlySet<KafkaErrorCode> = new Set<KafkaErrorCode>([
  "GROUP_ID_NOT_FOUND",
  "UNSUPPORTED_VERSION",
  "INVALID_GROUP_ID",
]);

const mayBeClassic = (answer: ConsumerGroupDescription | KafkaError | undefined): boolean =>
  answer === undefined || (answer instanceof KafkaError && ofNoModernGroup.has(answer.code));

/** By the number that stands for it. */
const memberProtocols: readonly ConsumerGroupMember["protocol"][] = ["classic", "consumer"];

type ConsumerGroupAnswer = ResponseOf<typeof ConsumerGroupDescribe>["groups"][number];
type AssignmentAnswer = ConsumerGroupAnswer["members"][number]["assignment"];

function toConsumerGroup(
  group: ConsumerGroupAnswer,
  whom: Whom,
  withOperations: boolean,
): ConsumerGroupDescription | KafkaError {
  if (group.errorCode !== 0) {
    return new BrokerError(group.errorCode, `describing group ${group.groupId}`, group.errorMessage);
  }
  return {
    groupId: group.groupId,
    type: "Consumer",
    state: groupStateOf(group.groupState),
    coordinatorId: Number(whom),
    authorizedOperations: withOperations ? authorizedOperations(group.authorizedOperations) : null,
    partitionAssignor: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    isSimpleConsumerGroup: false,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      assignment: assignmentOf(member.assignment),
      targetAssignment: assignmentOf(member.targetAssignment),
      subscribedTopics: member.subscribedTopicNames,
      subscribedTopicRegex: member.subscribedTopicRegex || null,
      protocol: memberProtocols[member.memberType] ?? null,
    })),
  };
}

export const assignmentOf = ({ topicPartitions }: AssignmentAnswer): TopicPartition[] =>
  topicPartitions.flatMap(({ topicName: topic, partitions }) => partitions.map((partition) => ({ topic, partition })));

async function describeClassic(
  call: Call,
  groupIds: readonly string[],
  whom: Whom,
  withOperations: boolean,
): Promise<Answers<ClassicGroupDescription>> {
  const body = (version: number) => ({
    groups: groupIds,
    ...(version < operationsSince ? {} : { includeAuthorizedOperations: withOperations }),
  });
  const { groups } = await call.request(DescribeGroups, body, whom);
  return new Map(groups.map((group) => [group.groupId, toClassicGroup(group, whom, withOperations)]));
}

const operationsSince = 3;

type ClassicGroupAnswer = ResponseOf<typeof DescribeGroups>["groups"][number];

function toClassicGroup(
  group: ClassicGroupAnswer,
  whom: Whom,
  withOperations: boolean,
): ClassicGroupDescription | KafkaError {
  const about = `describing group ${group.groupId}`;
  if (group.errorCode !== 0) return new BrokerError(group.errorCode, about, group.errorMessage);
  // What brokers before Kafka 4.0 make of a group that they do not know, where newer ones have an error (KIP-1043).
  if (group.groupState === "Dead" && group.members.length === 0) {
    return new BrokerError(codeOf("GROUP_ID_NOT_FOUND"), about);
  }
  return {
    groupId: group.groupId,
    type: "Classic",
    state: groupStateOf(group.groupState),
    coordinatorId: Number(whom),
    authorizedOperations: withOperations ? authorizedOperations(group.authorizedOperations) : null,
    protocolType: group.protocolType,
    protocolData: group.protocolData,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: member.memberMetadata,
      assignment: member.memberAssignment,
    })),
  };
}

/** An assignment that cannot be read is a mistake of that group's own leader, and takes nothing from the other groups. */
function consumerGroupOrError(group: ClassicGroupDescription): ConsumerGroupDescription | KafkaError {
  try {
    return asConsumerGroup(group);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** A classic group as one of consumers, whose assignments can be read. */
function asConsumerGroup(group: ClassicGroupDescription): ConsumerGroupDescription | KafkaError {
  const { protocolType, protocolData, members, ...rest } = group;
  if (protocolType !== consumerProtocolType && protocolType !== "") {
    const text = `group ${group.groupId} is not one of consumers, its members speak ${protocolType}`;
    return new KafkaError(`${text}; describeClassicGroups describes it`, { code: "INCONSISTENT_GROUP_PROTOCOL" });
  }
  return {
    ...rest,
    partitionAssignor: protocolData,
    groupEpoch: null,
    targetAssignmentEpoch: null,
    isSimpleConsumerGroup: protocolType === "",
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => ({
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      rackId: null,
      memberEpoch: null,
      assignment: decodedAssignment(assignment),
      targetAssignment: null,
      subscribedTopics: null,
      subscribedTopicRegex: null,
      protocol: "classic",
    })),
  };
}

function decodedAssignment(assignment: Buffer): TopicPartition[] {
  if (assignment.length === 0) return [];
  const { assignedPartitions } = decodeBlob(ConsumerProtocolAssignment, assignment);
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
