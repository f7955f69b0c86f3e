import { partitionText, type TopicPartition } from "@odradek/network";

/** Partitions under the names of their topics, as requests have them. */
function byTopic<T extends TopicPartition>(partitions: Iterable<T>): ReadonlyMap<string, readonly T[]> {
  const topics = new Map<string, T[]>();
  for (const partition of partitions) {
    const known = topics.get(partition.topic);
    if (known === undefined) topics.set(partition.topic, [partition]);
    else known.push(partition);
  }
  return topics;
}

/** The same as an array of what `toTopic` makes of each topic. */
export const topicsOf = <T extends TopicPartition, R>(
  partitions: Iterable<T>,
  toTopic: (name: string, partitions: readonly T[]) => R,
): R[] => [...byTopic(partitions)].map(([name, all]) => toTopic(name, all));

/** Answers that come topic by topic, under the texts of their partitions. */
export function byPartition<T, P extends { readonly partitionIndex: number }, V>(
  topics: readonly T[],
  nameOf: (topic: T) => string,
  partitionsOf: (topic: T) => readonly P[],
  toValue: (at: TopicPartition, partition: P) => V,
): Map<string, V> {
  const answers = new Map<string, V>();
  for (const topic of topics) {
    for (const partition of partitionsOf(topic)) {
      const at = { topic: nameOf(topic), partition: partition.partitionIndex };
      answers.set(partitionText(at), toValue(at, partition));
    }
  }
  return answers;
}
