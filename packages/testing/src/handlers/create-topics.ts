import { codeOf, zeroUuid } from "@odradek/protocol";
import { CreateTopics, type CreateTopicsResponse } from "@odradek/protocol/messages/create-topics";
import { handler, type RequestContext } from "../request-context.ts";
import type { Topic } from "../topics/topic.ts";
import { ControllerError, type NewTopic } from "../topics/topics.ts";

type TopicAnswer = CreateTopicsResponse["topics"][number];

export const createTopics = handler({
  api: CreateTopics,
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => failed(name, errorCode, null)),
  }),
  handle: (request, context) => {
    const names = request.topics.map(({ name }) => name);
    const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name);
    const answers = new Map<string, TopicAnswer>();
    for (const wanted of request.topics) {
      const { name } = wanted;
      const answer = isTwice(name)
        ? failed(name, codeOf("INVALID_REQUEST"), "Duplicate topic name.")
        : created(
            {
              name,
              partitions: wanted.numPartitions,
              replicationFactor: wanted.replicationFactor,
              assignments: wanted.assignments,
              configs: Object.fromEntries(wanted.configs.map(({ name: key, value }) => [key, value ?? ""])),
            },
            request.validateOnly,
            context,
          );
      answers.set(name, answer);
    }
    return { throttleTimeMs: 0, topics: [...answers.values()] };
  },
});

function created(wanted: NewTopic, validateOnly: boolean, { cluster }: RequestContext): TopicAnswer {
  try {
    const topic = cluster.topics.create(wanted, validateOnly);
    return {
      ...failed(topic.name, 0, null),
      topicId: topic.id,
      numPartitions: topic.partitions.length,
      replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
      configs: configsOf(topic),
    };
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    return failed(wanted.name, codeOf(error.code), error.message);
  }
}

const configsOf = (topic: Topic) =>
  topic.configs.entries().map(({ name, value, source, isReadOnly }) => ({
    name,
    value,
    readOnly: isReadOnly,
    configSource: source,
    isSensitive: false,
  }));

const failed = (name: string, errorCode: number, errorMessage: string | null): TopicAnswer => ({
  name,
  topicId: zeroUuid,
  errorCode,
  errorMessage,
  topicConfigErrorCode: 0,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
});
