import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ListPartitionReassignments, api key 46: the partitions whose replicas are on the move (KIP-455).
 * An admin client sends it to the controller; in KRaft any broker forwards it there.
 *
 * Source: ListPartitionReassignmentsRequest.json, ListPartitionReassignmentsResponse.json
 */
export const ListPartitionReassignments = api({
  name: "ListPartitionReassignments",
  key: 46,
  versions: [0, 0],
  flexible: 0,
  request: {
    timeoutMs: int32.default(60_000),
    /** Null for all of them. */
    topics: array({ name: string, partitionIndexes: array(int32) })
      .nullable()
      .default(null),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Broker ids of all replicas right now, those that come and those that go included. */
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
});

export type ListPartitionReassignmentsRequest = RequestOf<typeof ListPartitionReassignments>;
export type ListPartitionReassignmentsResponse = ResponseOf<typeof ListPartitionReassignments>;
