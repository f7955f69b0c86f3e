import { ClosedError, StateError } from "@odradek/network";
import { ConsumerBatch } from "./consumer-batch.ts";
import type { ConsumerCore } from "./consumer-core.ts";
import type { ConsumerRecord } from "./consumer-record.ts";
import type { Drained } from "./fetch-buffer.ts";
import type { ConsumerGroup } from "./group/consumer-group.ts";

/** What polls need of their consumer. */
export interface PollsCore<K, V>
  extends Pick<
    ConsumerCore<K, V>,
    | "assignment"
    | "buffer"
    | "clock"
    | "deadline"
    | "enter"
    | "isClosing"
    | "isPolling"
    | "openToRead"
    | "options"
    | "subscription"
    | "throwError"
    | "wait"
  > {
  readonly group: Pick<ConsumerGroup, "autoCommit" | "membership"> | null;
}

/** What a poll found: records, or calls of the rebalance listener that are due before there can be any. */
type Found<K, V> = { readonly drained: Drained<K, V> } | { readonly task: () => Promise<void> };

/** The records of one poll that a loop is at: how many of them it is done with. */
interface HandingOut<K, V> {
  readonly drained: Drained<K, V>;
  finished: number;
}

/** The calls that ask for records: one at a time. What was handed out counts as done with when the next one begins. */
export class Polls<K, V> {
  readonly #core: PollsCore<K, V>;
  #isUnderWay = false;
  #handingOut: HandingOut<K, V> | null = null;

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
    core.openToRead();
    core.enter();
    if (this.#isUnderWay) throw new StateError("another poll is under way: await it first");
    this.#checkSubscription();
    this.#isUnderWay = true;
    group?.membership.pollBegan();
    try {
      const deadline = core.deadline(timeoutMs);
      // Polls that find records, or errors, without waiting must not keep sockets and other people's timers from
      // their turn, however tight the loop around them is.
      await new Promise<void>((resolve) => clock.after(0, resolve));
      core.openToRead();
      core.enter();
      group?.autoCommit.ifDue();
      for (;;) {
        core.isPolling = true;
        const found = await core.wait(deadline, signal, () => this.#find());
        if (found === null) return null;
        if ("drained" in found) return found.drained;
        await this.#run(found.task);
        core.openToRead();
        core.enter();
      }
    } finally {
      core.isPolling = false;
      this.#isUnderWay = false;
      group?.membership.pollEnded();
    }
  }

  /** All records from here on, one by one, until the consumer is closed or the signal says so. */
  async *records(signal: AbortSignal | undefined): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    for await (const drained of this.#drained(signal)) {
      const portions = drained.records.map((record, index) => [record, index + 1] as const);
      yield* this.#handOut(drained, portions, signal);
    }
  }

  /** The same, by partitions. */
  async *batches(signal: AbortSignal | undefined): AsyncGenerator<ConsumerBatch<K, V>, void, undefined> {
    for await (const drained of this.#drained(signal)) {
      const portions = drained.spans.map((span) => [new ConsumerBatch(drained.records, span), span.end] as const);
      yield* this.#handOut(drained, portions, signal);
    }
  }

  /** Takes back what a loop was given and is not done with: it comes again. */
  takeBack(): void {
    const handingOut = this.#handingOut;
    this.#handingOut = null;
    if (handingOut === null) return;
    const { drained, finished } = handingOut;
    for (const { topic, partition, start, end, next } of drained.spans) {
      const first = drained.records[Math.max(start, finished)];
      if (finished >= end || first === undefined) continue;
      const state = this.#core.assignment.find({ topic, partition });
      // Whoever has moved the position meanwhile knows better.
      if (state?.position === next) state.seek({ offset: first.offset, leaderEpoch: first.leaderEpoch ?? -1 });
    }
  }

  async *#drained(signal: AbortSignal | undefined): AsyncGenerator<Drained<K, V>, void, undefined> {
    while (!this.#isOver(signal)) {
      const drained = await this.next(Number.POSITIVE_INFINITY, signal).catch((error: unknown) => {
        if (this.#isOver(signal) && (error === signal?.reason || error instanceof ClosedError)) return null;
        throw error;
      });
      if (drained !== null) yield drained;
    }
  }

  /** @param portions what the loop gets at a time, and how many of the records it is done with behind that */
  *#handOut<T>(
    drained: Drained<K, V>,
    portions: Iterable<readonly [T, number]>,
    signal: AbortSignal | undefined,
  ): Generator<T, void, undefined> {
    const membership = this.#core.group?.membership;
    const handingOut = { drained, finished: 0 };
    this.#handingOut = handingOut;
    try {
      for (const [portion, finished] of portions) {
        // The others wait for this member, or have by now what it is about to hand out.
        if (this.#isOver(signal) || membership?.isRebalanceDue === true) return;
        yield portion;
        handingOut.finished = finished;
        // Who asks for more is not stuck, however many there are.
        membership?.pollEnded();
      }
    } finally {
      if (this.#handingOut === handingOut) this.takeBack();
    }
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#core.isClosing || signal?.aborted === true;
  }

  #find(): Found<K, V> | null {
    const { group, buffer, options } = this.#core;
    // It may have unsubscribed while it waits, or in the calls of its listener.
    this.#checkSubscription();
    const task = group?.membership.takeTask() ?? null;
    if (task !== null) return { task };
    const drained = group?.membership.isHoldingBack === true ? null : buffer.drain(options.maxPollRecords);
    if (drained !== null) return { drained };
    this.#core.throwError();
    return null;
  }

  #checkSubscription(): void {
    if (this.#core.subscription.type !== "NONE") return;
    throw new StateError("nothing to read: call subscribe or assign first");
  }

  /** The listener may take its time, which is the application's: nothing is fetched, and it may be found stuck. */
  async #run(task: () => Promise<void>): Promise<void> {
    const membership = this.#core.group?.membership;
    this.#core.isPolling = false;
    membership?.pollEnded();
    try {
      await task();
    } finally {
      membership?.pollBegan();
    }
  }
}
