import { api, array, bool, int16, int32, int64, string } from "../schema.ts";

/** DescribeLogDirs, api key 35. */
export const DescribeLogDirs = api({
  name: "DescribeLogDirs",
  key: 35,
  versions: [1, 5],
  flexible: 2,
  request: {
    topics: array({
      topic: string,
      partitions: array(int32),
    }).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(3).ignorable(),
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: int64.since(4).default(-1n).ignorable(),
      usableBytes: int64.since(4).default(-1n).ignorable(),
      isCordoned: bool.since(5).default(false).ignorable(),
    }),
  },
});
