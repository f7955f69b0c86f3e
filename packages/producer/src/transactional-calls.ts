import { type Clock, StateError, TimeoutError } from "@odradek/network";

/** How long a call may wait. */
export interface WaitLimit {
  readonly timeoutMs: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

interface PendingCall {
  readonly name: string;
  /** What it was told, where calls that were told something else must not share its outcome. */
  readonly about: string;
  readonly outcome: Promise<void>;
  /** Whether nobody waits for it any more. */
  isAbandoned: boolean;
}

/**
 * The transactional calls of a producer. One that moves the transaction on goes alone. A call whose time is over goes on without
 * its caller, since nobody knows what the coordinator has made of it: only the same may follow, and waits for the same outcome.
 * Source: `TransactionManager.handleCachedTransactionRequestResult`.
 */
export class TransactionalCalls {
  readonly #clock: Clock;
  /** The last one that moves the transaction on. */
  #pending: PendingCall | null = null;
  /** Those beside it that were given up. */
  readonly #lost = new Set<PendingCall>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * One that moves the transaction on; what is under way beside it goes before it.
   *
   * @param about what it was told, where that tells it from others of its name
   * @throws StateError where another one is under way; TimeoutError, or the reason of the signal, while it goes on; and what
   *   `run` throws
   */
  async call(name: string, limit: WaitLimit, run: () => Promise<void>, about = ""): Promise<void> {
    this.requireNone(name);
    const pending = this.#pending;
    if (pending !== null && pending.about !== about) {
      const { about: other } = pending;
      throw new StateError(
        `${name}: the one that ran out of time, with ${other}, may yet succeed, call it again first`,
      );
    }
    for (const lost of pending === null ? this.#lost : []) {
      throw new StateError(`${name}: ${mayYetSucceed(lost)}, or abortTransaction`);
    }
    await this.#moveOn({ name, about }, limit, run);
  }

  /** One that moves the transaction on from wherever it is: it waits for another one that is under way. @throws as `call` does */
  async callBehind(name: string, limit: WaitLimit, run: () => Promise<void>): Promise<void> {
    const before = this.#pending;
    if (before === null || before.isAbandoned || before.name === name) {
      this.requireNone(name);
      await this.#moveOn({ name, about: "" }, limit, run);
    } else {
      await this.#moveOn({ name, about: "" }, limit, () => before.outcome.then(run, run), null);
    }
  }

  /**
   * One that does not move the transaction on, so that there may be several.
   *
   * @param onGivenUp is called where it goes on without its caller
   * @throws as `call` does
   */
  async callBeside(
    name: string,
    limit: WaitLimit,
    run: () => Promise<void>,
    onGivenUp: (reason: unknown) => void,
  ): Promise<void> {
    this.requireNone(name);
    limit.signal?.throwIfAborted();
    const call = { name, about: "", outcome: run(), isAbandoned: false };
    try {
      await this.#within(call, limit);
    } catch (error) {
      if (call.isAbandoned) {
        this.#lost.add(call);
        const settled = () => this.#lost.delete(call);
        call.outcome.then(settled, settled);
        onGivenUp(error);
      }
      throw error;
    }
  }

  /** @throws StateError where another call than `name` moves the transaction on */
  requireNone(name: string): void {
    const pending = this.#pending;
    if (pending === null) return;
    if (!pending.isAbandoned) throw new StateError(`${name}: ${pending.name} is under way, await it first`);
    if (pending.name === name) return;
    throw new StateError(`${name}: ${mayYetSucceed(pending)}`);
  }

  /** Resolves when none moves the transaction on any more, however it ends. */
  async settled(): Promise<void> {
    await this.#pending?.outcome.catch(() => {});
  }

  async #moveOn(
    named: Pick<PendingCall, "name" | "about">,
    limit: WaitLimit,
    run: () => Promise<void>,
    pending: PendingCall | null = this.#pending,
  ): Promise<void> {
    // Nothing is begun that nobody waits for.
    limit.signal?.throwIfAborted();
    const call = pending ?? { ...named, outcome: run(), isAbandoned: false };
    this.#pending = call;
    call.isAbandoned = false;
    try {
      await this.#within(call, limit);
    } finally {
      if (call.isAbandoned) call.outcome.catch(() => {});
      else if (this.#pending === call) this.#pending = null;
    }
  }

  #within(call: PendingCall, { timeoutMs, signal }: WaitLimit): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        timer.cancel();
        signal?.removeEventListener("abort", abort);
      };
      const giveUp = (error: unknown) => {
        end();
        call.isAbandoned = true;
        reject(error);
      };
      const abort = () => giveUp(signal?.reason);
      signal?.addEventListener("abort", abort);
      const timer = this.#clock.after(timeoutMs, () => giveUp(new TimeoutError(call.name, timeoutMs)));
      call.outcome.finally(end).then(resolve, reject);
    });
  }
}

const mayYetSucceed = ({ name }: PendingCall) => `${name} ran out of time and may yet succeed, call it again first`;
