import type { Deadline } from "@odradek/network";

/** One call that waits. */
interface WaitingCall {
  readonly deadline: Deadline;
  /** Ends the call if what it waits for is there. */
  look(): void;
  /** Ends it with nothing: its time is over. */
  giveUp(): void;
  reject(error: unknown): void;
}

/**
 * Calls that wait for something to happen: each ends when what it looks for is there, when its time is over, or when
 * its signal says so; all of them end together when `rejectAll` says so. They own no timer: `nextMs` is for that of
 * the loop that they wait for.
 */
export class WaitingCalls {
  readonly #calls = new Set<WaitingCall>();

  get size(): number {
    return this.#calls.size;
  }

  /** When the first of them runs out of time. */
  get nextMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#calls) nextMs = Math.min(nextMs, deadline.atMs);
    return nextMs;
  }

  /**
   * Waits until `find` finds something.
   *
   * @returns what it found; `null` when the time was over first
   * @throws what `find` throws, the reason of the signal, or the error given to `rejectAll`
   */
  wait<T>(deadline: Deadline, signal: AbortSignal | undefined, find: () => T | null): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const abort = () => call.reject(signal?.reason);
      const end = (settle: () => void) => {
        this.#calls.delete(call);
        signal?.removeEventListener("abort", abort);
        settle();
      };
      const call: WaitingCall = {
        deadline,
        look: () => {
          try {
            const found = find();
            if (found !== null) end(() => resolve(found));
          } catch (error) {
            end(() => reject(error));
          }
        },
        giveUp: () => end(() => resolve(null)),
        reject: (error) => end(() => reject(error)),
      };
      this.#calls.add(call);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort);
    });
  }

  /** Has each of them look. */
  look(): void {
    for (const call of [...this.#calls]) call.look();
  }

  /** Ends those whose time is over. */
  expire(nowMs: number): void {
    for (const call of [...this.#calls]) if (call.deadline.atMs <= nowMs) call.giveUp();
  }

  rejectAll(error: unknown): void {
    for (const call of [...this.#calls]) call.reject(error);
  }
}
