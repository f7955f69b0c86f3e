import { codeOf } from "@odradek/protocol";
import { CreatePartitions } from "@odradek/protocol/messages/create-partitions";
import { handler, type RequestContext } from "../request-context.ts";
import { ControllerError } from "../topics/topics.ts";

export const createPartitions = handler({
  api: CreatePartitions,
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
  handle: (request, context) => ({
    throttleTimeMs: 0,
    results: request.topics.map(({ name, count, assignments }) => ({
      name,
      ...grown(name, count, assignments, request.validateOnly, context),
    })),
  }),
});

function grown(
  name: string,
  count: number,
  assignments: { brokerIds: number[] }[] | null,
  validateOnly: boolean,
  { cluster }: RequestContext,
): { errorCode: number; errorMessage: string | null } {
  const topic = cluster.topics.byName(name);
  if (topic === undefined) {
    const errorMessage = "This server does not host this topic-partition.";
    return { errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION"), errorMessage };
  }
  try {
    cluster.topics.addPartitions(topic, count, assignments, validateOnly);
    return { errorCode: 0, errorMessage: null };
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    return { errorCode: codeOf(error.code), errorMessage: error.message };
  }
}
