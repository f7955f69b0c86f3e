import { partitionText, type TopicPartition } from "@odradek/network";
import type { ProducerBatch } from "./producer-batch.ts";
import { isSameProducer, noProducerId, type ProducerIdAndEpoch } from "./producer-id.ts";
import { sequenceAfter, sequenceBefore } from "./sequence.ts";

/** What a partition's leader expects of one producer. */
interface Entry extends TopicPartition {
  /** Whom the sequence numbers belong to. */
  producer: ProducerIdAndEpoch;
  /** Of the next record that gets one. */
  nextSequence: number;
  /** Of the last record that is known to be in the log; -1 for none. */
  lastAckedSequence: number;
  /** Offset of that record; -1 unknown. */
  lastAckedOffset: bigint;
  /** The producer id of which the leader has a batch: it checks the numbers of those that it knows, and takes any of others. */
  knownId: bigint;
  /** Batches that have their numbers and whose fate is open, those that wait to be sent again included; by number. */
  readonly inFlight: ProducerBatch[];
}

/**
 * The sequence numbers of each partition: given when a batch is first sent, and kept over all its attempts, so that a broker
 * takes each batch once and in order. Source: Kafka's `TxnPartitionMap`, `TxnPartitionEntry`, KIP-98, KIP-360.
 */
export class PartitionSequences {
  readonly #entries = new Map<string, Entry>();
  /**
   * Partitions with a batch that was given up and may be in the log, and the number behind it. Nothing new is sent to them
   * until every answer is there: then the last acknowledged number tells.
   */
  readonly #unresolved = new Map<string, number>();

  /**
   * Whether a batch may be sent now.
   *
   * @param producer whose numbers a new batch would get
   */
  mayDrain(batch: ProducerBatch, producer: ProducerIdAndEpoch): boolean {
    const key = partitionText(batch);
    const entry = this.#entries.get(key);
    const first = entry?.inFlight[0];
    if (batch.hasSequence) {
      // It is sent again. Those behind it wait, or the broker would refuse them for the gap.
      return first === undefined || first.baseSequence === batch.baseSequence;
    }
    if (this.#unresolved.has(key)) return false;
    if (first === undefined || entry === undefined) return true;
    // A leader that does not know the producer would take the second batch without the first.
    return isSameProducer(entry.producer, producer) && entry.knownId === producer.producerId;
  }

  /** Gives a batch that is sent for the first time its numbers. */
  number(batch: ProducerBatch, producer: ProducerIdAndEpoch, isTransactional: boolean): void {
    const entry = this.#entryOf(batch);
    if (!isSameProducer(entry.producer, producer)) restart(entry, producer);
    batch.identify({ ...producer, baseSequence: entry.nextSequence, isTransactional });
    entry.nextSequence = sequenceAfter(entry.nextSequence, batch.recordCount);
    entry.inFlight.push(batch);
  }

  /** A batch is in the log. @param baseOffset -1 where the broker does not tell */
  completed(batch: ProducerBatch, baseOffset: bigint): void {
    const entry = this.#entryOf(batch);
    const state = batch.producerState;
    if (state !== null && isSameProducer(entry.producer, state)) {
      // A batch that was overtaken by the answer to a later one takes nothing back.
      if (isBehind(entry.lastAckedSequence, batch.lastSequence)) entry.lastAckedSequence = batch.lastSequence;
      entry.knownId = state.producerId;
      if (baseOffset >= 0n) {
        const lastOffset = baseOffset + BigInt(batch.recordCount - 1);
        if (lastOffset > entry.lastAckedOffset) entry.lastAckedOffset = lastOffset;
      }
    }
    this.remove(batch);
  }

  /** The fate of a batch is not waited for any more. */
  remove(batch: ProducerBatch): void {
    const { inFlight } = this.#entryOf(batch);
    const index = inFlight.indexOf(batch);
    if (index >= 0) inFlight.splice(index, 1);
  }

  /** Whether there is no other batch before it whose fate is open. */
  isFirst(batch: ProducerBatch): boolean {
    return this.#entryOf(batch).inFlight[0] === batch;
  }

  /** Whether a batch comes right behind the last one that is known to be in the log. */
  isNext(batch: ProducerBatch): boolean {
    const { lastAckedSequence } = this.#entryOf(batch);
    return batch.baseSequence === (lastAckedSequence < 0 ? 0 : sequenceAfter(lastAckedSequence, 1));
  }

  /** Whether a later batch of its partition is in the log, which no broker takes before this one. */
  isKnownToBeInLog(batch: ProducerBatch): boolean {
    const entry = this.#entries.get(partitionText(batch));
    const state = batch.producerState;
    if (entry === undefined || state === null || !isSameProducer(entry.producer, state)) return false;
    return entry.lastAckedSequence >= 0 && !isBehind(entry.lastAckedSequence, batch.lastSequence);
  }

  /** Offset of the last record of a partition that is known to be in the log; -1 for none. */
  lastAckedOffset(partition: TopicPartition): bigint {
    return this.#entries.get(partitionText(partition))?.lastAckedOffset ?? -1n;
  }

  /** A batch that may be in the log was given up. */
  markUnresolved(batch: ProducerBatch): void {
    const key = partitionText(batch);
    const behind = sequenceAfter(batch.lastSequence, 1);
    const known = this.#unresolved.get(key);
    if (known === undefined || isBehind(known, behind)) this.#unresolved.set(key, behind);
  }

  /** Whether what was given up in some partition waits for answers, or left a gap. */
  get hasUnresolved(): boolean {
    return this.#unresolved.size > 0;
  }

  isUnresolved(partition: TopicPartition): boolean {
    return this.#unresolved.has(partitionText(partition));
  }

  /** Whether a batch comes right behind those that were given up. */
  isNextBehindUnresolved(batch: ProducerBatch): boolean {
    return this.#unresolved.get(partitionText(batch)) === batch.baseSequence;
  }

  /** Partitions of which every answer is there by now, and whose given-up batches left a gap; the others are free again. */
  takeGaps(): TopicPartition[] {
    const gaps: TopicPartition[] = [];
    for (const key of this.#unresolved.keys()) {
      const entry = this.#entries.get(key);
      if (entry === undefined || entry.inFlight.length > 0) continue;
      this.#unresolved.delete(key);
      const { nextSequence, lastAckedSequence } = entry;
      const expected = lastAckedSequence < 0 ? 0 : sequenceAfter(lastAckedSequence, 1);
      if (expected !== nextSequence) gaps.push(entry);
    }
    return gaps;
  }

  /**
   * Has the numbers of a partition begin at 0 under another epoch, those of its open batches included: the broker has refused
   * the first of them, so that none of them can be in the log. Source: `TxnPartitionMap.startSequencesAtBeginning`.
   */
  restart(partition: TopicPartition, producer: ProducerIdAndEpoch): void {
    const entry = this.#entryOf(partition);
    this.#unresolved.delete(partitionText(partition));
    // Those that were given up are not sent again.
    const again = entry.inFlight.filter(({ state }) => state !== "abandoned");
    restart(entry, producer);
    entry.inFlight.splice(0, entry.inFlight.length, ...again);
    for (const batch of again) {
      batch.renumber({ ...producer, baseSequence: entry.nextSequence });
      entry.nextSequence = sequenceAfter(entry.nextSequence, batch.recordCount);
    }
  }

  /**
   * Closes the gap that a batch leaves that is surely not in the log: those behind it move up.
   * Source: `TxnPartitionMap.adjustSequencesDueToFailedBatch`.
   */
  closeGap(failed: ProducerBatch): void {
    const entry = this.#entryOf(failed);
    const state = failed.producerState;
    if (state === null || !isSameProducer(entry.producer, state)) return;
    entry.nextSequence = sequenceBefore(entry.nextSequence, failed.recordCount);
    for (const batch of entry.inFlight) {
      if (batch === failed || !isBehind(failed.baseSequence, batch.baseSequence)) continue;
      batch.renumber({ ...state, baseSequence: sequenceBefore(batch.baseSequence, failed.recordCount) });
    }
  }

  /** Replaces a batch that is too large by the ones that it was split into, with the same numbers. */
  split(large: ProducerBatch, parts: readonly ProducerBatch[]): void {
    const { inFlight } = this.#entryOf(large);
    const state = large.producerState;
    const index = inFlight.indexOf(large);
    if (state === null || index < 0) return;
    let { baseSequence } = state;
    for (const part of parts) {
      part.identify({ ...state, baseSequence });
      baseSequence = sequenceAfter(baseSequence, part.recordCount);
    }
    inFlight.splice(index, 1, ...parts);
  }

  /** Begins anew everywhere: another epoch was given for all partitions. */
  clear(): void {
    this.#unresolved.clear();
    for (const entry of this.#entries.values()) {
      restart(entry, noProducerId);
      entry.inFlight.length = 0;
    }
  }

  #entryOf(partition: TopicPartition): Entry {
    const key = partitionText(partition);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const { topic, partition: index } = partition;
      entry = {
        topic,
        partition: index,
        producer: noProducerId,
        nextSequence: 0,
        lastAckedSequence: -1,
        lastAckedOffset: -1n,
        knownId: -1n,
        inFlight: [],
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

function restart(entry: Entry, producer: ProducerIdAndEpoch): void {
  entry.producer = producer;
  entry.nextSequence = 0;
  entry.lastAckedSequence = -1;
}

/** Whether a number comes before another, of those that can be open at the same time: they may have begun at 0 again. */
function isBehind(sequence: number, other: number): boolean {
  const distance = (other - sequence) & 0x7fff_ffff;
  return sequence < 0 || (distance > 0 && distance < 0x4000_0000);
}
