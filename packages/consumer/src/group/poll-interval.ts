/** How long an application may work on what it polled before it is thought stuck. No timers. Source: Kafka's `Heartbeat`, the poll timer. */
export class PollInterval {
  readonly #maxPollIntervalMs: number;
  #endsAtMs = Number.POSITIVE_INFINITY;

  constructor(maxPollIntervalMs: number) {
    this.#maxPollIntervalMs = maxPollIntervalMs;
  }

  /** When it is over; `Infinity` while the application polls, and before it first did. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /** The application polls, or was found stuck, which is so until it polls. */
  stop(): void {
    this.#endsAtMs = Number.POSITIVE_INFINITY;
  }

  /** The application has what it polled for, and works. */
  start(nowMs: number): void {
    this.#endsAtMs = nowMs + this.#maxPollIntervalMs;
  }
}
