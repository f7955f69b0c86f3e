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
  string,
  struct,
  uuid,
} from "../schema.ts";

/**
 * ShareAcknowledge, api key 79: say what became of acquired records, without fetching more (KIP-932).
 * A share consumer sends it to the leaders of the partitions, within the share session that ShareFetch opened.
 *
 * Versions: 0 was an early access in Kafka 4.0 and is gone, 1 the first stable one, 2 renewal of acquisition locks
 * (KIP-1222).
 *
 * Source: ShareAcknowledgeRequest.json, ShareAcknowledgeResponse.json
 */
export const ShareAcknowledge = api({
  name: "ShareAcknowledge",
  key: 79,
  versions: [1, 2],
  flexible: 0,
  request: {
    groupId: string.nullable().default(null),
    memberId: string.nullable(),
    /** One more with every request, counted together with ShareFetch; -1 closes the session. */
    shareSessionEpoch: int32,
    /** True when an acknowledge type below is 4. */
    isRenewAck: bool.since(2).default(false),
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
  },
  response: {
    throttleTimeMs: int32,
    /** SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH: open a new session; these acknowledgements are lost. */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    /** How long a renewed lock holds. */
    acquisitionLockTimeoutMs: int32.since(2).ignorable(),
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        /** INVALID_RECORD_STATE: the lock had run out and the records may be with another member. */
        errorCode: int16,
        errorMessage: string.nullable().default(null),
        /** Tells the new leader when the error is NOT_LEADER_OR_FOLLOWER. */
        currentLeader: struct({
          /** -1 unknown. */
          leaderId: int32,
          leaderEpoch: int32,
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

export type ShareAcknowledgeRequest = RequestOf<typeof ShareAcknowledge>;
export type ShareAcknowledgeResponse = ResponseOf<typeof ShareAcknowledge>;
