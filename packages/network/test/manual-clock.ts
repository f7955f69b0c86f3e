import type { Clock, Timer } from "../src/clock.ts";

interface PendingTimer {
  readonly atMs: number;
  readonly run: () => void;
}

/** More rings than this in one turn of the clock are a loop that does not sleep. */
const spinRings = 10_000;

/** Time that stands still until a test turns it. */
export class ManualClock implements Clock {
  readonly #timers = new Set<PendingTimer>();
  #nowMs: number;
  #rings = 0;

  constructor(nowMs = 1_000) {
    this.#nowMs = nowMs;
  }

  /** Timers that are set: 0 is what a closed client leaves. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Timers that rang since the start: a loop that spins shows here. */
  get rings(): number {
    return this.#rings;
  }

  /** When the next timer rings; `Infinity` for never. */
  get nextAtMs(): number {
    return this.#next()?.atMs ?? Number.POSITIVE_INFINITY;
  }

  now(): number {
    return this.#nowMs;
  }

  wallTimeMs(): number {
    // Timers ring at fractions of a millisecond, such as those of a random back-off.
    return Math.floor(1_700_000_000_000 + this.#nowMs);
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Lets `ms` pass: what is due meanwhile rings, each at its own moment, the earlier first. */
  advance(ms: number): void {
    this.advanceTo(this.#nowMs + ms);
  }

  /** Lets time pass until it is `untilMs`. */
  advanceTo(untilMs: number): void {
    const startMs = this.#nowMs;
    for (let rings = 0; rings < spinRings; rings++) {
      const next = this.#next();
      if (next === null || next.atMs > untilMs) {
        this.#nowMs = untilMs;
        return;
      }
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#rings += 1;
      next.run();
    }
    throw new Error(`${spinRings} timers rang within ${untilMs - startMs} ms: something sets them without end`);
  }

  /** Lets `ms` pass in which nothing rings, as while a process is busy or stands still: what is due rings with the next turn. */
  holdUp(ms: number): void {
    this.#nowMs += ms;
  }

  #next(): PendingTimer | null {
    let next: PendingTimer | null = null;
    for (const timer of this.#timers) if (next === null || timer.atMs < next.atMs) next = timer;
    return next;
  }
}
