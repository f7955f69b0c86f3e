import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * AlterPartitionReassignments, api key 45: move replicas of partitions between brokers, or cancel a move under way
 * (KIP-455). It is answered when the move has begun; ListPartitionReassignments tells how far it is.
 * An admin client sends it to the controller; in KRaft any broker forwards it there.
 *
 * Versions: 1 can forbid a change of the replication factor (KIP-860).
 *
 * Source: AlterPartitionReassignmentsRequest.json, AlterPartitionReassignmentsResponse.json
 */
export const AlterPartitionReassignments = api({
  name: "AlterPartitionReassignments",
  key: 45,
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: int32.default(60_000),
    /** False refuses a target with more or fewer replicas than the partition has now. */
    allowReplicationFactorChange: bool.since(1).default(true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Broker ids of the target, the preferred leader first; null cancels the move under way. */
        replicas: array(int32).nullable().default(null),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** What the request said. */
    allowReplicationFactorChange: bool.since(1).default(true).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable(),
    responses: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** NO_REASSIGNMENT_IN_PROGRESS when nothing was there to cancel, INVALID_REPLICA_ASSIGNMENT. */
        errorCode: int16,
        errorMessage: string.nullable(),
      }),
    }),
  },
});

export type AlterPartitionReassignmentsRequest = RequestOf<typeof AlterPartitionReassignments>;
export type AlterPartitionReassignmentsResponse = ResponseOf<typeof AlterPartitionReassignments>;
