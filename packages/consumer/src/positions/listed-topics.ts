import {
  askForAllTopics,
  type Clock,
  Deadline,
  exponentialBackoff,
  type NetworkClient,
  type PartitionSnapshot,
  TimeoutError,
  type TopicSnapshot,
} from "@odradek/network";
import { BrokerError, codeOf, KafkaError } from "@odradek/protocol";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";

/** A topic that there is. */
export interface ListedTopic {
  readonly topic: string;
  /** Whether it is Kafka's own, such as `__consumer_offsets`. */
  readonly isInternal: boolean;
  /** By number, with who leads them. */
  readonly partitions: readonly PartitionSnapshot[];
}

type Options = Pick<ResolvedConsumerOptions<unknown, unknown>, "retryBackoffMs" | "retryBackoffMaxMs">;

/**
 * Asks any broker for all topics, again while an error may pass. Source: Kafka's `TopicMetadataFetcher`.
 *
 * @throws TimeoutError at the deadline, AuthenticationError, BrokerError for what asking again will not mend
 */
export async function listedTopics(
  network: Pick<NetworkClient, "pause" | "request">,
  options: Options,
  clock: Clock,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<ListedTopic[]> {
  const backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  for (let attempt = 0; ; attempt++) {
    try {
      const { topics, topicErrors } = await askForAllTopics(network, { deadline, signal });
      checkErrors(topicErrors);
      return [...topics.values()].map(listed).sort(byName);
    } catch (cause) {
      if (!(cause instanceof KafkaError && cause.retriable)) throw cause;
      await network.pause(new Deadline(clock, Math.min(backoff(attempt), deadline.remainingMs)), { signal });
      if (deadline.isOver) throw new TimeoutError("the topics of the cluster", deadline.timeoutMs, { cause });
    }
  }
}

/** A topic that was deleted while the broker answered is none. @throws BrokerError for the first that is one and cannot be told */
function checkErrors(topicErrors: ReadonlyMap<string, number>): void {
  for (const [topic, code] of topicErrors) {
    if (code !== codeOf("UNKNOWN_TOPIC_OR_PARTITION")) throw new BrokerError(code, `topic ${topic}`);
  }
}

const listed = ({ name: topic, isInternal, partitions }: TopicSnapshot): ListedTopic => ({
  topic,
  isInternal,
  partitions,
});

const byName = (one: ListedTopic, other: ListedTopic): number => (one.topic < other.topic ? -1 : 1);
