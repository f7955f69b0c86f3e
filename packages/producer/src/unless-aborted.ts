/** What `work` comes to, unless one of the signals says so before: then its reason is thrown, and the work goes on unheard. */
export function unlessAborted<T>(work: Promise<T>, ...given: readonly (AbortSignal | undefined)[]): Promise<T> {
  const signals = given.filter((signal) => signal !== undefined);
  if (signals.length === 0) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signals.find(({ aborted }) => aborted)?.reason);
    for (const signal of signals) {
      if (signal.aborted) giveUp();
      signal.addEventListener("abort", giveUp);
    }
    work.then(resolve, reject).finally(() => {
      for (const signal of signals) signal.removeEventListener("abort", giveUp);
    });
  });
}
