import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string, uint16, uuid } from "../schema.ts";

/** How far one replica of the metadata log is. */
const replicaState = {
  replicaId: int32,
  /** Zero when unknown. */
  replicaDirectoryId: uuid.since(2),
  /** -1 unknown. */
  logEndOffset: int64,
  /** When the replica last fetched, ms by the leader's clock; -1 unknown. */
  lastFetchTimestamp: int64.since(1).default(-1n).ignorable(),
  /** When the replica last lacked nothing that the leader had, ms by the leader's clock; -1 unknown. */
  lastCaughtUpTimestamp: int64.since(1).default(-1n).ignorable(),
};

/**
 * DescribeQuorum, api key 55: leader, voters and observers of the KRaft metadata log (KIP-595).
 * An admin client sends it to a controller, or to a broker, which passes it on to the active controller.
 *
 * Versions: 1 when replicas fetched and caught up (KIP-836), 2 directory ids, endpoints of the controllers and error
 * messages (KIP-853).
 *
 * Source: DescribeQuorumRequest.json, DescribeQuorumResponse.json
 */
export const DescribeQuorum = api({
  name: "DescribeQuorum",
  key: 55,
  versions: [0, 2],
  flexible: 0,
  request: {
    /** There is one to ask for: partition 0 of `__cluster_metadata`. */
    topics: array({
      topicName: string,
      partitions: array({ partitionIndex: int32 }),
    }),
  },
  response: {
    errorCode: int16,
    errorMessage: string.since(2).nullable().ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        /** NOT_LEADER_OR_FOLLOWER from a controller that is not the active one. */
        errorCode: int16,
        errorMessage: string.since(2).nullable().ignorable(),
        /** -1 unknown. */
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: array(replicaState),
        /** Replicas without a vote: brokers, and controllers that have not joined. */
        observers: array(replicaState),
      }),
    }),
    /** Where the controllers listen. */
    nodes: array({
      nodeId: int32,
      listeners: array({ name: string, host: string, port: uint16 }),
    }).since(2),
  },
});

export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>;
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>;
