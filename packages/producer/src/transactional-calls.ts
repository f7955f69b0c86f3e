import { type Clock, StateError, TimeoutError } from "@odradek/network";

/** How long a call may wait. */
export interface WaitLimit {
  readonly timeoutMs: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Which call may follow one that ran out of time: the same, which waits for the same outcome, or any, which comes after it.
 */
type Follower = "same" | "any";

interface PendingCall {
  readonly name: string;
  readonly outcome: Promise<void>;
  /** Whether nobody waits for it any more. */
  isAbandoned: boolean;
}

/**
 * The transactional calls of a producer, one at a time. A call whose time is over goes on without its caller, since nobody knows
 * what the coordinator has made of it. Where a call moves the transaction on, only the same may follow, and waits for the same
 * outcome.
 * Source: `TransactionManager.handleCachedTransactionRequestResult`.
 */
export class TransactionalCalls {
  readonly #clock: Clock;
  #pending: PendingCall | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @throws StateError where another call is under way; TimeoutError, or the reason of the signal, while it goes on; and what
   *   `run` throws
   */
  async call(name: string, limit: WaitLimit, run: () => Promise<void>, follower: Follower = "same"): Promise<void> {
    this.requireNone(name);
    // Nothing is begun that nobody waits for.
    limit.signal?.throwIfAborted();
    const call = this.#pending ?? { name, outcome: run(), isAbandoned: false };
    this.#pending = call;
    call.isAbandoned = false;
    try {
      await this.#within(call, limit);
    } finally {
      if (call.isAbandoned) call.outcome.catch(() => {});
      if (!call.isAbandoned || follower === "any") this.#pending = null;
    }
  }

  /** @throws StateError where another call than `name` is under way */
  requireNone(name: string): void {
    const pending = this.#pending;
    if (pending === null) return;
    if (!pending.isAbandoned) throw new StateError(`${name}: ${pending.name} is under way, await it first`);
    if (pending.name === name) return;
    throw new StateError(`${name}: ${pending.name} ran out of time and may yet succeed, call it again first`);
  }

  /** Resolves when none is under way any more, however it ends. */
  async settled(): Promise<void> {
    await this.#pending?.outcome.catch(() => {});
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
      call.outcome.then(resolve, reject).finally(end);
    });
  }
}
