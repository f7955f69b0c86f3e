import type { Timer } from "../clock.ts";
import { State } from "../state.ts";

/**
 * `Empty` has had no transaction yet. `Ongoing` has partitions. `PrepareCommit` and `PrepareAbort` are decided, and the
 * markers are being written. `CompleteCommit` and `CompleteAbort` have them all.
 *
 * @see TransactionState (apache/kafka)
 */
export type TransactionState =
  | "Empty"
  | "Ongoing"
  | "PrepareCommit"
  | "PrepareAbort"
  | "CompleteCommit"
  | "CompleteAbort";

const arrows: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  Empty: ["Ongoing", "PrepareAbort"],
  Ongoing: ["PrepareCommit", "PrepareAbort"],
  PrepareCommit: ["CompleteCommit"],
  PrepareAbort: ["CompleteAbort"],
  CompleteCommit: ["Empty", "Ongoing", "PrepareAbort"],
  CompleteAbort: ["Empty", "Ongoing", "PrepareAbort"],
};

export const transactionStates: readonly string[] = Object.keys(arrows);

export interface Producer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export const noProducer: Producer = Object.freeze({ producerId: -1n, producerEpoch: -1 });

/** The largest int16 is for fencing: no producer ever gets it. */
const lastEpoch = 0x7fff - 1;

/** What the coordinator knows of a transactional id. */
export class Transaction {
  readonly transactionalId: string;
  readonly state: State<TransactionState> = new State<TransactionState>("Empty", arrows);
  /** `topic/partition` of what was written, or is about to be. */
  readonly partitions = new Map<string, { readonly topic: string; readonly partition: number }>();
  /** Groups whose offsets it commits. */
  readonly groups = new Set<string>();
  timeoutMs = 0;
  /** -1 while none is open. */
  startTimeMs = -1;
  /** Rings when it is open for too long. */
  expiry: Timer | null = null;
  /** Whether it ended by raising the epoch, the last time (KIP-890). */
  isV2 = false;
  producerId: bigint;
  epoch = -1;
  /** Before the last raise that the producer asked for, by which a repeated request is known; -1 for none. */
  lastEpoch = -1;
  /** Before a new id was given because the epochs were used up. */
  previousProducerId = -1n;

  constructor(transactionalId: string, producerId: bigint) {
    this.transactionalId = transactionalId;
    this.producerId = producerId;
  }

  get producer(): Producer {
    return { producerId: this.producerId, producerEpoch: this.epoch };
  }

  get isEpochExhausted(): boolean {
    return this.epoch >= lastEpoch;
  }

  hasPartition(topic: string, partition: number): boolean {
    return this.partitions.has(`${topic}/${partition}`);
  }

  addPartition(topic: string, partition: number): void {
    this.partitions.set(`${topic}/${partition}`, { topic, partition });
  }

  /** Goes on with another id, from epoch 0. */
  rotate(producerId: bigint): void {
    this.previousProducerId = this.producerId;
    this.producerId = producerId;
    this.lastEpoch = this.epoch;
    this.epoch = 0;
  }
}
