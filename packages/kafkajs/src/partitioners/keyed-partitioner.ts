import type { ICustomPartitioner, PartitionMetadata } from "./partitioner.ts";

/** Those that have a leader; all of them where none has. The rule is that all have one, and nothing is made anew then. */
function ledOf(partitions: readonly PartitionMetadata[]): readonly PartitionMetadata[] {
  if (partitions.every(hasLeader)) return partitions;
  const led = partitions.filter(hasLeader);
  return led.length > 0 ? led : partitions;
}

const hasLeader = ({ leader }: PartitionMetadata): boolean => leader >= 0;

const positive = (hash: number): number => hash & 0x7fff_ffff;

/**
 * The way of both built-in partitioners: the partition that the message names; else by the hash of its key, over all partitions; else
 * one after the other of those that have a leader. An empty key is a key.
 */
export const keyedPartitioner =
  (hashOf: (key: Uint8Array | string) => number): ICustomPartitioner =>
  () => {
    const counters = new Map<string, number>();
    const next = (topic: string): number => {
      // Producers that begin together must not all begin at the same partition.
      const count = (counters.get(topic) ?? Math.floor(Math.random() * 0x1_0000_0000)) + 1;
      counters.set(topic, count);
      return positive(count);
    };
    return ({ topic, partitionMetadata, message: { partition, key } }) => {
      if ((partition ?? null) !== null) return Number(partition);
      if (key !== null && key !== undefined) {
        const hashed = key instanceof Uint8Array ? key : String(key);
        return positive(hashOf(hashed)) % partitionMetadata.length;
      }
      const choices = ledOf(partitionMetadata);
      return choices[next(topic) % choices.length]?.partitionId ?? 0;
    };
  };
