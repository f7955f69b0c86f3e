import {
  api,
  array,
  int8,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  records,
  string,
  struct,
  uuid,
} from "../schema.ts";

/**
 * Fetch, api key 1: a consumer, or a replica that follows, reads record batches from the leader of their partitions
 * or, if the leader says so, from a replica nearby. Partitions are served in the order of the request.
 * Versions: 4 isolation level and batches of magic 2, 5 log start offset, 6 KAFKA_STORAGE_ERROR, 7 incremental
 * sessions (KIP-227), 8 answers before it throttles (KIP-219), 9 leader epoch fencing (KIP-320), 10 zstd (KIP-110),
 * 11 reading from the nearest replica (KIP-392), 12 flexible (KIP-482), with diverging epochs and current leaders,
 * 13 topic ids (KIP-516), 14 OFFSET_MOVED_TO_TIERED_STORAGE (KIP-405), 15 replica state (KIP-903), 16 leaders'
 * addresses (KIP-951), 17 replica directories (KIP-853), 18 the replica's high watermark (KIP-1166).
 * Source: FetchRequest.json, FetchResponse.json
 */
export const Fetch = api({
  name: "Fetch",
  key: 1,
  versions: [4, 18],
  flexible: 12,
  request: {
    /** Checked where brokers and controllers follow the metadata log; consumers leave it null. */
    clusterId: string.since(12).nullable().tagged(0).default(null).ignorable(),
    /** Broker id of a follower; -1 for a consumer. */
    replicaId: int32.until(14).default(-1),
    /** Takes the place of `replicaId`; consumers leave it out. */
    replicaState: struct({ replicaId: int32.default(-1), replicaEpoch: int64.default(-1n) })
      .since(15)
      .tagged(1),

    /** How long the broker may hold the request until it has `minBytes`. */
    maxWaitMs: int32,
    minBytes: int32,
    /** For the whole response. The first batch comes complete even when it alone is larger (KIP-74). */
    maxBytes: int32.default(2_147_483_647 /* no limit */).ignorable(),
    /** 0 READ_UNCOMMITTED; 1 READ_COMMITTED: below the last stable offset, with the aborted transactions listed. */
    isolationLevel: int8.default(0).ignorable(),

    /** The broker's number for the session; 0 to open one, or to do without. */
    sessionId: int32.since(7).default(0).ignorable(),
    /** 0 opens a session in place of `sessionId`, 1 and up continue it in order, -1 closes it or does without. */
    sessionEpoch: int32.since(7).default(-1).ignorable(),

    /** All partitions where the session starts; later only those that are new or moved on. */
    topics: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partition: int32,
        /** The leader epoch that the client knows: the broker refuses an older or newer one. -1 skips the check. */
        currentLeaderEpoch: int32.since(9).default(-1).ignorable(),
        fetchOffset: int64,
        /** Epoch of the last record fetched, to find divergence; -1 for none, and from consumers. */
        lastFetchedEpoch: int32.since(12).default(-1),
        /** First offset of the follower's log; -1 from consumers. */
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        /** As `maxBytes`, for this partition. */
        partitionMaxBytes: int32,
        /** Log directory of the follower; zero from consumers. */
        replicaDirectoryId: uuid.since(17).tagged(0).ignorable(),
        /** As the follower knows it; -1 not yet. Consumers, and followers without the feature, leave it out. */
        highWatermark: int64.since(18).tagged(1).default(9_223_372_036_854_775_807n /* not supported */).ignorable(),
      }),
    }),
    /** Partitions that leave the session. */
    forgottenTopicsData: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array(int32),
    }).since(7),
    /** Rack of the consumer, by which the leader may choose a nearer replica; empty when it has none. */
    rackId: string.since(11).default("").ignorable(),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    /** Of the request or its session, such as FETCH_SESSION_ID_NOT_FOUND or INVALID_FETCH_SESSION_EPOCH. */
    errorCode: int16.since(7).ignorable(),
    /** 0 when there is no session. */
    sessionId: int32.since(7).default(0),
    /** Within a session only the partitions that have news. */
    responses: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,

        /** Consumers see the offsets below it; -1 unknown. */
        highWatermark: int64,
        /** Every transaction below it is committed or aborted; -1 unknown. */
        lastStableOffset: int64.default(-1n).ignorable(),
        /** First offset still in the log; -1 unknown. */
        logStartOffset: int64.since(5).default(-1n).ignorable(),

        /** Records past this epoch and offset are known to differ from the leader's; -1 when nothing diverges. */
        divergingEpoch: struct({ epoch: int32.default(-1), endOffset: int64.default(-1n) })
          .since(12)
          .tagged(0),
        /** Who leads now, told with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH; -1 unknown. */
        currentLeader: struct({ leaderId: int32.default(-1), leaderEpoch: int32.default(-1) })
          .since(12)
          .tagged(1),
        /** For a replica that asks below the log start: the snapshot to fetch in its place. */
        snapshotId: struct({ endOffset: int64.default(-1n), epoch: int32.default(-1) })
          .since(12)
          .tagged(2),

        /** What READ_COMMITTED drops: records of the producer from this offset to its abort marker. */
        abortedTransactions: array({ producerId: int64, firstOffset: int64 }).nullable().ignorable(),
        /** Broker to fetch from next time; -1 to stay. */
        preferredReadReplica: int32.since(11).default(-1),
        /** Batches; the first may begin before `fetchOffset`, the last may be cut short by a size limit. */
        records: records.nullable(),
      }),
    }),
    /** Addresses of the leaders that `currentLeader` names. */
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().default(null) })
      .since(16)
      .tagged(0),
  },
});
export type FetchRequest = RequestOf<typeof Fetch>;
export type FetchResponse = ResponseOf<typeof Fetch>;
