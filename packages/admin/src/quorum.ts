import { OptionReader, OptionsError } from "@odradek/network";
import { BrokerError, codeOf, type ResponseOf, zeroUuid } from "@odradek/protocol";
import { AddRaftVoter } from "@odradek/protocol/messages/add-raft-voter";
import { DescribeQuorum } from "@odradek/protocol/messages/describe-quorum";
import { RemoveRaftVoter } from "@odradek/protocol/messages/remove-raft-voter";
import { checkedKeys, isInt32, isText } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { askOne } from "./asking/fan-out.ts";

/** How far one replica of the metadata log is. Source: Kafka's `QuorumInfo.ReplicaState`. */
export interface QuorumReplica {
  readonly replicaId: number;
  /** Tells it from a node of the same id with another disk; `null` before Kafka 3.9, or where voters are fixed. */
  readonly replicaDirectoryId: string | null;
  /** `null` where it is not known. */
  readonly logEndOffset: bigint | null;
  /** When it last fetched, ms since the epoch; `null` where it is not known. */
  readonly lastFetchTimestamp: number | null;
  /** When it last had all that the leader had, ms since the epoch; `null` where it is not known. */
  readonly lastCaughtUpTimestamp: number | null;
}

/** Where a controller can be reached. Source: Kafka's `RaftVoterEndpoint`. */
export interface RaftVoterEndpoint {
  /** Of the listener. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface QuorumNode {
  readonly nodeId: number;
  readonly endpoints: readonly RaftVoterEndpoint[];
}

/** Source: Kafka's `QuorumInfo`. */
export interface QuorumInfo {
  /** `null` while nobody leads. */
  readonly leaderId: number | null;
  readonly leaderEpoch: number;
  readonly highWatermark: bigint;
  readonly voters: readonly QuorumReplica[];
  /** Who follows without a vote: brokers, and controllers that have not joined. */
  readonly observers: readonly QuorumReplica[];
  /** Where the controllers listen; empty before Kafka 3.9. */
  readonly nodes: readonly QuorumNode[];
}

export interface RaftVoterOptions extends AdminCallOptions {
  /** Refuses the change where the cluster is another one. @default whatever cluster answers */
  readonly clusterId?: string;
}

/** The one log that there is to ask for. */
const topicName = "__cluster_metadata";

/** See `KafkaAdmin.describeMetadataQuorum`. */
export async function describeMetadataQuorum(context: AdminContext, options: AdminCallOptions): Promise<QuorumInfo> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const body = { topics: [{ topicName, partitions: [{ partitionIndex: 0 }] }] };
  return askOne(call, "DescribeQuorum", async (whom) => toQuorum(await call.request(DescribeQuorum, body, whom)));
}

function toQuorum({ errorCode, errorMessage, topics, nodes }: ResponseOf<typeof DescribeQuorum>): QuorumInfo {
  if (errorCode !== 0) throw new BrokerError(errorCode, "DescribeQuorum", errorMessage);
  const partition = topics.find((topic) => topic.topicName === topicName)?.partitions[0];
  if (partition === undefined) {
    throw new BrokerError(codeOf("UNKNOWN_SERVER_ERROR"), "DescribeQuorum", `the answer has no ${topicName}`);
  }
  if (partition.errorCode !== 0) throw new BrokerError(partition.errorCode, "DescribeQuorum", partition.errorMessage);
  return {
    leaderId: partition.leaderId < 0 ? null : partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    highWatermark: partition.highWatermark,
    voters: partition.currentVoters.map(toReplica),
    observers: partition.observers.map(toReplica),
    nodes: nodes.map(({ nodeId, listeners }) => ({ nodeId, endpoints: listeners })),
  };
}

type ReplicaAnswer = ResponseOf<typeof DescribeQuorum>["topics"][number]["partitions"][number]["observers"][number];

const toReplica = (replica: ReplicaAnswer): QuorumReplica => ({
  replicaId: replica.replicaId,
  replicaDirectoryId: replica.replicaDirectoryId === zeroUuid ? null : replica.replicaDirectoryId,
  logEndOffset: replica.logEndOffset < 0n ? null : replica.logEndOffset,
  lastFetchTimestamp: replica.lastFetchTimestamp < 0n ? null : Number(replica.lastFetchTimestamp),
  lastCaughtUpTimestamp: replica.lastCaughtUpTimestamp < 0n ? null : Number(replica.lastCaughtUpTimestamp),
});

/** See `KafkaAdmin.addRaftVoter`. */
export async function addRaftVoter(
  context: AdminContext,
  voterId: number,
  voterDirectoryId: string,
  given: readonly RaftVoterEndpoint[],
  options: RaftVoterOptions,
): Promise<void> {
  checkVoter(voterId, voterDirectoryId);
  const listeners = checkedKeys("endpoints", given, checkedEndpoint, ({ name }) => name);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const clusterId = reader.string("clusterId", null);
  reader.finish();
  const about = `adding voter ${voterId}`;
  const ask = async (whom: Whom) => {
    const body = { clusterId, timeoutMs: call.brokerTimeoutMs, voterId, voterDirectoryId, listeners };
    const { errorCode, errorMessage } = await call.request(AddRaftVoter, body, whom);
    if (errorCode !== 0) throw new BrokerError(errorCode, about, errorMessage);
    return true;
  };
  await askOne(call, about, ask, { doneBefore: new Set(["DUPLICATE_VOTER"]) });
}

/** See `KafkaAdmin.removeRaftVoter`. */
export async function removeRaftVoter(
  context: AdminContext,
  voterId: number,
  voterDirectoryId: string,
  options: RaftVoterOptions,
): Promise<void> {
  checkVoter(voterId, voterDirectoryId);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const clusterId = reader.string("clusterId", null);
  reader.finish();
  const about = `removing voter ${voterId}`;
  const ask = async (whom: Whom) => {
    const body = { clusterId, voterId, voterDirectoryId };
    const { errorCode, errorMessage } = await call.request(RemoveRaftVoter, body, whom);
    if (errorCode !== 0) throw new BrokerError(errorCode, about, errorMessage);
    return true;
  };
  await askOne(call, about, ask, { doneBefore: new Set(["VOTER_NOT_FOUND"]) });
}

function checkVoter(voterId: number, voterDirectoryId: string): void {
  if (!isInt32(voterId)) throw new OptionsError("voterId", voterId, "the id of a node");
  if (!isText(voterDirectoryId) || !/^[\w-]{22}$/.test(voterDirectoryId)) {
    throw new OptionsError("voterDirectoryId", voterDirectoryId, "a UUID of 22 characters of base64url");
  }
}

function checkedEndpoint(given: RaftVoterEndpoint, path: string): RaftVoterEndpoint {
  const reader = new OptionReader(given, path);
  const endpoint = {
    name: reader.required("name", isText, "the name of a listener"),
    host: reader.required("host", isText, "the name or address of a host"),
    port: reader.required("port", isPort, "a whole number from 1 to 65535"),
  };
  reader.finish();
  return endpoint;
}

const isPort = (value: unknown): value is number => isInt32(value) && value >= 1 && value <= 65_535;
