import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * FindCoordinator, api key 10: any client asks any broker which broker coordinates a group or a transactional id.
 * Versions: 1 kinds of key, throttle time and messages, 2 answers before it throttles (KIP-219), 3 flexible
 * (KIP-482), 4 many keys in one request (KIP-699), 5 TRANSACTION_ABORTABLE (KIP-890), 6 share groups (KIP-932).
 * Up to version 3 the one key and its answer are at the top; from 4 on the lists stand in their place.
 * Source: FindCoordinatorRequest.json, FindCoordinatorResponse.json
 */
export const FindCoordinator = api({
  name: "FindCoordinator",
  key: 10,
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string.until(3),
    /** What the keys are: 0 group ids, 1 transactional ids, 2 `groupId:topicId:partition` of a share group's state. */
    keyType: int8.since(1).default(0),
    coordinatorKeys: array(string).since(4),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),

    errorCode: int16.until(3),
    errorMessage: string.since(1).until(3).nullable().ignorable(),
    /** -1 when there is an error. */
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),

    coordinators: array({
      key: string,
      /** -1 when there is an error. */
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.nullable().ignorable(),
    }).since(4),
  },
});
export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>;
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>;
