import type { TopicPartition } from "odradek";
import type { TopicOffsets } from "../producer/transactions.ts";

/** An offset of a partition: that of the message that comes next. */
export interface NextOffset extends TopicPartition {
  readonly offset: bigint;
}

interface Entry extends TopicPartition {
  resolved: bigint;
  /** What the group has, as far as is known; at first where the partition began. */
  committed: bigint;
}

export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** What the handlers are done with, and what of it is committed. */
export class OffsetLedger {
  readonly #entries = new Map<string, Entry>();

  /** A partition is about to be handled from `offset` on. */
  begin({ topic, partition, offset }: NextOffset): void {
    const key = partitionKey({ topic, partition });
    if (!this.#entries.has(key)) this.#entries.set(key, { topic, partition, resolved: offset, committed: offset });
  }

  /** Everything before `offset` is done with. */
  resolve({ topic, partition, offset }: NextOffset): void {
    this.begin({ topic, partition, offset });
    const entry = this.#entries.get(partitionKey({ topic, partition }));
    if (entry !== undefined) entry.resolved = offset;
  }

  committed({ topic, partition, offset }: NextOffset): void {
    const entry = this.#entries.get(partitionKey({ topic, partition }));
    if (entry !== undefined) entry.committed = offset;
  }

  /** Where the partition goes on; `null` where nothing of it was handled. */
  resolvedOf(partition: TopicPartition): bigint | null {
    return this.#entries.get(partitionKey(partition))?.resolved ?? null;
  }

  forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#entries.delete(partitionKey(partition));
  }

  /** What is resolved and not committed. @param of default all partitions */
  uncommitted(of?: readonly TopicPartition[]): NextOffset[] {
    const keys = of === undefined ? null : new Set(of.map(partitionKey));
    return [...this.#entries]
      .filter(([key, { resolved, committed }]) => resolved !== committed && (keys?.has(key) ?? true))
      .map(([, { topic, partition, resolved }]) => ({ topic, partition, offset: resolved }));
  }

  /** How many messages that are. */
  get uncommittedCount(): number {
    let count = 0n;
    for (const { resolved, committed } of this.#entries.values()) count += resolved - committed;
    return Number(count);
  }
}

/** Offsets as kafkajs groups them. */
export function topicOffsetsOf(offsets: readonly NextOffset[]): TopicOffsets[] {
  const byTopic = new Map<string, TopicOffsets>();
  for (const { topic, partition, offset } of offsets) {
    const group = byTopic.get(topic) ?? { topic, partitions: [] };
    group.partitions.push({ partition, offset: String(offset) });
    byTopic.set(topic, group);
  }
  return [...byTopic.values()];
}
