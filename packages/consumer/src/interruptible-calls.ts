/** Calls that wait for something of their own, and that `wakeup`, `close` and their signals end. What was begun goes on without them. */
export class InterruptibleCalls {
  readonly #calls = new Set<(error: unknown) => void>();

  get size(): number {
    return this.#calls.size;
  }

  /** @throws what the promise rejects with, the reason of the signal, or the error given to `interrupt`, whichever is first */
  race<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = () => {
        this.#calls.delete(reject);
        signal?.removeEventListener("abort", abort);
      };
      const abort = () => {
        end();
        reject(signal?.reason);
      };
      this.#calls.add(reject);
      void promise.then(resolve, reject).finally(end);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort);
    });
  }

  /** Ends all that wait. */
  interrupt(error: Error): void {
    for (const reject of this.#calls) reject(error);
    this.#calls.clear();
  }
}
