import type {
  ClassicGroupDescription,
  ConsumerGroupDescription,
  GroupState,
  KafkaAdmin,
  TopicPartition,
} from "odradek";
import { AssignerProtocol, type Assignment } from "../assigner-protocol.ts";
import type { AdminClient } from "./admin-client.ts";
import { checkArray } from "./arguments.ts";

export type ConsumerGroupState = "Unknown" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead" | "Empty";

/** Those of Kafka's newer protocol are called what they come closest to. */
const states: Readonly<Record<GroupState, ConsumerGroupState>> = {
  Unknown: "Unknown",
  PreparingRebalance: "PreparingRebalance",
  CompletingRebalance: "CompletingRebalance",
  Stable: "Stable",
  Dead: "Dead",
  Empty: "Empty",
  Assigning: "PreparingRebalance",
  Reconciling: "CompletingRebalance",
  NotReady: "Unknown",
};

export interface MemberDescription {
  clientHost: string;
  clientId: string;
  memberId: string;
  /** `AssignerProtocol.MemberAssignment` decodes it. */
  memberAssignment: Buffer;
  /** `AssignerProtocol.MemberMetadata` decodes it. */
  memberMetadata: Buffer;
}

export interface GroupDescription {
  /** 0: what failed is an error. */
  errorCode?: number;
  groupId: string;
  members: MemberDescription[];
  /** The assigner that the members agreed on; empty unless the group is stable. */
  protocol: string;
  protocolType: string;
  /** `Dead`: there is no such group. */
  state: ConsumerGroupState;
}

export interface GroupDescriptions {
  groups: GroupDescription[];
}

/** @throws KafkaJSNonRetriableError for what are no ids of groups, KafkaJSProtocolError of the first that cannot be told of */
export async function describeGroups(client: AdminClient, groupIds: readonly string[]): Promise<GroupDescriptions> {
  checkArray(groupIds, "groupIds");
  return { groups: await client.ask((admin) => descriptionsOf(admin, [...new Set(groupIds)])) };
}

/** The same of one group. */
export async function describeGroup(client: AdminClient, groupId: string): Promise<GroupDescription> {
  const [description = dead(groupId)] = await client.ask((admin) => descriptionsOf(admin, [groupId]));
  return description;
}

/** In the order of asking. Groups of Kafka's newer protocol (KIP-848) are told as if they were of the older one. */
export async function descriptionsOf(admin: KafkaAdmin, groupIds: readonly string[]): Promise<GroupDescription[]> {
  const classic = await admin.describeClassicGroups(groupIds);
  const others = groupIds.filter((groupId) => classic.get(groupId)?.error?.code === isNotThere);
  const modern = await admin.describeConsumerGroups(others);
  return groupIds.map((groupId) => {
    const told = modern.get(groupId) ?? classic.get(groupId);
    if (told === undefined || told.error?.code === isNotThere) return dead(groupId);
    if (told.error !== null) throw told.error;
    return "protocolType" in told.value ? ofClassicGroup(told.value) : ofConsumerGroup(told.value);
  });
}

const isNotThere = "GROUP_ID_NOT_FOUND";

/** How brokers told it of groups that they did not know, before they had an error for it (KIP-1043). */
const dead = (groupId: string): GroupDescription => ({
  errorCode: 0,
  groupId,
  state: "Dead",
  protocolType: "",
  protocol: "",
  members: [],
});

const ofClassicGroup = (group: ClassicGroupDescription): GroupDescription => ({
  errorCode: 0,
  groupId: group.groupId,
  state: states[group.state],
  protocolType: group.protocolType,
  protocol: group.protocolData,
  members: group.members.map(({ memberId, clientId, clientHost, metadata, assignment }) => ({
    memberId,
    clientId,
    clientHost,
    memberMetadata: metadata,
    memberAssignment: assignment,
  })),
});

const ofConsumerGroup = (group: ConsumerGroupDescription): GroupDescription => ({
  errorCode: 0,
  groupId: group.groupId,
  state: states[group.state],
  protocolType: "consumer",
  protocol: group.partitionAssignor,
  members: group.members.map(({ memberId, clientId, clientHost, subscribedTopics, assignment }) => ({
    memberId,
    clientId,
    clientHost,
    memberMetadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics: [...(subscribedTopics ?? [])] }),
    memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment: byTopic(assignment) }),
  })),
});

function byTopic(partitions: readonly TopicPartition[]): Assignment {
  const assignment: Assignment = {};
  for (const { topic, partition } of partitions) {
    const numbers = assignment[topic] ?? [];
    assignment[topic] = numbers;
    numbers.push(partition);
  }
  return assignment;
}
