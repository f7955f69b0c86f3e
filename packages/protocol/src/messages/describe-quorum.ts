import { api, array, int16, int32, int64, string, uint16, uuid } from "../schema.ts";

/** DescribeQuorum, api key 55. */
export const DescribeQuorum = api({
  name: "DescribeQuorum",
  key: 55,
  versions: [0, 2],
  flexible: 0,
  request: {
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: int16,
    errorMessage: string.since(2).nullable().ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.since(2).nullable().ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: array({
          replicaId: int32,
          replicaDirectoryId: uuid.since(2),
          logEndOffset: int64,
          lastFetchTimestamp: int64.since(1).default(-1n).ignorable(),
          lastCaughtUpTimestamp: int64.since(1).default(-1n).ignorable(),
        }),
        observers: array({
          replicaId: int32,
          replicaDirectoryId: uuid.since(2),
          logEndOffset: int64,
          lastFetchTimestamp: int64.since(1).default(-1n).ignorable(),
          lastCaughtUpTimestamp: int64.since(1).default(-1n).ignorable(),
        }),
      }),
    }),
    nodes: array({
      nodeId: int32,
      listeners: array({
        name: string,
        host: string,
        port: uint16,
      }),
    }).since(2),
  },
});
