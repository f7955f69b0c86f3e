import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ElectLeaders, api key 43: have the controller elect leaders of partitions anew (KIP-183).
 * An admin client sends it to the controller; in KRaft any broker forwards it there.
 *
 * Versions: 0 preferred elections only, 1 unclean elections and a top-level error (KIP-460), 2 flexible.
 *
 * Source: ElectLeadersRequest.json, ElectLeadersResponse.json
 */
export const ElectLeaders = api({
  name: "ElectLeaders",
  key: 43,
  versions: [0, 2],
  flexible: 2,
  request: {
    /** 0 preferred: the first of the replicas. 1 unclean: any live replica when none is in sync; may lose records. */
    electionType: int8.since(1),
    /** Null for every partition of the cluster. */
    topicPartitions: array({ topic: string, partitions: array(int32) }).nullable(),
    timeoutMs: int32.default(60_000),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(1),
    /** When all were asked for, partitions that needed no election are left out. */
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({
        partitionId: int32,
        /**
         * ELECTION_NOT_NEEDED: the wanted leader leads already. PREFERRED_LEADER_NOT_AVAILABLE,
         * ELIGIBLE_LEADERS_NOT_AVAILABLE: no replica may take over.
         */
        errorCode: int16,
        errorMessage: string.nullable(),
      }),
    }),
  },
});

export type ElectLeadersRequest = RequestOf<typeof ElectLeaders>;
export type ElectLeadersResponse = ResponseOf<typeof ElectLeaders>;
