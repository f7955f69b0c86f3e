import { partitionText, type TopicPartition } from "@odradek/network";
import { brokerErrorByCode, type KafkaError } from "@odradek/protocol";
import { PartitionSequences } from "./partition-sequences.ts";
import type { PartitionAnswer } from "./produce-request.ts";
import type { ProducerBatch } from "./producer-batch.ts";
import { hasId, lastEpoch, noProducerId, type ProducerIdAndEpoch } from "./producer-id.ts";

/**
 * Under which id, epoch and sequence numbers batches go, and whether one that failed may go again under them.
 * Source: what of Kafka's `TransactionManager` and `TxnPartitionMap` is about sequences.
 */
export class BatchNumbers {
  readonly #isTransactional: boolean;
  readonly #sequences = new PartitionSequences();
  #producer: ProducerIdAndEpoch = noProducerId;
  /** Partitions whose numbers begin anew with the next epoch, since the broker does not take their batches. */
  readonly #toRestart = new Map<string, TopicPartition>();

  constructor(isTransactional: boolean) {
    this.#isTransactional = isTransactional;
  }

  get producer(): ProducerIdAndEpoch {
    return this.#producer;
  }

  /** Whether the fate of a batch is open, so that its partition waits. */
  get hasUnresolved(): boolean {
    return this.#sequences.hasUnresolved;
  }

  /** Whether partitions wait for another epoch. */
  get isBumpDue(): boolean {
    return this.#toRestart.size > 0;
  }

  /** Partitions in which what was given up has turned out to be missing, each once. */
  takeGaps(): readonly TopicPartition[] {
    return this.#sequences.takeGaps();
  }

  /** Goes on under another id or epoch. */
  adopt(producer: ProducerIdAndEpoch): void {
    this.#producer = producer;
    if (this.#isTransactional) this.#sequences.clear();
    for (const partition of this.#toRestart.values()) this.#sequences.restart(partition, producer);
    this.#toRestart.clear();
  }

  /**
   * Raises the epoch without asking anybody: a broker takes a higher epoch of an id that it knows (KIP-360).
   *
   * @returns false where the epochs of the id are used up, and it takes another one
   */
  bumpEpoch(): boolean {
    if (!hasId(this.#producer)) return true;
    const { producerId, producerEpoch } = this.#producer;
    if (producerEpoch >= lastEpoch) {
      this.#producer = noProducerId;
      return false;
    }
    this.adopt({ producerId, producerEpoch: producerEpoch + 1 });
    return true;
  }

  /** Has the numbers of a partition begin anew with the next epoch. */
  requestRestart({ topic, partition }: TopicPartition): void {
    this.#toRestart.set(partitionText({ topic, partition }), { topic, partition });
  }

  /** Whether its numbers allow a batch to be sent now. */
  mayDrain(batch: ProducerBatch): boolean {
    return this.#sequences.mayDrain(batch, this.#producer);
  }

  /** Gives a batch its numbers, unless it has them from an earlier attempt. */
  number(batch: ProducerBatch): void {
    if (!batch.hasSequence) this.#sequences.number(batch, this.#producer, this.#isTransactional);
  }

  /** A batch is in the log. @param baseOffset -1 where the broker does not tell */
  completed(batch: ProducerBatch, baseOffset: bigint): void {
    this.#sequences.completed(batch, baseOffset);
  }

  /** Replaces a batch that is too large by its parts. */
  split(large: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.#sequences.split(large, parts);
  }

  /** Takes in that a batch has failed for good; see `TransactionManager.onFailed`. */
  failed(batch: ProducerBatch, { code }: KafkaError, fate: "refused" | "unknown" | "open"): void {
    if (!batch.hasSequence) return;
    if (fate === "refused" && this.#isTransactional) this.#sequences.closeGap(batch);
    // Its numbers may be used up, or are missing: what comes next waits until every answer is there. Those before it may be in
    // the log, and keep their numbers until they are settled.
    else this.#sequences.markUnresolved(batch);
    if (fate !== "open") this.#sequences.remove(batch);
    // Who is forgotten begins at 0, where epochs cannot be raised.
    if (code === "UNKNOWN_PRODUCER_ID" && this.#isTransactional) this.#sequences.restart(batch, this.#producer);
  }

  /** No answer will come any more about a batch that was given up. */
  letGo(batch: ProducerBatch): void {
    this.#sequences.remove(batch);
  }

  /** Whether a later batch of the same partition is in the log, which implies this one. */
  isKnownToBeInLog(batch: ProducerBatch): boolean {
    return batch.hasSequence && this.#sequences.isKnownToBeInLog(batch);
  }

  /**
   * Whether a batch may be sent again after an error of the broker. It may have the numbers begin anew.
   * Source: `TransactionManager.canRetry`.
   */
  mayRetry(batch: ProducerBatch, { errorCode, logStartOffset }: PartitionAnswer): boolean {
    const { name, retriable } = brokerErrorByCode(errorCode);
    if (!batch.hasSequence) return retriable;
    if (name === "UNKNOWN_PRODUCER_ID") return this.#mayRetryUnknownProducer(batch, logStartOffset);
    if (name === "OUT_OF_ORDER_SEQUENCE_NUMBER") return this.#mayRetryOutOfOrder(batch);
    return retriable;
  }

  #mayRetryUnknownProducer(batch: ProducerBatch, logStartOffset: bigint): boolean {
    // The partition has moved to a broker that does not know yet.
    if (logStartOffset < 0n || batch.isRenumbered || !this.#sequences.isFirst(batch)) return true;
    // What this producer wrote was deleted from the log, and what was known of the producer with it.
    const isForgotten = this.#sequences.lastAckedOffset(batch) < logStartOffset;
    if (this.#isTransactional) {
      if (isForgotten) this.#sequences.restart(batch, this.#producer);
      return isForgotten;
    }
    this.requestRestart(batch);
    return true;
  }

  #mayRetryOutOfOrder(batch: ProducerBatch): boolean {
    const isUnresolved = this.#sequences.isUnresolved(batch);
    // It follows one that failed: when that one is there, this one will do.
    if (!isUnresolved && (batch.isRenumbered || !this.#sequences.isNext(batch))) return true;
    if (this.#isTransactional) return false;
    // Else the gap is real, unless it is that of a batch whose fate is open yet; those before it may be in the log.
    const isGap = !isUnresolved || this.#sequences.isNextBehindUnresolved(batch);
    if (isGap && this.#sequences.isFirst(batch)) this.requestRestart(batch);
    return true;
  }
}
