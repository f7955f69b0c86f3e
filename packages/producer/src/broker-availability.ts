/** Since when one broker has not taken what there is for it. */
interface Broker {
  /** When there last was something to send to it. */
  readyAtMs: number;
  /** When it last took something. */
  drainedAtMs: number;
}

/**
 * Which brokers take what they are sent, by the option `partitionerAvailabilityTimeoutMs`. A broker that has taken nothing for
 * longer, while there was something for it, is not available until it does. Source: Kafka's `NodeLatencyStats`.
 */
export class BrokerAvailability {
  readonly #timeoutMs: number;
  readonly #brokers = new Map<number, Broker>();

  /** @param timeoutMs 0 for brokers that are always available */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** There is something for a broker. @param isTaken whether the broker takes it now */
  observe(brokerId: number, isTaken: boolean, nowMs: number): void {
    if (this.#timeoutMs === 0) return;
    const broker = this.#brokers.get(brokerId);
    if (broker === undefined) {
      this.#brokers.set(brokerId, { readyAtMs: nowMs, drainedAtMs: nowMs });
      return;
    }
    broker.readyAtMs = nowMs;
    if (isTaken) broker.drainedAtMs = nowMs;
  }

  isAvailable(brokerId: number): boolean {
    const broker = this.#brokers.get(brokerId);
    return broker === undefined || broker.readyAtMs - broker.drainedAtMs <= this.#timeoutMs;
  }
}
