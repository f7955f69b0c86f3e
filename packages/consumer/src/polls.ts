import { ClosedError, StateError } from "@odradek/network";
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

  /** All records from here on, until the consumer is closed or the signal says so. */
  async *records(signal: AbortSignal | undefined): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    const isOver = () => this.#core.isClosing || signal?.aborted === true;
    while (!isOver()) {
      const drained = await this.next(Number.POSITIVE_INFINITY, signal).catch((error: unknown) => {
        if (error === signal?.reason || (error instanceof ClosedError && this.#core.isClosing)) return null;
        throw error;
      });
      if (drained !== null) yield* this.#handOut(drained, isOver);
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

  *#handOut(drained: Drained<K, V>, isOver: () => boolean): Generator<ConsumerRecord<K, V>, void, undefined> {
    const handingOut = { drained, finished: 0 };
    this.#handingOut = handingOut;
    try {
      for (const record of drained.records) {
        if (isOver()) return;
        yield record;
        handingOut.finished += 1;
      }
    } finally {
      if (this.#handingOut === handingOut) this.takeBack();
    }
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
