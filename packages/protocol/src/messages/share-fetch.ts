import {
  api,
  array,
  bool,
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
 * ShareFetch, api key 78: acquire records for this member alone, for a limited time, and acknowledge earlier ones
 * on the way (KIP-932).
 * A share consumer sends it to the leaders of its partitions, within one share session per broker.
 *
 * Versions: 0 was an early access in Kafka 4.0 and is gone, 1 the first stable one, 2 exact record limits (KIP-1206)
 * and renewal of acquisition locks (KIP-1222).
 *
 * Source: ShareFetchRequest.json, ShareFetchResponse.json
 */
export const ShareFetch = api({
  name: "ShareFetch",
  key: 78,
  versions: [1, 2],
  flexible: 0,
  request: {
    groupId: string.nullable().default(null),
    memberId: string.nullable(),
    /** 0 opens a session, -1 closes it and releases what it had acquired; otherwise one more with every request. */
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    /** May be exceeded by the first batch, so that a large one does not block its partition (KIP-74). */
    maxBytes: int32.default(2_147_483_647),
    /** May be exceeded to the end of a batch, unless `shareAcquireMode` is 1. */
    maxRecords: int32,
    /** How many records an entry of `acquiredRecords` best holds. */
    batchSize: int32,
    /** 0 whole batches, the cheapest way; 1 never more than `maxRecords`. */
    shareAcquireMode: int8.since(2).default(0).ignorable(),
    /** True when an acknowledge type below is 4. Nothing is fetched then: the wait and the three limits must be 0. */
    isRenewAck: bool.since(2).default(false),
    /** Partitions to add to the session, and those with something to acknowledge. */
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        acknowledgementBatches: array({
          firstOffset: int64,
          /** Included. */
          lastOffset: int64,
          /**
           * One type for the whole range or one per offset: 0 gap (no such record), 1 accept, 2 release for another
           * delivery, 3 reject for good, 4 renew the lock (version 2).
           */
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
    /** Partitions to take out of the session. */
    forgottenTopicsData: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH: open a new session; the acknowledgements are lost. */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    /** How long the member has to acknowledge before its records go to another. */
    acquisitionLockTimeoutMs: int32,
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        /** Of the fetch alone. */
        errorCode: int16,
        errorMessage: string.nullable().default(null),
        /** Of the acknowledgements alone. INVALID_RECORD_STATE: the lock had run out. */
        acknowledgeErrorCode: int16,
        acknowledgeErrorMessage: string.nullable().default(null),
        /** Tells the new leader when the error is NOT_LEADER_OR_FOLLOWER. */
        currentLeader: struct({
          /** -1 unknown. */
          leaderId: int32,
          leaderEpoch: int32,
        }),
        /** Whole batches: only offsets within `acquiredRecords` are this member's to process. */
        records,
        acquiredRecords: array({
          firstOffset: int64,
          /** Included. */
          lastOffset: int64,
          /** 1 the first time that the records are delivered. */
          deliveryCount: int16,
        }),
      }),
    }),
    /** Addresses of the leaders named in `currentLeader`. */
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
    }),
  },
});

export type ShareFetchRequest = RequestOf<typeof ShareFetch>;
export type ShareFetchResponse = ResponseOf<typeof ShareFetch>;
