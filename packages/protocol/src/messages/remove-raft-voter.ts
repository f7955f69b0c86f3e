import { api, int16, int32, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * RemoveRaftVoter, api key 81: take the vote in the KRaft quorum from a controller (KIP-853).
 * An admin client sends it to a controller, or to a broker, which passes it on to the active controller.
 *
 * Source: RemoveRaftVoterRequest.json, RemoveRaftVoterResponse.json
 */
export const RemoveRaftVoter = api({
  name: "RemoveRaftVoter",
  key: 81,
  versions: [0, 0],
  flexible: 0,
  request: {
    /** Null to remove it from whatever cluster answers. */
    clusterId: string.nullable(),
    voterId: int32,
    /** Has to be that of the voter, as DescribeQuorum tells it. */
    voterDirectoryId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    /**
     * VOTER_NOT_FOUND: id and directory name no voter. REQUEST_TIMED_OUT: another change is under way.
     * INCONSISTENT_CLUSTER_ID. UNSUPPORTED_VERSION: the cluster's `kraft.version` is 0, its voters are fixed.
     */
    errorCode: int16,
    errorMessage: string.nullable().ignorable(),
  },
});

export type RemoveRaftVoterRequest = RequestOf<typeof RemoveRaftVoter>;
export type RemoveRaftVoterResponse = ResponseOf<typeof RemoveRaftVoter>;
