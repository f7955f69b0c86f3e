import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * OffsetForLeaderEpoch, api key 23: a consumer, or a replica that follows, asks the leader where an epoch of the log
 * ends, to find out whether its own position was truncated away (KIP-320).
 * Versions: 2 leader epoch fencing and throttle time, 3 replica id, and a consumer needs no more than the right to
 * describe the topic, 4 flexible (KIP-482).
 * Source: OffsetForLeaderEpochRequest.json, OffsetForLeaderEpochResponse.json
 */
export const OffsetForLeaderEpoch = api({
  name: "OffsetForLeaderEpoch",
  key: 23,
  versions: [2, 4],
  flexible: 4,
  request: {
    /** Broker id of a follower; -1 for a consumer, -2 for a debugging one that sees past the high watermark. */
    replicaId: int32.since(3).default(-2).ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        /** The leader epoch that the client knows: the broker refuses an older or newer one. -1 skips the check. */
        currentLeaderEpoch: int32.default(-1).ignorable(),
        /** The epoch whose end is asked for. */
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        /** FENCED_LEADER_EPOCH: `currentLeaderEpoch` was too old; UNKNOWN_LEADER_EPOCH: the broker is behind it. */
        errorCode: int16,
        partition: int32,
        /** The largest epoch in the log up to the one asked for; -1 unknown. */
        leaderEpoch: int32.default(-1).ignorable(),
        /** First offset after that epoch; -1 unknown. */
        endOffset: int64.default(-1n),
      }),
    }),
  },
});
export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>;
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>;
