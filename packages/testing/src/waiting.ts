import { systemClock } from "./clock.ts";

/** How long somebody waits, and what is said when it was in vain. */
export interface Patience {
  /** By the machine's clock: a test's patience does not end because the clock of its cluster is turned. */
  readonly timeoutMs: number;
  /** Aborted when the cluster is closed, behind which nothing comes any more. */
  readonly closing: AbortSignal;
  readonly failure: () => string;
}

/**
 * Waits until something is so.
 *
 * @param look gives what is waited for, `null` while there is none
 * @param watch has `look` called after every change, until the function that it returns is called
 * @throws Error when the time is over or the cluster is closed, and whatever `look` throws
 */
export function whenThere<T>(
  look: () => T | null,
  watch: (onChange: () => void) => () => void,
  { timeoutMs, closing, failure }: Patience,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const found = look();
    if (found !== null) {
      resolve(found);
      return;
    }
    const fail = (reason: unknown) => {
      done();
      reject(reason);
    };
    const unwatch = watch(() => {
      try {
        const now = look();
        if (now === null) return;
        done();
        resolve(now);
      } catch (error) {
        fail(error);
      }
    });
    const timer = systemClock.after(timeoutMs, () => fail(new Error(failure())));
    const onClosing = () => fail(new Error("the cluster was closed"));
    closing.addEventListener("abort", onClosing);
    const done = () => {
      timer.cancel();
      closing.removeEventListener("abort", onClosing);
      unwatch();
    };
  });
}
