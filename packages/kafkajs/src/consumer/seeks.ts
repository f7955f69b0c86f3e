import type { KafkaConsumer, TopicPartition } from "odradek";
import { partitionKey } from "./offset-ledger.ts";

/** Where a partition is to go on: an offset, or an end of its log. */
export type SeekTarget = bigint | "beginning" | "end";

export interface SeekMove {
  readonly partition: TopicPartition;
  readonly target: SeekTarget;
}

/**
 * Where partitions are to go on elsewhere than behind what was read of them. They are moved between two polls and at no other time: a poll
 * that is under way may have found records already, and nobody could tell whether they are of before or behind a move.
 */
export class Seeks {
  readonly #consumer: Pick<KafkaConsumer<Buffer, Buffer>, "seek" | "seekToBeginning" | "seekToEnd">;
  readonly #onMove: () => void;
  /** What users want of partitions that are at work, or not assigned yet. */
  readonly #wanted = new Map<string, SeekTarget>();
  /** What is to be moved before the next poll. */
  readonly #moves = new Map<string, SeekMove>();

  /** @param onMove called when the poll that is under way is to end, so that something can be moved */
  constructor(
    consumer: Pick<KafkaConsumer<Buffer, Buffer>, "seek" | "seekToBeginning" | "seekToEnd">,
    onMove: () => void,
  ) {
    this.#consumer = consumer;
    this.#onMove = onMove;
  }

  /** The last one counts. */
  want(partition: TopicPartition, target: SeekTarget): void {
    this.#wanted.set(partitionKey(partition), target);
  }

  isWanted(partition: TopicPartition): boolean {
    return this.#wanted.has(partitionKey(partition));
  }

  /** Has the partition moved to where it is wanted. @returns that; `null` where nobody wants anything */
  apply(partition: TopicPartition): SeekTarget | null {
    const key = partitionKey(partition);
    const target = this.#wanted.get(key);
    if (target === undefined) return null;
    this.#wanted.delete(key);
    this.move(partition, target);
    return target;
  }

  move(partition: TopicPartition, target: SeekTarget): void {
    this.#moves.set(partitionKey(partition), { partition, target });
    this.#onMove();
  }

  /** Whether what a poll brings of the partition is void, because it is about to be moved. */
  isMoving(partition: TopicPartition): boolean {
    return this.#moves.has(partitionKey(partition));
  }

  /** These are another's from now on. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#moves.delete(partitionKey(partition));
  }

  /** Moves what is to be moved, while no poll is under way. @returns that */
  carryOut(): SeekMove[] {
    const moves = [...this.#moves.values()];
    this.#moves.clear();
    for (const { partition, target } of moves) {
      if (target === "beginning") this.#consumer.seekToBeginning([partition]);
      else if (target === "end") this.#consumer.seekToEnd([partition]);
      else this.#consumer.seek(partition, target);
    }
    return moves;
  }
}
