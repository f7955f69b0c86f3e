import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string, uint16, uuid } from "../schema.ts";

/**
 * AddRaftVoter, api key 80: give a controller a vote in the KRaft quorum (KIP-853).
 * An admin client sends it to a controller, or to a broker, which passes it on to the active controller. A controller
 * that joins by itself sends it too.
 *
 * Versions: 1 the answer need not wait for the commit (KIP-1186).
 *
 * Source: AddRaftVoterRequest.json, AddRaftVoterResponse.json
 */
export const AddRaftVoter = api({
  name: "AddRaftVoter",
  key: 80,
  versions: [0, 1],
  flexible: 0,
  request: {
    /** Null to add it to whatever cluster answers. */
    clusterId: string.nullable(),
    timeoutMs: int32,
    voterId: int32,
    /** Of the voter's metadata log: tells it from a node of the same id with another disk. */
    voterDirectoryId: uuid,
    /** Where the other controllers reach the voter. */
    listeners: array({ name: string, host: string, port: uint16 }),
    /** False: answer as soon as the leader has written the new set of voters. */
    ackWhenCommitted: bool.since(1).default(true),
  },
  response: {
    throttleTimeMs: int32,
    /**
     * DUPLICATE_VOTER: the id has a vote already. REQUEST_TIMED_OUT: the voter lags behind or another change is under
     * way. INCONSISTENT_CLUSTER_ID. UNSUPPORTED_VERSION: the cluster's `kraft.version` is 0, its voters are fixed.
     */
    errorCode: int16,
    errorMessage: string.nullable().ignorable(),
  },
});

export type AddRaftVoterRequest = RequestOf<typeof AddRaftVoter>;
export type AddRaftVoterResponse = ResponseOf<typeof AddRaftVoter>;
