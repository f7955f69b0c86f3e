import type { KafkaConsumer } from "odradek";

/**
 * Whether a consumer has partitions, and has been given all that was in them. Most programs read for ever; the examples end here.
 * That a poll came back empty would not do: its time may have passed while the group was dividing the partitions.
 */
export function isCaughtUp(consumer: Pick<KafkaConsumer, "assignment" | "currentLag">): boolean {
  const partitions = consumer.assignment();
  return partitions.length > 0 && partitions.every((partition) => consumer.currentLag(partition) === 0n);
}
