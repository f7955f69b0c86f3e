import type { BrokerErrorName } from "@odradek/protocol";
import type { Clock } from "../clock.ts";
import type { TransactionSettings } from "../cluster-options.ts";
import type { GroupCoordinator } from "../groups/group-coordinator.ts";
import { AppendError } from "../log/log-batch.ts";
import type { Topics } from "../topics/topics.ts";
import { noProducer, type Producer, Transaction } from "./transaction.ts";

/** What InitProducerId and EndTxn are answered with. */
export interface ProducerResult extends Producer {
  readonly error: BrokerErrorName | null;
}

const refused = (error: BrokerErrorName): ProducerResult => ({ error, ...noProducer });

/** Of the coordinator, in every marker: it is never replaced. */
const coordinatorEpoch = 0;

/** Retried InitProducerId requests may name the epoch before the last one was used up. */
const isExhausted = (epoch: number): boolean => epoch >= 0x7fff - 1;

/**
 * The transactions of a cluster. Markers are in the logs as soon as a transaction has ended: there is no moment between.
 *
 * @see TransactionCoordinator, TransactionMetadata (apache/kafka)
 */
export class TransactionCoordinator {
  readonly #clock: Clock;
  readonly #topics: Topics;
  readonly #groups: GroupCoordinator;
  readonly #settings: TransactionSettings;
  readonly #transactions = new Map<string, Transaction>();
  #nextProducerId = 1_000n;

  constructor(clock: Clock, topics: Topics, groups: GroupCoordinator, settings: TransactionSettings) {
    this.#clock = clock;
    this.#topics = topics;
    this.#groups = groups;
    this.#settings = settings;
  }

  all(): Transaction[] {
    return [...this.#transactions.values()];
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#transactions.get(transactionalId);
  }

  /** @param expected what the producer has, to go on from there; `null` for one that starts */
  initProducerId(transactionalId: string | null, timeoutMs: number, expected: Producer | null): ProducerResult {
    if (transactionalId === null) return { error: null, producerId: this.#generateId(), producerEpoch: 0 };
    if (transactionalId === "") return refused("INVALID_REQUEST");
    if (timeoutMs <= 0 || timeoutMs > this.#settings.maxTimeoutMs) return refused("INVALID_TRANSACTION_TIMEOUT");
    const transaction = this.#transactions.get(transactionalId) ?? new Transaction(transactionalId, this.#generateId());
    this.#transactions.set(transactionalId, transaction);
    if (expected !== null && !isKnown(transaction, expected)) return refused("PRODUCER_FENCED");
    if (transaction.state.is("Ongoing")) {
      this.#fence(transaction);
      return refused("CONCURRENT_TRANSACTIONS");
    }
    const rotates = transaction.isEpochExhausted && (expected === null || expected.producerEpoch === transaction.epoch);
    if (rotates) transaction.rotate(this.#generateId());
    else if (!raiseEpoch(transaction, expected)) return refused("PRODUCER_FENCED");
    transaction.timeoutMs = timeoutMs;
    if (!transaction.state.is("Empty")) transaction.state.to("Empty");
    return { error: null, ...transaction.producer };
  }

  /** Takes partitions into the transaction, which begins with the first. */
  addPartitions(
    transactionalId: string,
    producer: Producer,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): BrokerErrorName | null {
    const transaction = this.#owned(transactionalId, producer);
    if (typeof transaction === "string") return transaction;
    this.#begin(transaction);
    for (const { topic, partition } of partitions) transaction.addPartition(topic, partition);
    return null;
  }

  /** Takes the offsets of a group into the transaction. */
  addGroup(transactionalId: string, producer: Producer, groupId: string): BrokerErrorName | null {
    const transaction = this.#owned(transactionalId, producer);
    if (typeof transaction === "string") return transaction;
    this.#begin(transaction);
    transaction.groups.add(groupId);
    return null;
  }

  /**
   * Whether a partition is in the transaction, before a batch of it is appended (KIP-890).
   *
   * @param adds whether it is taken into the transaction where it is not
   */
  verify(
    transactionalId: string,
    producer: Producer,
    topic: string,
    partition: number,
    { adds }: { readonly adds: boolean },
  ): BrokerErrorName | null {
    if (adds) return asLogSays(this.addPartitions(transactionalId, producer, [{ topic, partition }]));
    const transaction = this.#owned(transactionalId, producer);
    if (typeof transaction === "string") return asLogSays(transaction);
    const isIn = transaction.state.is("Ongoing") && transaction.hasPartition(topic, partition);
    return isIn ? null : "TRANSACTION_ABORTABLE";
  }

  /** The same for the offsets of a group. */
  verifyGroup(
    transactionalId: string,
    producer: Producer,
    groupId: string,
    { adds }: { readonly adds: boolean },
  ): BrokerErrorName | null {
    if (adds) return asLogSays(this.addGroup(transactionalId, producer, groupId));
    const transaction = this.#owned(transactionalId, producer);
    if (typeof transaction === "string") return asLogSays(transaction);
    return transaction.state.is("Ongoing") && transaction.groups.has(groupId) ? null : "TRANSACTION_ABORTABLE";
  }

  /** @param isV2 whether the producer goes on with a new epoch (KIP-890) */
  end(transactionalId: string, producer: Producer, isCommit: boolean, isV2: boolean): ProducerResult {
    if (transactionalId === "") return refused("INVALID_REQUEST");
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) return refused("INVALID_PRODUCER_ID_MAPPING");
    const { producerEpoch } = producer;
    const isRotated =
      isV2 &&
      producer.producerId === transaction.previousProducerId &&
      isExhausted(producerEpoch) &&
      transaction.epoch === 0;
    if (transaction.producerId !== producer.producerId && !isRotated) return refused("INVALID_PRODUCER_ID_MAPPING");
    const isOver = transaction.state.is("CompleteCommit", "CompleteAbort");
    const isRetry = isV2 && isOver && (isRotated || (transaction.isV2 && producerEpoch === transaction.epoch - 1));
    if (!isRetry && producerEpoch !== transaction.epoch) return refused("PRODUCER_FENCED");
    if (transaction.state.is("Ongoing")) {
      this.#end(transaction, isCommit, isV2);
      return { error: null, ...transaction.producer };
    }
    const isRepeated = transaction.state.is(isCommit ? "CompleteCommit" : "CompleteAbort");
    if (isRepeated && (isRetry || !isV2)) return { error: null, ...transaction.producer };
    // A producer that began a transaction and wrote nothing may abort it, and goes on with a new epoch all the same.
    if (isV2 && !isCommit && !isRetry) {
      this.#end(transaction, false, true);
      return { error: null, ...transaction.producer };
    }
    return refused("INVALID_TXN_STATE");
  }

  /** Sets no more timers. */
  close(): void {
    for (const { expiry } of this.#transactions.values()) expiry?.cancel();
    this.#transactions.clear();
  }

  #generateId(): bigint {
    return this.#nextProducerId++;
  }

  #owned(transactionalId: string, { producerId, producerEpoch }: Producer): Transaction | BrokerErrorName {
    if (transactionalId === "") return "INVALID_REQUEST";
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined || transaction.producerId !== producerId) return "INVALID_PRODUCER_ID_MAPPING";
    return transaction.epoch === producerEpoch ? transaction : "PRODUCER_FENCED";
  }

  #begin(transaction: Transaction): void {
    if (transaction.state.is("Ongoing")) return;
    transaction.state.to("Ongoing");
    transaction.startTimeMs = this.#clock.now();
    transaction.expiry = this.#clock.after(transaction.timeoutMs, () => this.#fence(transaction));
  }

  /** Aborts what is open, under an epoch that the producer does not have. */
  #fence(transaction: Transaction): void {
    transaction.epoch += 1;
    transaction.lastEpoch = -1;
    this.#end(transaction, false, false);
  }

  #end(transaction: Transaction, isCommit: boolean, raisesEpoch: boolean): void {
    transaction.expiry?.cancel();
    transaction.expiry = null;
    transaction.state.to(isCommit ? "PrepareCommit" : "PrepareAbort");
    const ended = transaction.producerId;
    if (raisesEpoch) transaction.epoch += 1;
    this.#writeMarkers(transaction, isCommit);
    if (raisesEpoch && transaction.epoch > 0x7fff - 1) {
      transaction.rotate(this.#generateId());
    } else if (raisesEpoch) {
      transaction.lastEpoch = transaction.epoch - 1;
    }
    for (const groupId of transaction.groups) this.#groups.get(groupId)?.offsets.endTransaction(ended, isCommit);
    transaction.partitions.clear();
    transaction.groups.clear();
    transaction.startTimeMs = -1;
    transaction.isV2 = raisesEpoch;
    transaction.state.to(isCommit ? "CompleteCommit" : "CompleteAbort");
  }

  #writeMarkers(transaction: Transaction, isCommit: boolean): void {
    for (const { topic, partition } of transaction.partitions.values()) {
      // A topic that was deleted meanwhile needs none.
      const found = this.#topics.partition(topic, partition);
      const marker = { type: isCommit ? "commit" : "abort", coordinatorEpoch } as const;
      try {
        found?.log.appendMarker(marker, transaction.producer, found.leaderEpoch);
      } catch (error) {
        // Somebody wrote with a later epoch: there is nothing of this one to end.
        if (!(error instanceof AppendError)) throw error;
      }
    }
  }
}

function isKnown(transaction: Transaction, { producerId, producerEpoch }: Producer): boolean {
  return (
    transaction.epoch === -1 ||
    producerId === transaction.producerId ||
    (producerId === transaction.previousProducerId && isExhausted(producerEpoch))
  );
}

/** @returns false for a producer that has been replaced */
function raiseEpoch(transaction: Transaction, expected: Producer | null): boolean {
  if (expected === null || transaction.epoch === -1 || expected.producerEpoch === transaction.epoch) {
    transaction.lastEpoch = expected === null ? -1 : transaction.epoch;
    transaction.epoch += 1;
    return true;
  }
  // It asked before, and did not get the answer.
  return expected.producerEpoch === transaction.lastEpoch;
}

/** A partition tells a producer that was replaced so in the way that lets it abort and go on (KIP-588). */
const asLogSays = (error: BrokerErrorName | null): BrokerErrorName | null =>
  error === "PRODUCER_FENCED" ? "INVALID_PRODUCER_EPOCH" : error;
