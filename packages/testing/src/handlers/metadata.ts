import { codeOf, zeroUuid } from "@odradek/protocol";
import { Metadata, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import { handler, type RequestContext } from "../request-context.ts";
import type { Partition } from "../topics/partition.ts";
import { invalidTopicName, type Topic } from "../topics/topic.ts";

type TopicAnswer = MetadataResponse["topics"][number];

/** Every operation on a topic: a cluster without an authorizer allows all of them. */
export const topicOperations = 0b0000_1101_1111_1000;

const notAskedFor = -2_147_483_648;

export const metadata = handler({
  api: Metadata,
  refuse: (errorCode, { topics }, context) => ({
    ...head(context),
    topics: (topics ?? []).map(({ name, topicId }) => failed(name, topicId, errorCode)),
  }),
  handle: (request, context) => {
    const { cluster, apiVersion } = context;
    const isEveryTopic = request.topics === null || (apiVersion === 0 && request.topics.length === 0);
    const operations = request.includeTopicAuthorizedOperations ? topicOperations : notAskedFor;
    const topics = isEveryTopic
      ? cluster.topics.all().map((topic) => described(topic, context, operations))
      : (request.topics ?? []).map(({ name, topicId }) =>
          name === null
            ? byId(topicId, context, operations)
            : byName(name, context, operations, request.allowAutoTopicCreation),
        );
    return { ...head(context), topics };
  },
});

const head = ({ cluster }: RequestContext) => ({
  throttleTimeMs: 0,
  brokers: cluster.live.map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
  clusterId: cluster.id,
  controllerId: cluster.controllerId,
});

function byId(id: string, context: RequestContext, operations: number): TopicAnswer {
  const topic = context.cluster.topics.byId(id);
  return topic === undefined ? failed(null, id, codeOf("UNKNOWN_TOPIC_ID")) : described(topic, context, operations);
}

function byName(name: string, context: RequestContext, operations: number, mayCreate: boolean): TopicAnswer {
  const { cluster } = context;
  const known = cluster.topics.byName(name);
  if (known !== undefined) return described(known, context, operations);
  if (invalidTopicName(name) !== null) return failed(name, zeroUuid, codeOf("INVALID_TOPIC_EXCEPTION"));
  // It is there at once, and yet the first answer does not have it: clients ask again, as they do of a real broker.
  if (mayCreate && cluster.options.autoCreateTopics) cluster.topics.autoCreate(name);
  return failed(name, zeroUuid, codeOf("UNKNOWN_TOPIC_OR_PARTITION"));
}

function failed(name: string | null, topicId: string, errorCode: number): TopicAnswer {
  return { errorCode, name, topicId, isInternal: false, partitions: [], topicAuthorizedOperations: notAskedFor };
}

function described(topic: Topic, { cluster }: RequestContext, topicAuthorizedOperations: number): TopicAnswer {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: false,
    partitions: topic.partitions.map((partition) => describedPartition(partition, (id) => cluster.isAlive(id))),
    topicAuthorizedOperations,
  };
}

/** What Metadata and DescribeTopicPartitions both tell of a partition. */
export function describedPartition(partition: Partition, isAlive: (id: number) => boolean) {
  const isLed = partition.leaderId >= 0 && isAlive(partition.leaderId);
  return {
    errorCode: isLed ? 0 : codeOf("LEADER_NOT_AVAILABLE"),
    partitionIndex: partition.index,
    leaderId: isLed ? partition.leaderId : -1,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: partition.replicas.filter(isAlive),
    offlineReplicas: partition.replicas.filter((id) => !isAlive(id)),
  };
}
