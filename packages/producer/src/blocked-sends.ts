import { setMaxListeners } from "node:events";
import { type Clock, Deadline, TimeoutError } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { SerializedRecord, UnsentRecord } from "./producer-record.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** A record that could not be appended at once. */
interface BlockedSend<K, V> {
  readonly topic: string;
  /** Whom to tell when it fails. */
  readonly unsent: UnsentRecord<K, V>;
  /** `null` while it is being serialized. */
  record: SerializedRecord<K, V> | null;
  /** Gives `record`, where that is still to come. */
  readonly serialization: Promise<SerializedRecord<K, V>> | null;
  /** When its time began, in the clock's time. */
  readonly sinceMs: number;
  readonly signal: AbortSignal | undefined;
  /** How many were queued up before it. */
  readonly number: number;
  line: Line<K, V> | null;
  /** Whether it was told already that it failed, and only its place in the line is left. */
  isOver: boolean;
}

/** Blocked records of one topic, first come first. */
interface Line<K, V> {
  readonly key: string;
  readonly sends: BlockedSend<K, V>[];
  /** Where the line begins in `sends`; what stands before is done. */
  head: number;
  /** Ends the wait of the first, with the error that it fails with. The next one gets another only where this one was needed. */
  stop: AbortController;
}

/** A call of `settled` that waits. */
interface Settling {
  /** The first that it does not wait for. */
  readonly endNumber: number;
  /** How many it still waits for. */
  openCount: number;
  readonly resolve: () => void;
}

/** Those that one signal gives up: a signal for many records is listened to once. */
interface Signalled<K, V> {
  readonly sends: Set<BlockedSend<K, V>>;
  readonly stopListening: () => void;
}

/** What becomes of blocked records. */
export interface BlockedSendsHandler<K, V> {
  /** Whether the topic of a record is known, but does not have the partition that the record is for. */
  lacksPartition(record: SerializedRecord<K, V>): boolean;
  /**
   * Appends a record: at once where it can (`null`), else when metadata and memory are there. It may find out meanwhile
   * that the topic lacks the partition; then it gives false instead of waiting for that in the line of the topic.
   */
  admit(record: SerializedRecord<K, V>, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> | null;
  /** Tells a record that it will not be appended. */
  fail(record: UnsentRecord<K, V>, error: unknown): void;
}

/**
 * Records that wait for a serializer, for the metadata of their topic or for memory. Each topic has its line: as long as one of
 * its records waits, those sent later queue up behind it, so that none overtakes another. Those for a partition that the topic
 * does not have wait in a line of their own, as they can overtake nothing in other partitions and may wait in vain.
 */
export class BlockedSends<K, V> {
  readonly #clock: Clock;
  readonly #maxBlockMs: number;
  readonly #handler: BlockedSendsHandler<K, V>;
  readonly #lines = new Map<string, Line<K, V>>();
  readonly #signalled = new Map<AbortSignal, Signalled<K, V>>();
  readonly #settlings = new Set<Settling>();
  #nextNumber = 0;
  #openCount = 0;
  /** Ends waits for serializers, which may never answer. */
  readonly #closing = new AbortController();

  constructor(clock: Clock, maxBlockMs: number, handler: BlockedSendsHandler<K, V>) {
    this.#clock = clock;
    this.#maxBlockMs = maxBlockMs;
    this.#handler = handler;
    // Every line may listen.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Whether this record would overtake one that waits. */
  isBehind(record: SerializedRecord<K, V>): boolean {
    return this.#lines.size > 0 && this.#lines.has(this.#keyOf({ topic: record.topic, record }));
  }

  /** Queues a record up. Its time, `maxBlockMs`, runs from here. */
  add(record: SerializedRecord<K, V>, signal?: AbortSignal): void {
    this.#queue(record.topic, record, record, null, signal);
  }

  /** Queues a record up that is still being serialized. */
  addPending(unsent: UnsentRecord<K, V>, serialization: Promise<SerializedRecord<K, V>>, signal?: AbortSignal): void {
    // Looked at when its turn comes, which may be after it failed.
    serialization.catch(() => {});
    this.#queue(unsent.source.topic, unsent, null, serialization, signal);
  }

  /** Resolves when every record that waits now was appended or has failed. */
  settled(): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settlings.add({ endNumber: this.#nextNumber, openCount: this.#openCount, resolve });
    });
  }

  /** Has every record fail that waits now. */
  failAll(error: KafkaError): void {
    for (const { sends, head } of this.#lines.values()) for (const send of sends.slice(head)) this.#giveUp(send, error);
  }

  /** Waits for no serializer any more. */
  abort(error: KafkaError): void {
    this.#closing.abort(error);
  }

  #queue(
    topic: string,
    unsent: UnsentRecord<K, V>,
    record: SerializedRecord<K, V> | null,
    serialization: Promise<SerializedRecord<K, V>> | null,
    signal: AbortSignal | undefined,
  ): void {
    const sinceMs = this.#clock.now();
    const number = this.#nextNumber;
    const send = { topic, unsent, record, serialization, sinceMs, signal, number, line: null, isOver: false };
    this.#nextNumber += 1;
    this.#openCount += 1;
    if (signal !== undefined) this.#listen(send, signal);
    this.#join(send);
  }

  #listen(send: BlockedSend<K, V>, signal: AbortSignal): void {
    const known = this.#signalled.get(signal);
    if (known !== undefined) {
      known.sends.add(send);
      return;
    }
    const sends = new Set([send]);
    const giveUp = () => {
      for (const given of sends) this.#giveUp(given, abortedError(signal));
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#signalled.set(signal, { sends, stopListening: () => signal.removeEventListener("abort", giveUp) });
  }

  /** A record was appended, or has failed. */
  #ended(send: BlockedSend<K, V>): void {
    const { signal, number } = send;
    const signalled = signal && this.#signalled.get(signal);
    signalled?.sends.delete(send);
    if (signal !== undefined && signalled?.sends.size === 0) {
      signalled.stopListening();
      this.#signalled.delete(signal);
    }
    this.#openCount -= 1;
    for (const settling of this.#settlings) {
      if (number >= settling.endNumber) continue;
      settling.openCount -= 1;
      if (settling.openCount > 0) continue;
      this.#settlings.delete(settling);
      settling.resolve();
    }
  }

  #giveUp(send: BlockedSend<K, V>, error: KafkaError): void {
    if (send.isOver) return;
    // The first of a line is looked after already, and its wait ends.
    const { line } = send;
    if (line?.sends[line.head] === send) {
      line.stop.abort(error);
      return;
    }
    send.isOver = true;
    this.#handler.fail(send.unsent, error);
  }

  #keyOf({ topic, record }: Pick<BlockedSend<K, V>, "topic" | "record">): string {
    if (typeof record?.partition !== "number") return topic;
    // No topic has such a name.
    const key = `${topic}/${record.partition}`;
    return this.#lines.has(key) || this.#handler.lacksPartition(record) ? key : topic;
  }

  #join(send: BlockedSend<K, V>): void {
    const key = this.#keyOf(send);
    const line = this.#lines.get(key);
    if (line !== undefined) {
      send.line = line;
      line.sends.push(send);
      return;
    }
    const begun: Line<K, V> = { key, sends: [send], head: 0, stop: new AbortController() };
    send.line = begun;
    this.#lines.set(key, begun);
    // Nobody is called back inside of their own call.
    queueMicrotask(() => void this.#advance(begun));
  }

  async #advance(line: Line<K, V>): Promise<void> {
    for (let send = line.sends[0]; send !== undefined; send = line.sends[line.head]) {
      const { serialization, sinceMs } = send;
      const { signal } = line.stop;
      let isElsewhere = false;
      try {
        if (!send.isOver) {
          signal.throwIfAborted();
          const deadline = new Deadline(this.#clock, this.#maxBlockMs, sinceMs);
          if (serialization !== null) send.record = await this.#serialized(send.topic, serialization, deadline, signal);
          isElsewhere = this.#keyOf(send) !== line.key;
          const { record } = send;
          const admitted = isElsewhere || record === null ? null : this.#handler.admit(record, deadline, signal);
          if (admitted !== null) isElsewhere = !(await admitted);
          if (isElsewhere) signal.throwIfAborted();
        }
      } catch (error) {
        isElsewhere = false;
        this.#handler.fail(send.record ?? send.unsent, error);
      }
      if (isElsewhere) this.#join(send);
      else this.#ended(send);
      line.head += 1;
      if (signal.aborted) line.stop = new AbortController();
      // An array that is shifted at every step is moved as a whole each time; half of it at a time costs next to nothing.
      if (line.head >= 64 && 2 * line.head >= line.sends.length) line.head -= line.sends.splice(0, line.head).length;
    }
    this.#lines.delete(line.key);
  }

  /** The record, once its serializers have given what they give. */
  #serialized(
    topic: string,
    serialization: Promise<SerializedRecord<K, V>>,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<SerializedRecord<K, V>> {
    const late = new AbortController();
    const timer = this.#clock.after(deadline.remainingMs, () =>
      late.abort(new TimeoutError(`serializers of a record for topic ${topic}`, deadline.timeoutMs)),
    );
    return unlessAborted(serialization, signal, this.#closing.signal, late.signal).finally(() => timer.cancel());
  }
}

/** Its sender gave up on a record before it was in a batch. */
export const abortedError = ({ reason }: AbortSignal): KafkaError =>
  new KafkaError(`its sender gave up: ${reason instanceof Error ? reason.message : String(reason)}`, {
    code: "ABORTED",
    cause: reason,
  });
