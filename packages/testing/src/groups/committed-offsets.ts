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

const keyOf = ({ topic, partition }: Pick<CommittedOffset, "topic" | "partition">): string => `${topic}/${partition}`;

/** The offsets of a group, and those that open transactions are about to commit. */
export class CommittedOffsets {
  readonly #offsets = new Map<string, CommittedOffset>();
  /** By producer id. */
  readonly #pending = new Map<bigint, Map<string, CommittedOffset>>();
  readonly #onCommit: () => void;

  /** @param onCommit called when an offset is committed */
  constructor(onCommit: () => void) {
    this.#onCommit = onCommit;
  }

  get isEmpty(): boolean {
    return this.#offsets.size === 0 && this.#pending.size === 0;
  }

  all(): CommittedOffset[] {
    return [...this.#offsets.values()];
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#offsets.get(keyOf({ topic, partition }));
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

  commit(offset: CommittedOffset): void {
    this.#offsets.set(keyOf(offset), offset);
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

  /** Forgets the topics that are no more. */
  keep(exists: (topic: string, partition: number) => boolean): void {
    for (const { topic, partition } of this.all()) if (!exists(topic, partition)) this.delete(topic, partition);
  }
}
