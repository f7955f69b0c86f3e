/** A timer that can be called off. */
export interface Timer {
  cancel(): void;
}

/** Where a cluster takes its time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `run` once, `delayMs` from now at the earliest. */
  after(delayMs: number, run: () => void): Timer;
}

/** Node refuses longer timers, about 25 days: they run at once. */
const longestTimerMs = 2_147_483_647;

/** The clock of the machine. Its timers keep no process alive: the cluster's listeners do, until it is closed. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after(delayMs: number, run: () => void): Timer {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), longestTimerMs)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
});

/** Runs `run` once what came meanwhile had its turn. No time passes, so that it goes by no clock. */
export const afterOthers = (run: () => void): void => void setImmediate(run);

interface PendingTimer {
  readonly atMs: number;
  readonly run: () => void;
}

/**
 * Time that stands still until it is turned by hand, so that session and transaction timeouts come when a test wants
 * them to. A Fetch that has nothing to give waits for it too: `advance` is what ends it.
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<PendingTimer>();
  #nowMs: number;

  /** @param nowMs where time begins, ms since 1970. @default now */
  constructor(nowMs: number = systemClock.now()) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /**
   * Lets `ms` pass: what is due meanwhile runs, each at its own moment, the earlier first.
   *
   * @throws RangeError for time that does not go forward
   */
  advance(ms: number): void {
    if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError(`time goes forward: advance(${ms}) does not`);
    const untilMs = this.#nowMs + ms;
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): PendingTimer | null {
    let next: PendingTimer | null = null;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (next === null || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }
}
