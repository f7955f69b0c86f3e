import { api, array, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeLogDirs, api key 35: an admin asks a broker what its log directories hold.
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible (KIP-482), 3 an error for the whole request, 4 size
 * of the volume, 5 cordoned directories (KIP-1066).
 * Source: DescribeLogDirsRequest.json, DescribeLogDirsResponse.json
 */
export const DescribeLogDirs = api({
  name: "DescribeLogDirs",
  key: 35,
  versions: [1, 5],
  flexible: 2,
  request: {
    /** Null for every topic. */
    topics: array({ topic: string, partitions: array(int32) }).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    /** Of the request as a whole. */
    errorCode: int16.since(3).ignorable(),
    results: array({
      errorCode: int16,
      /** Absolute path on the broker. */
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          /** Bytes of all its segments on this disk. */
          partitionSize: int64,
          /** How far the log's end is behind the high watermark or, for a future replica, behind the current one. */
          offsetLag: int64,
          /** True for a replica that AlterReplicaLogDirs is moving here. */
          isFutureKey: bool,
        }),
      }),
      /** Bytes of the volume, tiered storage not counted; -1 unknown. */
      totalBytes: int64.since(4).default(-1n).ignorable(),
      /** Bytes of the volume still to be had; -1 unknown. */
      usableBytes: int64.since(4).default(-1n).ignorable(),
      /** True when no new replicas are placed here. */
      isCordoned: bool.since(5).default(false).ignorable(),
    }),
  },
});
export type DescribeLogDirsRequest = RequestOf<typeof DescribeLogDirs>;
export type DescribeLogDirsResponse = ResponseOf<typeof DescribeLogDirs>;
