import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * AlterReplicaLogDirs, api key 34: an admin asks a broker to move replicas that it holds to other log directories.
 * The answer comes when the move has begun; DescribeLogDirs shows how far it is.
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible (KIP-482).
 * Source: AlterReplicaLogDirsRequest.json, AlterReplicaLogDirsResponse.json
 */
export const AlterReplicaLogDirs = api({
  name: "AlterReplicaLogDirs",
  key: 34,
  versions: [1, 2],
  flexible: 2,
  request: {
    dirs: array({
      /** Absolute path on the broker. */
      path: string,
      topics: array({ name: string, partitions: array(int32) }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
});
export type AlterReplicaLogDirsRequest = RequestOf<typeof AlterReplicaLogDirs>;
export type AlterReplicaLogDirsResponse = ResponseOf<typeof AlterReplicaLogDirs>;
