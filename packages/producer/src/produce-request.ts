import type { ClusterSnapshot } from "@odradek/network";
import { type VersionBounds, zeroUuid } from "@odradek/protocol";
import type { ProduceResponse } from "@odradek/protocol/messages/produce";
import type { ProducerBatch } from "./producer-batch.ts";
import type { RequestSettings } from "./send-settings.ts";

/** What a broker answered for one partition. */
export type PartitionAnswer = ProduceResponse["responses"][number]["partitionResponses"][number];

/** A batch with its bytes. */
export interface BuiltBatch {
  readonly batch: ProducerBatch;
  readonly records: Buffer;
}

interface TopicData {
  readonly name: string;
  /** The zero UUID where the cluster has none. */
  readonly topicId: string;
  readonly partitionData: { readonly index: number; readonly records: Buffer }[];
}

/** The body of a Produce request. */
export interface ProduceRequestBody {
  readonly transactionalId: string | null;
  readonly acks: -1 | 0 | 1;
  readonly timeoutMs: number;
  readonly topicData: readonly TopicData[];
}

export interface ProduceRequestOptions {
  readonly transactionalId: string | null;
  /** Of all the batches. */
  readonly settings: RequestSettings;
}

/** Before this version, topics go by name. */
const firstVersionWithTopicIds = 13;

/** One Produce request for one broker, with the topics both by name and by id: the version takes what it knows. */
export function produceRequest(
  batches: readonly BuiltBatch[],
  cluster: ClusterSnapshot,
  { transactionalId, settings: { acks, requestTimeoutMs } }: ProduceRequestOptions,
): ProduceRequestBody {
  const topicData = new Map<string, TopicData>();
  for (const { batch, records } of batches) {
    let topic = topicData.get(batch.topic);
    if (topic === undefined) {
      topic = { name: batch.topic, topicId: cluster.topics.get(batch.topic)?.id ?? zeroUuid, partitionData: [] };
      topicData.set(batch.topic, topic);
    }
    topic.partitionData.push({ index: batch.partition, records });
  }
  return { transactionalId, acks, timeoutMs: requestTimeoutMs, topicData: [...topicData.values()] };
}

/** The versions that this request can go in: topics without an id, on brokers before 2.8, can only go by name. */
export function produceBounds({ topicData }: ProduceRequestBody): VersionBounds {
  const haveIds = topicData.every(({ topicId }) => topicId !== zeroUuid);
  return haveIds ? {} : { newest: firstVersionWithTopicIds - 1 };
}

/** The answer for each batch of a request; none where the broker left a partition out. */
export class ProduceAnswers {
  readonly #byTopic = new Map<string, Map<number, PartitionAnswer>>();

  /** @param request the body that was sent, which has the names for answers that carry ids */
  constructor(request: ProduceRequestBody, response: ProduceResponse) {
    const names = new Map(request.topicData.map(({ topicId, name }) => [topicId, name]));
    for (const { name, topicId, partitionResponses } of response.responses) {
      const topic = name !== "" ? name : names.get(topicId);
      if (topic === undefined) continue;
      this.#byTopic.set(topic, new Map(partitionResponses.map((answer) => [answer.index, answer])));
    }
  }

  of({ topic, partition }: ProducerBatch): PartitionAnswer | undefined {
    return this.#byTopic.get(topic)?.get(partition);
  }
}
