import type { TopicPartition } from "odradek";
import { partitionKey } from "./offset-ledger.ts";

export interface LanesLimits {
  /** Of one partition, behind the batch that is handled. */
  readonly laneBytes: number;
  /** Of all partitions. */
  readonly allBytes: number;
}

/** What waits in a lane. */
interface Waiting {
  readonly partition: TopicPartition;
  readonly bytes: number;
}

/** While so many wait, small as they may be, the broker gathers: the next batch is larger. */
const mostBehind = 100;

/**
 * Of each partition the batches that it has brought and is not done with, in order: the first is handled, or waits for its turn. Of those
 * that wait for their turn the longest waiting is next.
 */
export class Lanes<Run extends Waiting> {
  readonly #limits: LanesLimits;
  readonly #lanes = new Map<string, Run[]>();
  /** The first of lanes that none of the handlers is at. */
  readonly #waiting: Run[] = [];
  #bytes = 0;
  #isOverfull = false;

  constructor(limits: LanesLimits) {
    this.#limits = limits;
  }

  /** What is handled, or waits for its turn, of each partition. */
  get firsts(): readonly Run[] {
    return [...this.#lanes.values()].flatMap(([first]) => first ?? []);
  }

  /** What there is of a partition. */
  of(partition: TopicPartition): readonly Run[] {
    return this.#lanes.get(partitionKey(partition)) ?? [];
  }

  add(run: Run): void {
    const key = partitionKey(run.partition);
    const lane = this.#lanes.get(key);
    this.#count(run.bytes);
    if (lane !== undefined) lane.push(run);
    else this.#begin(key, [run]);
  }

  /** Takes the one whose turn it is. */
  next(): Run | undefined {
    return this.#waiting.shift();
  }

  /** The first of the partition is done with, and the one behind it waits for its turn; `null` where there is none. */
  advance(partition: TopicPartition): Run | null {
    const [first, ...behind] = this.of(partition);
    const key = partitionKey(partition);
    this.#lanes.delete(key);
    this.#count(-(first?.bytes ?? 0));
    if (behind.length > 0) this.#begin(key, behind);
    return behind[0] ?? null;
  }

  /** Drops what there is of the partition. */
  clear(partition: TopicPartition): void {
    this.#take(partition);
  }

  /** Lets go of what waits for its turn. @returns whether the run did */
  withdraw(run: Run): boolean {
    const index = this.#waiting.indexOf(run);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    this.#take(run.partition);
    return true;
  }

  /** Gives no more turns. */
  close(): void {
    this.#waiting.length = 0;
  }

  /** Whether the partition is to bring no more for a while. */
  isFull(partition: TopicPartition): boolean {
    const [, ...behind] = this.of(partition);
    const waitingBytes = behind.reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#isOverfull || behind.length >= mostBehind || waitingBytes >= this.#limits.laneBytes;
  }

  /** Whether all are to bring no more, until half of what there is was handled. */
  get isOverfull(): boolean {
    return this.#isOverfull;
  }

  #begin(key: string, runs: Run[]): void {
    this.#lanes.set(key, runs);
    if (runs[0] !== undefined) this.#waiting.push(runs[0]);
  }

  #take(partition: TopicPartition): readonly Run[] {
    const runs = this.of(partition);
    this.#lanes.delete(partitionKey(partition));
    for (const { bytes } of runs) this.#count(-bytes);
    return runs;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    const { allBytes } = this.#limits;
    this.#isOverfull = this.#bytes >= (this.#isOverfull ? allBytes / 2 : allBytes);
  }
}
