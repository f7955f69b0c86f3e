import { codeOf, zeroUuid } from "@odradek/protocol";
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from "@odradek/protocol/messages/describe-topic-partitions";
import { handler } from "../request-context.ts";
import { describedPartition, topicOperations } from "./metadata.ts";

type TopicAnswer = DescribeTopicPartitionsResponse["topics"][number];

export const describeTopicPartitions = handler({
  api: DescribeTopicPartitions,
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => failed(name, errorCode)),
    nextCursor: null,
  }),
  handle: ({ topics, responsePartitionLimit, cursor }, { cluster }) => {
    const wanted = topics.length === 0 ? cluster.topics.all() : topics;
    const names = [...new Set(wanted.map(({ name }) => name))]
      .sort()
      .filter((name) => name >= (cursor?.topicName ?? ""));
    const answers: TopicAnswer[] = [];
    let left = responsePartitionLimit;
    for (const name of names) {
      const topic = cluster.topics.byName(name);
      if (topic === undefined) {
        answers.push(failed(name, codeOf("UNKNOWN_TOPIC_OR_PARTITION")));
        continue;
      }
      const start = name === cursor?.topicName ? cursor.partitionIndex : 0;
      const page = topic.partitions.slice(start, start + left);
      if (page.length > 0 || topic.partitions.length === start) {
        const partitions = page.map((partition) => ({
          ...describedPartition(partition, (id) => cluster.isAlive(id)),
          eligibleLeaderReplicas: [],
          lastKnownElr: [],
        }));
        answers.push({ ...failed(name, 0), topicId: topic.id, partitions, topicAuthorizedOperations: topicOperations });
      }
      left -= page.length;
      if (start + page.length < topic.partitions.length) {
        return {
          throttleTimeMs: 0,
          topics: answers,
          nextCursor: { topicName: name, partitionIndex: start + page.length },
        };
      }
    }
    return { throttleTimeMs: 0, topics: answers, nextCursor: null };
  },
});

const failed = (name: string, errorCode: number): TopicAnswer => ({
  errorCode,
  name,
  topicId: zeroUuid,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: -2_147_483_648,
});
