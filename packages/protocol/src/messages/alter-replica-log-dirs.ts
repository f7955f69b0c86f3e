import { api, array, int16, int32, string } from "../schema.ts";

/** AlterReplicaLogDirs, api key 34. */
export const AlterReplicaLogDirs = api({
  name: "AlterReplicaLogDirs",
  key: 34,
  versions: [1, 2],
  flexible: 2,
  request: {
    dirs: array({
      path: string,
      topics: array({
        name: string,
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
});
