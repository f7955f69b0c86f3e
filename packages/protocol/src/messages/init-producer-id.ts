import { api, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * InitProducerId, api key 22: a producer asks for its producer id and epoch. A transactional one asks the
 * coordinator of its transactional id, which fences the producers before it and ends what they left open; an
 * idempotent one asks any broker.
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible (KIP-482), 3 the producer may name its id and epoch
 * to have the epoch raised (KIP-360), 4 PRODUCER_FENCED, 5 TRANSACTION_ABORTABLE (KIP-890), 6 two-phase commit
 * (KIP-939), not stable yet.
 * Source: InitProducerIdRequest.json, InitProducerIdResponse.json
 */
export const InitProducerId = api({
  name: "InitProducerId",
  key: 22,
  versions: [0, 6],
  flexible: 2,
  latestStable: 5,
  request: {
    /** Null when the producer is idempotent only. */
    transactionalId: string.nullable(),
    /** The coordinator aborts a transaction that stays open for longer. Without `transactionalId` it means nothing. */
    transactionTimeoutMs: int32,
    /** What the producer has, to go on from there; -1 when it starts. */
    producerId: int64.since(3).default(-1n),
    producerEpoch: int16.since(3).default(-1),
    enable2Pc: bool.since(6).default(false),
    /** Keeps the open transaction instead of aborting it. */
    keepPreparedTxn: bool.since(6).default(false),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    errorCode: int16,
    /** -1 when there is an error. */
    producerId: int64.default(-1n),
    producerEpoch: int16,
    /** The transaction that `keepPreparedTxn` kept; -1 when none was open. */
    ongoingTxnProducerId: int64.since(6).default(-1n),
    ongoingTxnProducerEpoch: int16.since(6).default(-1),
  },
});
export type InitProducerIdRequest = RequestOf<typeof InitProducerId>;
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>;
