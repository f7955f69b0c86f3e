import type { Clock } from "./clock.ts";

/** A budget of time that is passed down, so that waits inside a call share one end. */
export class Deadline {
  /** When it is over, in the clock's time. */
  readonly atMs: number;
  /** What it was at the start. */
  readonly timeoutMs: number;
  readonly #clock: Clock;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
    this.atMs = clock.now() + timeoutMs;
  }

  get remainingMs(): number {
    return Math.max(0, this.atMs - this.#clock.now());
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.atMs;
  }
}
