import type { Clock } from "../clock.ts";

/** How far a group has read a partition. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Of the next record to read. */
  readonly offset: bigint;
  /** Of the last record read, -1 unknown. */
  readonly leaderEpoch: number;
  /** A note of the application's own. */
  readonly metadata: string;
}

/** An offset with what decides how long it is kept. */
interface Kept {
  readonly committed: CommittedOffset;
  /** Ms since 1970. */
  readonly commitTimestampMs: number;
  /** As the commit said itself, up to version 4 of OffsetCommit; `null` where the cluster's retention decides. */
  readonly expireTimestampMs: number | null;
}

/** Which offsets are too old. */
export interface OffsetExpiration {
  readonly nowMs: number;
  /** `offsets.retention.minutes` */
  readonly retentionMs: number;
  /** From when on the retention counts, by when it was committed; `null` for an offset that is kept. */
  readonly baseOf: (topic: string, commitTimestampMs: number) => number | null;
}

const keyOf = ({ topic, partition }: Pick<CommittedOffset, "topic" | "partition">): string => `${topic}/${partition}`;

/** The offsets of a group, and those that open transactions are about to commit. */
export class CommittedOffsets {
  readonly #offsets = new Map<string, Kept>();
  /** By producer id. */
  readonly #pending = new Map<bigint, Map<string, CommittedOffset>>();
  readonly #clock: Clock;
  readonly #onCommit: () => void;

  /** @param onCommit called when an offset is committed */
  constructor(clock: Clock, onCommit: () => void) {
    this.#clock = clock;
    this.#onCommit = onCommit;
  }

  get isEmpty(): boolean {
    return this.#offsets.size === 0 && this.#pending.size === 0;
  }

  all(): CommittedOffset[] {
    return [...this.#offsets.values()].map(({ committed }) => committed);
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#offsets.get(keyOf({ topic, partition }))?.committed;
  }

  /** Whether an open transaction is about to change it. */
  isUnstable(topic: string, partition: number): boolean {
    const key = keyOf({ topic, partition });
    return [...this.#pending.values()].some((offsets) => offsets.has(key));
  }

  /** Partitions that open transactions are about to commit. */
  unstable(): CommittedOffset[] {
    return [...this.#pending.values()].flatMap((offsets) => [...offsets.values()]);
  }

  /** @param retentionMs how long it is kept, where the commit says so itself */
  commit(committed: CommittedOffset, retentionMs: number | null = null): void {
    const commitTimestampMs = this.#clock.now();
    const expireTimestampMs = retentionMs === null ? null : commitTimestampMs + retentionMs;
    this.#offsets.set(keyOf(committed), { committed, commitTimestampMs, expireTimestampMs });
    this.#onCommit();
  }

  commitInTransaction(producerId: bigint, offset: CommittedOffset): void {
    const pending = this.#pending.get(producerId) ?? new Map<string, CommittedOffset>();
    this.#pending.set(producerId, pending.set(keyOf(offset), offset));
  }

  endTransaction(producerId: bigint, isCommit: boolean): void {
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (isCommit) for (const offset of pending?.values() ?? []) this.commit(offset);
  }

  delete(topic: string, partition: number): void {
    this.#offsets.delete(keyOf({ topic, partition }));
  }

  /**
   * Forgets the offsets that are too old, except for those that an open transaction is about to change.
   *
   * @see OffsetMetadataManager.cleanupExpiredOffsets, OffsetExpirationConditionImpl (apache/kafka)
   */
  expire({ nowMs, retentionMs, baseOf }: OffsetExpiration): void {
    for (const { committed, commitTimestampMs, expireTimestampMs } of this.#offsets.values()) {
      const { topic, partition } = committed;
      const baseMs = baseOf(topic, commitTimestampMs);
      if (baseMs === null || this.isUnstable(topic, partition)) continue;
      if (nowMs >= (expireTimestampMs ?? baseMs + retentionMs)) this.delete(topic, partition);
    }
  }

  /** Forgets the topics that are no more. */
  keep(exists: (topic: string, partition: number) => boolean): void {
    for (const { topic, partition } of this.all()) if (!exists(topic, partition)) this.delete(topic, partition);
  }
}
