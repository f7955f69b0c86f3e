import type { TopicSnapshot } from "@odradek/network";
import type { Partitioner, PartitionerRecord } from "./partitioner.ts";

/** Where one topic stands. */
interface Round {
  /** As it was when `partitions` were made from it. */
  topic: TopicSnapshot;
  /** Those that have a leader; all, where none has. */
  partitions: readonly number[];
  next: number;
}

/**
 * Goes round the partitions of each topic that have a leader, whatever the key: one record here, the next one there. Batches are
 * smaller than with the partitioner that is built in, which is even over time as well. Source: Kafka's `RoundRobinPartitioner`.
 *
 * @example
 * new KafkaProducer({ bootstrapServers, partitioner: RoundRobinPartitioner })
 */
export class RoundRobinPartitioner implements Partitioner {
  readonly #rounds = new Map<string, Round>();

  partition(_: PartitionerRecord, topic: TopicSnapshot): number {
    const round = this.#roundOf(topic);
    const partition = round.partitions[round.next % round.partitions.length] ?? 0;
    round.next = (round.next + 1) & 0x7fff_ffff;
    return partition;
  }

  #roundOf(topic: TopicSnapshot): Round {
    let round = this.#rounds.get(topic.name);
    if (round === undefined) {
      round = { topic, partitions: candidates(topic), next: 0 };
      this.#rounds.set(topic.name, round);
    } else if (round.topic !== topic) {
      round.topic = topic;
      round.partitions = candidates(topic);
    }
    return round;
  }
}

function candidates({ partitions }: TopicSnapshot): number[] {
  const led = partitions.filter(({ leaderId }) => leaderId !== null);
  return (led.length > 0 ? led : partitions).map(({ partition }) => partition);
}
