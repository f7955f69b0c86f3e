import { partitionText } from "@odradek/network";
import type { RequestOf, ResponseOf } from "@odradek/protocol";
import type { Fetch } from "@odradek/protocol/messages/fetch";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { isolationLevelId } from "../positions/list-offsets.ts";
import type { FetchTarget, SessionRequest } from "./fetch-session.ts";

type Request = RequestOf<typeof Fetch>;

/** What a broker answered about one partition. */
export type PartitionData = ResponseOf<typeof Fetch>["responses"][number]["partitions"][number];

type Options = Pick<ResolvedConsumerOptions<unknown, unknown>, "fetchMaxWaitMs" | "fetchMinBytes" | "isolationLevel">;

/** Versions above this one name topics by their ids alone. */
const newestVersionWithNames = 12;

/** Which versions of Fetch can ask for this. */
export const versionsFor = ({ usesTopicIds }: SessionRequest): { readonly newest?: number } =>
  usesTopicIds ? {} : { newest: newestVersionWithNames };

/** What else a request says. */
export interface FetchTerms {
  /** Where the consumer is, for a leader that may know a replica there; empty for one that is to give records itself. */
  readonly rackId: string;
  /** Most that the answer may have, unless the first batch alone is larger. */
  readonly maxBytes: number;
}

/** A request in a version of Fetch. The broker serves partitions in the order in which it was told of them. */
export function fetchBody(request: SessionRequest, terms: FetchTerms, options: Options, version: number): Request {
  const { sessionId, sessionEpoch, targets, named, forgotten, replaced } = request;
  let { maxBytes } = terms;
  for (const { state } of targets.values()) maxBytes = Math.max(maxBytes, state.minFetchBytes);
  // By name the new topic would be forgotten with the old one.
  const gone = version > newestVersionWithNames ? [...forgotten, ...replaced] : forgotten;
  return {
    maxWaitMs: options.fetchMaxWaitMs,
    minBytes: options.fetchMinBytes,
    maxBytes,
    isolationLevel: isolationLevelId(options.isolationLevel),
    sessionId,
    sessionEpoch,
    topics: byTopic(named, ({ partition, leaderEpoch, position, maxBytes: partitionMaxBytes }) => ({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: position.offset,
      partitionMaxBytes,
    })),
    // Brokers without sessions have no field for it, and nothing was told to them that they could forget.
    forgottenTopicsData: byTopic(gone, ({ partition }) => partition),
    rackId: terms.rackId,
  };
}

/** Each topic once, with its partitions in their order. Two topics of the same name are two. */
function byTopic<P>(targets: readonly FetchTarget[], partitionOf: (target: FetchTarget) => P) {
  const topics = new Map<string, { topic: string; topicId: string; partitions: P[] }>();
  for (const target of targets) {
    const { topic, topicId } = target;
    const key = `${topicId} ${topic}`;
    const entry = topics.get(key) ?? { topic, topicId, partitions: [] };
    topics.set(key, entry);
    entry.partitions.push(partitionOf(target));
  }
  return [...topics.values()];
}

/** What an answer says. */
export interface FetchAnswers {
  /** By the text of the partition, of those that were asked for; of the others nothing was said. */
  readonly answers: ReadonlyMap<string, PartitionData>;
  /** Whether nothing was answered that nobody had asked for, which is passed over. */
  readonly isAsAsked: boolean;
}

export function fetchAnswers(targets: SessionRequest["targets"], answer: ResponseOf<typeof Fetch>): FetchAnswers {
  const answers = new Map<string, PartitionData>();
  let names: ReadonlyMap<string, string> | null = null;
  let isAsAsked = true;
  for (const { topic, topicId, partitions } of answer.responses) {
    names ??= topic === "" ? namesById(targets) : null;
    const name = topic === "" ? names?.get(topicId) : topic;
    for (const data of partitions) {
      const key = name === undefined ? "" : partitionText({ topic: name, partition: data.partitionIndex });
      if (targets.has(key)) answers.set(key, data);
      else isAsAsked = false;
    }
  }
  return { answers, isAsAsked };
}

const namesById = (targets: SessionRequest["targets"]): ReadonlyMap<string, string> =>
  new Map([...targets.values()].map(({ topic, topicId }) => [topicId, topic]));
