import { partitionText } from "@odradek/network";
import { type RequestOf, type ResponseOf, zeroUuid } from "@odradek/protocol";
import type { Fetch } from "@odradek/protocol/messages/fetch";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { isolationLevelId } from "../positions/list-offsets.ts";
import type { FetchPosition, PartitionState } from "../positions/partition-state.ts";

/** One partition of a request, and from where: its answer is void when the partition has moved on since. */
export interface FetchTarget {
  readonly topic: string;
  /** The zero UUID where the broker has no topic ids. */
  readonly topicId: string;
  readonly partition: number;
  /** As the metadata had it. */
  readonly leaderEpoch: number;
  readonly state: PartitionState;
  readonly position: FetchPosition;
}

/** What a broker answered about one partition. */
export type PartitionData = ResponseOf<typeof Fetch>["responses"][number]["partitions"][number];

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "fetchMaxWaitMs" | "fetchMinBytes" | "fetchMaxBytes" | "maxPartitionFetchBytes" | "isolationLevel"
>;

/** Versions above this one name topics by their ids alone. */
const newestVersionWithNames = 12;

/** Which versions of Fetch can ask for these. */
export const versionsFor = (targets: readonly FetchTarget[]): { readonly newest?: number } =>
  targets.every(({ topicId }) => topicId !== zeroUuid) ? {} : { newest: newestVersionWithNames };

/** A request without a session, which names all that it wants. The broker serves partitions in this order. */
export function fetchBody(targets: readonly FetchTarget[], options: Options): RequestOf<typeof Fetch> {
  type Topic = RequestOf<typeof Fetch>["topics"][number];
  type Partition = Topic["partitions"][number];
  const topics = new Map<string, { topic: string; topicId: string; partitions: Partition[] }>();
  for (const { topic, topicId, partition, leaderEpoch, state, position } of targets) {
    const entry = topics.get(topic) ?? { topic, topicId, partitions: [] };
    topics.set(topic, entry);
    entry.partitions.push({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: position.offset,
      partitionMaxBytes: Math.max(options.maxPartitionFetchBytes, state.minFetchBytes),
    });
  }
  return {
    maxWaitMs: options.fetchMaxWaitMs,
    minBytes: options.fetchMinBytes,
    maxBytes: Math.max(options.fetchMaxBytes, ...targets.map(({ state }) => state.minFetchBytes)),
    isolationLevel: isolationLevelId(options.isolationLevel),
    sessionId: 0,
    sessionEpoch: -1,
    topics: [...topics.values()],
    forgottenTopicsData: [],
  };
}

/** Each target with what was answered about it, `null` for nothing. What nobody asked for is passed over. */
export function* fetchAnswers(
  targets: readonly FetchTarget[],
  answer: ResponseOf<typeof Fetch>,
): Generator<readonly [FetchTarget, PartitionData | null]> {
  const names = new Map(targets.map(({ topic, topicId }) => [topicId, topic]));
  const answers = new Map<string, PartitionData>();
  for (const { topic, topicId, partitions } of answer.responses) {
    const name = topic === "" ? names.get(topicId) : topic;
    if (name === undefined) continue;
    for (const data of partitions) answers.set(partitionText({ topic: name, partition: data.partitionIndex }), data);
  }
  for (const target of targets) yield [target, answers.get(partitionText(target)) ?? null];
}
