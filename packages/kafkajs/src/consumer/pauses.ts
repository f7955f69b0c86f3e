import type { TopicPartition } from "odradek";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";

export interface TopicPartitions {
  topic: string;
  partitions: number[];
}

/** What `pause` and `resume` take: without `partitions`, all of the topic, also those that are yet to come. */
export interface PausedTopic {
  topic: string;
  partitions?: number[];
}

interface TopicPauses {
  /** Whether all are, except for those that are named; else those that are named are. */
  readonly isAll: boolean;
  readonly named: Set<number>;
}

/** What the user has paused. */
export class Pauses {
  readonly #topics = new Map<string, TopicPauses>();

  /** @throws KafkaJSNonRetriableError for what are no partitions */
  pause(topics: readonly PausedTopic[]): void {
    this.#set(topics, true);
  }

  /** @throws KafkaJSNonRetriableError for what are no partitions */
  resume(topics: readonly PausedTopic[]): void {
    this.#set(topics, false);
  }

  has({ topic, partition }: TopicPartition): boolean {
    const pauses = this.#topics.get(topic);
    return pauses !== undefined && pauses.named.has(partition) !== pauses.isAll;
  }

  /** Those of the assigned partitions that are paused. */
  among(assigned: readonly TopicPartition[]): TopicPartitions[] {
    const byTopic = new Map<string, number[]>();
    for (const { topic, partition } of assigned) {
      if (this.has({ topic, partition })) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
    }
    return [...byTopic].map(([topic, partitions]) => ({ topic, partitions: partitions.sort((a, b) => a - b) }));
  }

  #set(topics: readonly PausedTopic[], isPaused: boolean): void {
    for (const given of topics) check(given);
    for (const { topic, partitions } of topics) {
      if (partitions === undefined) {
        this.#topics.set(topic, { isAll: isPaused, named: new Set() });
        continue;
      }
      const pauses = this.#topics.get(topic) ?? { isAll: false, named: new Set<number>() };
      this.#topics.set(topic, pauses);
      for (const partition of partitions) {
        if (isPaused === pauses.isAll) pauses.named.delete(partition);
        else pauses.named.add(partition);
      }
    }
  }
}

function check({ topic, partitions }: PausedTopic): void {
  if (!topic) throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`);
  if (partitions === undefined) return;
  if (Array.isArray(partitions) && partitions.every((partition) => Number.isInteger(partition))) return;
  throw new KafkaJSNonRetriableError(
    `Array of valid partitions required to pause specific partitions instead of ${String(partitions)}`,
  );
}
