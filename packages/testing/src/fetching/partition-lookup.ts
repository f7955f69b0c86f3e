import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import type { RequestContext } from "../request-context.ts";
import type { Partition } from "../topics/partition.ts";
import type { Topic } from "../topics/topic.ts";

/** How a request names a topic: by id from some version on, by name before. */
export interface TopicReference {
  readonly name: string;
  readonly topicId: string;
  readonly isById: boolean;
}

/** A partition that this broker may serve, or why it may not. */
export type Found =
  | { readonly errorCode: 0; readonly topic: Topic; readonly partition: Partition }
  | { readonly errorCode: number; readonly topic: Topic | null; readonly partition: Partition | null };

export const topicOf = (context: RequestContext, { name, topicId, isById }: TopicReference): Topic | undefined =>
  isById ? context.cluster.topics.byId(topicId) : context.cluster.topics.byName(name);

/**
 * Finds a partition for a request that its leader has to answer.
 *
 * @param currentLeaderEpoch what the client knows; -1 for a client that does not say
 * @param allowsFollowers whether any replica may answer
 */
export function findPartition(
  context: RequestContext,
  reference: TopicReference,
  index: number,
  currentLeaderEpoch = -1,
  allowsFollowers = false,
): Found {
  const topic = topicOf(context, reference) ?? null;
  const arranged = context.failure(topic?.name ?? reference.name, index);
  const partition = topic?.partitions[index] ?? null;
  const refused = (code: number): Found => ({ errorCode: code, topic, partition });
  const because = (name: BrokerErrorName): Found => refused(codeOf(name));
  if (arranged !== 0) return refused(arranged);
  if (topic === null) return because(reference.isById ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION");
  if (partition === null) return because("UNKNOWN_TOPIC_OR_PARTITION");
  const { id } = context.broker;
  if (!partition.replicas.includes(id)) return because("NOT_LEADER_OR_FOLLOWER");
  if (currentLeaderEpoch >= 0 && currentLeaderEpoch < partition.leaderEpoch) return because("FENCED_LEADER_EPOCH");
  if (currentLeaderEpoch > partition.leaderEpoch) return because("UNKNOWN_LEADER_EPOCH");
  if (partition.leaderId !== id && !allowsFollowers) return because("NOT_LEADER_OR_FOLLOWER");
  return { errorCode: 0, topic, partition };
}

/** Who leads, for an answer that refuses because another does (KIP-951). */
export function currentLeaderOf(found: Found): { leaderId: number; leaderEpoch: number } | null {
  const isAboutLeaders =
    found.errorCode === codeOf("NOT_LEADER_OR_FOLLOWER") || found.errorCode === codeOf("FENCED_LEADER_EPOCH");
  if (!isAboutLeaders || found.partition === null) return null;
  return { leaderId: found.partition.leaderId, leaderEpoch: found.partition.leaderEpoch };
}

/** Where the named leaders are. */
export function endpointsOf(
  context: RequestContext,
  leaderIds: Iterable<number>,
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  return [...new Set(leaderIds)].flatMap((nodeId) => {
    const broker = context.cluster.broker(nodeId);
    return broker === undefined ? [] : [{ nodeId, host: broker.host, port: broker.port, rack: broker.rack }];
  });
}
