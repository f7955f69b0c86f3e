import { api, array, int16, int32, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * DeleteTopics, api key 20: an admin asks the controller to delete topics; in KRaft any broker passes it on.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 TOPIC_DELETION_DISABLED, 4 flexible
 * (KIP-482), 5 messages and THROTTLING_QUOTA_EXCEEDED (KIP-599), 6 topics by id (KIP-516).
 * Source: DeleteTopicsRequest.json, DeleteTopicsResponse.json
 */
export const DeleteTopics = api({
  name: "DeleteTopics",
  key: 20,
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: array({
      /** Null when `topicId` says which. */
      name: string.nullable().default(null),
      /** Zero when `name` says which. */
      topicId: uuid,
    }).since(6),
    topicNames: array(string).until(5).ignorable(),
    /** How long the controller may take; the topics may vanish even after REQUEST_TIMED_OUT. */
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    responses: array({
      /** May be null for a topic that was named by its id. */
      name: string.nullable(6),
      topicId: uuid.since(6).ignorable(),
      errorCode: int16,
      errorMessage: string.since(5).nullable().default(null).ignorable(),
    }),
  },
});
export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>;
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>;
