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

  pause(topics: readonly PausedTopic[]): void {
    this.#set(topics, true);
  }

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
    for (const { topic, partitions } of topics) {
      if (partitions === undefined) {
        this.#topics.set(topic, { isAll: isPaused, named: new Set() });
        continue;
      }
      const pauses = this.#topics.get(topic) ?? { isAll: false, named: new Set<number>() };
      this.#topics.set(topic, pauses);
      // Who has no types may give them as text.
      for (const partition of partitions.map(Number)) {
        if (isPaused === pauses.isAll) pauses.named.delete(partition);
        else pauses.named.add(partition);
      }
    }
  }
}

const invalidTopic = (given: unknown) => new KafkaJSNonRetriableError(`Invalid topic ${String(given)}`);

/** @throws KafkaJSNonRetriableError for what are no partitions to `action` */
export function checkPartitions(topics: readonly PausedTopic[], action: "pause" | "resume"): void {
  for (const given of topics) {
    if (!given?.topic) throw invalidTopic(given);
    const { partitions } = given;
    if (partitions === undefined) continue;
    if (Array.isArray(partitions) && partitions.every((partition) => Number.isInteger(Number(partition)))) continue;
    throw new KafkaJSNonRetriableError(
      `Array of valid partitions required to ${action} specific partitions instead of ${String(partitions)}`,
    );
  }
}
