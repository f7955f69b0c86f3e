import { codeOf, zeroUuid } from "@odradek/protocol";
import {
  DeleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from "@odradek/protocol/messages/delete-topics";
import { handler, type RequestContext } from "../request-context.ts";

type TopicAnswer = DeleteTopicsResponse["responses"][number];
interface Wanted {
  readonly name: string | null;
  readonly topicId: string;
}

const byIdVersion = 6;

export const deleteTopics = handler({
  api: DeleteTopics,
  refuse: (errorCode, request, context) => ({
    throttleTimeMs: 0,
    responses: wantedOf(request, context).map((wanted) => ({ ...wanted, errorCode, errorMessage: null })),
  }),
  handle: (request, context) => ({
    throttleTimeMs: 0,
    responses: wantedOf(request, context).map((wanted) => deleted(wanted, context)),
  }),
});

const wantedOf = (
  { topics = [], topicNames = [] }: DeleteTopicsRequest,
  { apiVersion }: RequestContext,
): readonly Wanted[] =>
  apiVersion >= byIdVersion
    ? topics.map(({ name = null, topicId }) => ({ name, topicId }))
    : topicNames.map((name) => ({ name, topicId: zeroUuid }));

function deleted({ name, topicId }: Wanted, { cluster }: RequestContext): TopicAnswer {
  const topic = name === null ? cluster.topics.byId(topicId) : cluster.topics.byName(name);
  if (topic === undefined) {
    const errorCode = codeOf(name === null ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION");
    const errorMessage =
      name === null ? "This server does not host this topic ID." : "This server does not host this topic-partition.";
    return { name, topicId, errorCode, errorMessage };
  }
  cluster.topics.delete(topic);
  return { name: topic.name, topicId: topic.id, errorCode: 0, errorMessage: null };
}
