/** What a client wants of one partition, and what it was told last. */
export interface FetchPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly fetchOffset: bigint;
  readonly maxBytes: number;
  readonly currentLeaderEpoch: number;
  readonly lastFetchedEpoch: number;
}

/** What the last answer said about a partition: only what differs from it is told again. */
interface Told {
  readonly highWatermark: bigint;
  readonly logStartOffset: bigint;
}

/** After the largest epoch comes 1: 0 is for a session that starts. */
const maxEpoch = 0x7fff_ffff;

export const keyOf = ({ topic, topicId, partition }: Pick<FetchPartition, "topic" | "topicId" | "partition">): string =>
  `${topicId}/${topic}/${partition}`;

/** What one client fetches from one broker, so that it need not say so each time (KIP-227). */
export class FetchSession {
  readonly id: number;
  /** Whether it names topics by id. */
  readonly usesTopicIds: boolean;
  readonly #partitions = new Map<string, FetchPartition>();
  readonly #told = new Map<string, Told>();
  #epoch = 1;

  constructor(id: number, usesTopicIds: boolean, partitions: readonly FetchPartition[]) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.update(partitions);
  }

  /** Which epoch the next request has to have. */
  get epoch(): number {
    return this.#epoch;
  }

  get partitions(): FetchPartition[] {
    return [...this.#partitions.values()];
  }

  next(): void {
    this.#epoch = this.#epoch === maxEpoch ? 1 : this.#epoch + 1;
  }

  update(partitions: readonly FetchPartition[]): void {
    for (const partition of partitions) this.#partitions.set(keyOf(partition), partition);
  }

  forget(key: string): void {
    this.#partitions.delete(key);
    this.#told.delete(key);
  }

  /** Whether the client has to hear of this; it counts as told then. An error is told every time. */
  isNews(key: string, hasNews: boolean, now: Told): boolean {
    const told = this.#told.get(key);
    this.#told.set(key, now);
    return hasNews || told?.highWatermark !== now.highWatermark || told.logStartOffset !== now.logStartOffset;
  }

  /** Puts a partition behind the others, once it got something: so that none of them starves. */
  moveToEnd(key: string): void {
    const partition = this.#partitions.get(key);
    if (partition === undefined) return;
    this.#partitions.delete(key);
    this.#partitions.set(key, partition);
  }
}
