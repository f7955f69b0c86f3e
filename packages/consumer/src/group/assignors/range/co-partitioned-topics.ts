import { groupedBy } from "../grouping.ts";
import type { TopicRange } from "./topic-range.ts";

/** The topics by subscribers and number of partitions: who joins topics of one group needs the same number of each of them. */
export function coPartitioned(topics: readonly TopicRange[]): TopicRange[][] {
  const subscribers = new Set(topics.flatMap((topic) => topic.subscribers));
  const places = new Map([...subscribers].map((member, place) => [member, place]));
  const keyOf = (topic: TopicRange): string =>
    [topic.partitions.length, ...topic.subscribers.map((member) => places.get(member))].join();
  return [...groupedBy(topics, keyOf).values()];
}

/**
 * Gives all partitions of one number to one subscriber: the first that has room and a replica of each of them in its rack. Those
 * for which there is none are left.
 */
export function assignTogetherWithinRacks(topics: readonly TopicRange[]): void {
  // All give the same numbers to the same subscribers, so that one speaks for all.
  const [topic] = topics;
  if (topic === undefined || topic.subscribers.every(({ rack }) => rack === null)) return;
  const queues = groupedBy(topic.subscribers.keys(), (subscriber) => topic.subscribers[subscriber]?.rack);
  for (const place of topic.partitions.keys()) {
    const heads = [null, ...commonRacks(topics, place)].map((rack) => firstWithRoom(topic, queues.get(rack) ?? []));
    const subscriber = Math.min(...heads);
    if (subscriber < Infinity) for (const each of topics) each.give(place, subscriber);
  }
}

function firstWithRoom(topic: TopicRange, queue: number[]): number {
  for (;;) {
    const [head] = queue;
    if (head === undefined) return Infinity;
    if (topic.hasRoom(head)) return head;
    queue.shift();
  }
}

/** The racks with a replica of the partition at this place in each of the topics. */
function commonRacks(topics: readonly TopicRange[], place: number): readonly string[] {
  const [first = [], ...others] = topics.map(({ partitions }) => partitions[place]?.racks ?? []);
  return first.filter((rack) => others.every((racks) => racks.includes(rack)));
}
