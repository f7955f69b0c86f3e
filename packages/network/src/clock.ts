/** A timer that can be called off. */
export interface Timer {
  cancel(): void;
}

/** Where time comes from. Everything that waits or measures takes it from here, so that tests can turn it by hand. */
export interface Clock {
  /** Milliseconds that only go forward, from an arbitrary start: for deadlines and latencies. */
  now(): number;
  /** Milliseconds since 1970: for the timestamps of records. */
  wallTimeMs(): number;
  /** Runs `run` once, `delayMs` from now at the earliest; with 0, in the next turn of the event loop. */
  after(delayMs: number, run: () => void): Timer;
}

/** Node refuses longer timers, about 25 days: they run at once. */
const longestTimerMs = 2_147_483_647;

/**
 * A timer that rings later than this was held up, by work or a process that stood still, and answers may have come meanwhile
 * which nobody has read yet. They go first: what is there in time is not too late.
 */
const heldUpMs = 20;

/** The clock of the machine that this runs on. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  wallTimeMs: () => Date.now(),
  after(delayMs: number, run: () => void): Timer {
    if (delayMs <= 0) {
      // A timer would take a millisecond at least.
      const immediate = setImmediate(run);
      return { cancel: () => clearImmediate(immediate) };
    }
    const atMs = performance.now() + delayMs;
    // Node counts from the start of the loop's turn and cuts off fractions, so a timer may run up to some milliseconds
    // before its time. Whoever is woken early would look, find nothing due, and sleep again.
    const ring = () => {
      const lateMs = performance.now() - atMs;
      if (lateMs < 0) wait();
      else if (lateMs < heldUpMs) run();
      // Sockets have their turn between timers and this.
      else immediate = setImmediate(run);
    };
    let timer: NodeJS.Timeout;
    let immediate: NodeJS.Immediate | undefined;
    const wait = () => {
      const leftMs = Math.ceil(atMs - performance.now());
      timer = setTimeout(ring, Math.min(Math.max(leftMs, 0), longestTimerMs));
    };
    wait();
    return {
      cancel: () => {
        clearTimeout(timer);
        clearImmediate(immediate);
      },
    };
  },
});

/** One timer that can be set again and again: a loop that sleeps until its nearest deadline has one of these. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | null = null;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `atMs` of the clock and at no other time; `Infinity` for never. */
  set(atMs: number): void {
    if (atMs === this.#atMs && this.#timer !== null) return;
    this.cancel();
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#atMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => {
      this.#timer = null;
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}
