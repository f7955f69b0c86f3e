import type { Clock, Timer } from "../clock.ts";

/** Ids that were given to members which have not joined with them yet (KIP-394). */
export class PendingMembers {
  readonly #clock: Clock;
  readonly #onGone: () => void;
  readonly #timers = new Map<string, Timer>();

  /** @param onGone called when one has not come in time */
  constructor(clock: Clock, onGone: () => void) {
    this.#clock = clock;
    this.#onGone = onGone;
  }

  get size(): number {
    return this.#timers.size;
  }

  expect(memberId: string, withinMs: number): void {
    const onLate = () => {
      this.#timers.delete(memberId);
      this.#onGone();
    };
    this.#timers.set(memberId, this.#clock.after(withinMs, onLate));
  }

  /** @returns whether it was expected */
  forget(memberId: string): boolean {
    this.#timers.get(memberId)?.cancel();
    return this.#timers.delete(memberId);
  }

  /** Sets no more timers. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
