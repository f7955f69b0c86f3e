import type { Clock } from "./clock.ts";
import { OptionsError } from "./errors.ts";

/** A budget of time that is passed down, so that waits inside a call share one end. */
export class Deadline {
  /** When it is over, in the clock's time. */
  readonly atMs: number;
  /** What it was at the start. */
  readonly timeoutMs: number;
  readonly #clock: Clock;

  /**
   * @param sinceMs when its time began, in the clock's time
   * @throws OptionsError for a time that is none; `Infinity` is one
   */
  constructor(clock: Clock, timeoutMs: number, sinceMs = clock.now()) {
    if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
      throw new OptionsError("timeoutMs", timeoutMs, "a number of milliseconds of at least 0");
    }
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
    this.atMs = sinceMs + timeoutMs;
  }

  get remainingMs(): number {
    return Math.max(0, this.atMs - this.#clock.now());
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.atMs;
  }
}
