import { ClosedError, partitionText, StateError } from "@odradek/network";
import type { ConsumerCore } from "./consumer-core.ts";
import type { Drained } from "./fetch/fetch-buffer.ts";
import type { ConsumerGroup } from "./group/consumer-group.ts";
import type { FetchPosition, PartitionState } from "./positions/partition-state.ts";
import { ConsumerBatch } from "./records/consumer-batch.ts";
import type { ConsumerRecord } from "./records/consumer-record.ts";
import type { PartitionSpan } from "./records/consumer-records.ts";

/** What polls need of their consumer. */
export interface PollsCore<K, V>
  extends Pick<
    ConsumerCore<K, V>,
    | "assignment"
    | "buffer"
    | "clock"
    | "deadline"
    | "deserialization"
    | "enter"
    | "interceptors"
    | "isClosing"
    | "isDone"
    | "isPolling"
    | "metrics"
    | "openToRead"
    | "options"
    | "race"
    | "subscription"
    | "throwError"
    | "throwErrorOfGroup"
    | "wait"
  > {
  readonly group: Pick<ConsumerGroup, "autoCommit" | "membership"> | null;
}

/** What a poll found: records, or calls of the rebalance listener that are due before there can be any. */
type Found<K, V> = { readonly drained: Drained<K, V> } | { readonly task: () => Promise<void> };

/** What a poll, or a loop, is at: records of which some are with the body of the loop, or done with. */
interface HandingOut<K, V> {
  readonly drained: Drained<K, V>;
  /** How many the body is done with, and how many it was given. */
  finished: number;
  given: number;
}

/** The calls that ask for records: one at a time. What was handed out counts as done with when the next one begins. */
export class Polls<K, V> {
  readonly #core: PollsCore<K, V>;
  #isUnderWay = false;
  #handingOut: HandingOut<K, V> | null = null;
  /** Whether records were found since somebody looked what is wrong: where there are always some, nobody would ever hear of it. */
  #isErrorDue = false;

  constructor(core: PollsCore<K, V>) {
    this.#core = core;
  }

  /**
   * Waits for records, and makes the calls of the rebalance listener that are due meanwhile.
   *
   * @returns `null` when the time is over
   */
  async next(timeoutMs: number, signal: AbortSignal | undefined): Promise<Drained<K, V> | null> {
    const core = this.#core;
    const { group, clock } = core;
    this.#enter();
    if (this.#isUnderWay) throw new StateError("another poll is under way: await it first");
    if (this.#handingOut !== null) throw new StateError("a loop is at its records: leave it before you poll");
    this.#isUnderWay = true;
    core.metrics.pollBegan();
    group?.membership.pollBegan();
    try {
      const deadline = core.deadline(timeoutMs);
      // Polls that find records, or errors, without waiting must not keep sockets and other people's timers from
      // their turn, however tight the loop around them is.
      await new Promise<void>((resolve) => clock.after(0, resolve));
      for (;;) {
        this.#enter();
        // First, while the application is done with all that it was given; a poll that finds records at once comes to neither.
        group?.membership.rebalanceIfDue();
        group?.autoCommit.poll(clock.now());
        core.isPolling = true;
        core.isDone = true;
        const found = await core.wait(deadline, signal, () => this.#find());
        if (found === null) return null;
        const ready = "drained" in found ? await this.#prepared(found.drained, signal) : null;
        if (ready !== null) return ready;
        if ("task" in found) await this.#run(found.task);
      }
    } finally {
      this.takeBack();
      core.isPolling = false;
      core.isDone = false;
      this.#isUnderWay = false;
      core.metrics.pollEnded();
      group?.membership.pollEnded();
    }
  }

  /** All records from here on, one by one, until the consumer is closed or the signal says so. */
  async *records(signal: AbortSignal | undefined): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    for await (const drained of this.#drained(signal)) {
      const handingOut = { drained, finished: 0, given: 0 };
      // Not `yield*`, which has each record pass through a promise more: a quarter of the time of a loop.
      for (const record of this.#handOut(handingOut, signal, (span) => this.#singly(handingOut, span, signal))) {
        yield record;
      }
    }
  }

  /** The same, by partitions. */
  async *batches(signal: AbortSignal | undefined): AsyncGenerator<ConsumerBatch<K, V>, void, undefined> {
    for await (const drained of this.#drained(signal)) {
      const handingOut = { drained, finished: 0, given: 0 };
      yield* this.#handOut(handingOut, signal, function* (span) {
        handingOut.given = span.end;
        yield new ConsumerBatch(drained.records, span);
        handingOut.finished = span.end;
      });
    }
  }

  /** Where a partition stands for the application: within a loop, behind what its body was given; before what a poll is yet to hand out. */
  positionOf(state: PartitionState): FetchPosition | null {
    const { drained, given } = this.#handingOut ?? {};
    const key = partitionText(state);
    const span = drained?.spans.find(({ next, ...at }) => next === state.position && partitionText(at) === key);
    if (drained === undefined || given === undefined || span === undefined || given >= span.end) return state.position;
    return positionBefore(drained.records, span, Math.max(span.start, given));
  }

  /** Takes back what a loop was given and is not done with, or a poll has found and not handed out: it comes again. */
  takeBack(): void {
    const handingOut = this.#handingOut;
    this.#handingOut = null;
    for (const span of handingOut?.drained.spans ?? []) this.#takeBackSpan(handingOut, span);
  }

  async *#drained(signal: AbortSignal | undefined): AsyncGenerator<Drained<K, V>, void, undefined> {
    while (!this.#isOver(signal)) {
      const drained = await this.next(Number.POSITIVE_INFINITY, signal).catch((error: unknown) => {
        if (this.#isOver(signal) && (error === signal?.reason || error instanceof ClosedError)) return null;
        throw error;
      });
      // Where an interceptor has left out all records of a partition, nothing is left to be finished, or taken back.
      if (drained !== null) yield { ...drained, spans: drained.spans.filter(({ start, end }) => start < end) };
    }
  }

  /** Gives a loop what was drained, partition by partition, and takes back what it is left before. */
  *#handOut<T>(
    handingOut: HandingOut<K, V>,
    signal: AbortSignal | undefined,
    portions: (span: PartitionSpan) => Generator<T, void, undefined>,
  ): Generator<T, void, undefined> {
    this.#handingOut = handingOut;
    try {
      for (const span of handingOut.drained.spans) {
        if (this.#mustStop(signal)) return;
        if (this.#standsStill(span)) yield* portions(span);
        else this.#takeBackSpan(handingOut, span);
        handingOut.finished = Math.max(handingOut.finished, span.end);
        handingOut.given = handingOut.finished;
      }
    } finally {
      if (this.#handingOut === handingOut) this.takeBack();
    }
  }

  /** The records of a span, as long as nobody moves, pauses or gives up its partition. */
  *#singly(
    handingOut: HandingOut<K, V>,
    span: PartitionSpan,
    signal: AbortSignal | undefined,
  ): Generator<ConsumerRecord<K, V>, void, undefined> {
    const { assignment, group } = this.#core;
    const state = assignment.find(span);
    const { changes } = assignment;
    const { records } = handingOut.drained;
    for (let index = span.start; index < span.end; index++) {
      const record = records[index];
      if (record === undefined) return;
      const isMoved = state?.position !== span.next || state.isPaused || assignment.changes !== changes;
      if (isMoved && !this.#standsStill(span)) return this.#takeBackSpan(handingOut, span);
      if (this.#mustStop(signal)) return this.#takeBackSpan(handingOut, span);
      handingOut.given = index + 1;
      yield record;
      handingOut.finished = index + 1;
      // Who asks for more is not stuck, however many there are.
      group?.membership.pollEnded();
    }
  }

  /** Whether a partition is still to be read behind a span, by the one who has it. Whoever has moved it knows better. */
  #standsStill(span: PartitionSpan): boolean {
    const state = this.#core.assignment.find(span);
    return state?.position === span.next && !state.isPaused;
  }

  #takeBackSpan(handingOut: HandingOut<K, V> | null, span: PartitionSpan): void {
    if (handingOut === null || handingOut.finished >= span.end) return;
    const state = this.#core.assignment.find(span);
    if (state?.position !== span.next) return;
    state.rewind(positionBefore(handingOut.drained.records, span, Math.max(span.start, handingOut.finished)));
  }

  /** Whether a loop must not be given more: it is over, or others wait for this member, or have by now what it would be given. */
  #mustStop(signal: AbortSignal | undefined): boolean {
    return this.#isOver(signal) || this.#core.group?.membership.isRebalanceDue === true;
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#core.isClosing || signal?.aborted === true;
  }

  /** Where each turn of a poll begins: it may have been closed, woken or unsubscribed meanwhile. */
  #enter(): void {
    this.#core.openToRead();
    this.#core.enter();
    this.#checkSubscription();
  }

  #find(): Found<K, V> | null {
    try {
      const found = this.#look();
      // From here on the application has records that it is not done with.
      if (found !== null) this.#core.isDone = false;
      // A poll that ends without handing them out takes them back.
      if (found !== null && "drained" in found) this.#handingOut = { drained: found.drained, finished: 0, given: 0 };
      return found;
    } catch (error) {
      this.#core.isDone = false;
      throw error;
    }
  }

  #look(): Found<K, V> | null {
    const { group, buffer, options } = this.#core;
    // It may have unsubscribed while it waits, or in the calls of its listener.
    this.#checkSubscription();
    const task = group?.membership.takeTask() ?? null;
    if (task !== null) return { task };
    this.#core.throwErrorOfGroup();
    if (this.#isErrorDue) this.#throwError();
    const drained = group?.membership.isHoldingBack === true ? null : buffer.drain(options.maxPollRecords);
    this.#isErrorDue = drained !== null;
    if (drained !== null) return { drained };
    this.#throwError();
    return null;
  }

  #throwError(): void {
    this.#isErrorDue = false;
    this.#core.throwError();
  }

  #checkSubscription(): void {
    if (this.#core.subscription.type !== "NONE") return;
    throw new StateError("nothing to read: call subscribe or assign first");
  }

  /** What is handed out of what was found; `null` where nothing is left of it by now. */
  async #prepared(found: Drained<K, V>, signal: AbortSignal | undefined): Promise<Drained<K, V> | null> {
    const { options, deserialization, interceptors } = this.#core;
    const drained = options.copyRecords ? { ...found, records: found.records.map((record) => record.copy()) } : found;
    const pending = deserialization.begin(drained.records);
    if (pending !== null) await this.#awaitDeserializers(pending, signal);
    const left = pending === null ? drained : this.#stillWanted(drained);
    this.#handingOut = null;
    return left === null ? null : interceptors.onConsume(left);
  }

  /** Deserializers may take their time, as the listener may. */
  async #awaitDeserializers(pending: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const membership = this.#core.group?.membership;
    this.#enter();
    this.#core.isPolling = false;
    membership?.pollEnded();
    try {
      await this.#core.race(pending, signal);
    } finally {
      membership?.pollBegan();
    }
  }

  /** What may still be handed out after a while in which partitions may have been moved, paused or lost; the rest is taken back. */
  #stillWanted(drained: Drained<K, V>): Drained<K, V> | null {
    const isHeldBack = this.#core.group?.membership.isHoldingBack === true;
    const wanted = drained.spans.filter((span) => !isHeldBack && this.#standsStill(span));
    if (wanted.length === drained.spans.length) return drained;
    for (const span of drained.spans) if (!wanted.includes(span)) this.#takeBackSpan(this.#handingOut, span);
    return onlyOf(drained, wanted);
  }

  /** The listener may take its time, which is the application's: nothing is fetched, and it may be found stuck. */
  async #run(task: () => Promise<void>): Promise<void> {
    const membership = this.#core.group?.membership;
    this.#core.isPolling = false;
    this.#core.isDone = false;
    membership?.pollEnded();
    try {
      await task();
    } finally {
      membership?.pollBegan();
    }
  }
}

/**
 * The position of one of the records of a span. The epoch of the record before it is that of the position only where there is none between
 * them that nobody gets to see: a leader says that an epoch has ended where a later one began, which might be there.
 */
function positionBefore<K, V>(
  records: readonly ConsumerRecord<K, V>[],
  span: PartitionSpan,
  index: number,
): FetchPosition {
  const offset = records[index]?.offset ?? span.next.offset;
  const before = index > span.start ? records[index - 1] : undefined;
  const leaderEpoch = before?.offset === offset - 1n ? before.leaderEpoch : null;
  return { offset, leaderEpoch: leaderEpoch ?? -1 };
}

/** The records of some of the spans; `null` for none. */
function onlyOf<K, V>({ records }: Drained<K, V>, chosen: readonly PartitionSpan[]): Drained<K, V> | null {
  let count = 0;
  const spans = chosen.map((span) => {
    const start = count;
    count += span.end - span.start;
    return { ...span, start, end: count };
  });
  return count === 0 ? null : { records: chosen.flatMap(({ start, end }) => records.slice(start, end)), spans };
}
