import { performance } from "node:perf_hooks";

/** Hands out what it is given a fixed time later, in the same order. */
export class DelayLine<T> {
  readonly #delayMs: number;
  readonly #out: (item: T) => void;
  #waiting: { readonly item: T; readonly dueMs: number }[] = [];

  constructor(delayMs: number, out: (item: T) => void) {
    this.#delayMs = delayMs;
    this.#out = out;
  }

  push(item: T): void {
    this.#waiting.push({ item, dueMs: performance.now() + this.#delayMs });
    if (this.#waiting.length === 1) this.#wake(this.#delayMs);
  }

  #wake(afterMs: number): void {
    setTimeout(() => this.#handOut(), afterMs);
  }

  #handOut(): void {
    const nowMs = performance.now();
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= nowMs);
    this.#waiting = this.#waiting.slice(due.length);
    for (const { item } of due) this.#out(item);
    const [next] = this.#waiting;
    // Timers count whole milliseconds, and never fire early by more than one.
    if (next !== undefined) this.#wake(Math.ceil(next.dueMs - nowMs));
  }
}
