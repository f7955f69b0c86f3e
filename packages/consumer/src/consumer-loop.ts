import { Alarm, type Clock, type Deadline, type NetworkClient } from "@odradek/network";
import type { Due } from "./outgoing-request.ts";
import { WaitingCalls } from "./waiting-calls.ts";

/**
 * The one loop of a consumer. Whenever something happened, or a deadline has come, it has the calls that wait look,
 * asks what is due to be sent, and sends it. It owns the only timer, and sleeps when there is nothing to do.
 */
export class ConsumerLoop {
  readonly #network: Pick<NetworkClient, "send">;
  readonly #clock: Clock;
  readonly #ask: (nowMs: number) => Iterable<Due>;
  readonly #waiting = new WaitingCalls();
  readonly #alarm: Alarm;
  readonly #unsubscribe: () => void;
  #isWakeQueued = false;
  #isClosed = false;

  /** @param ask what is due, from all who make requests; each answer is sent before the next one is asked for */
  constructor(network: Pick<NetworkClient, "send" | "onWake">, clock: Clock, ask: (nowMs: number) => Iterable<Due>) {
    this.#network = network;
    this.#clock = clock;
    this.#ask = ask;
    this.#alarm = new Alarm(clock, () => this.#run());
    this.#unsubscribe = network.onWake(() => this.#run());
  }

  /** Whether a call waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Waits until `find` finds something; it looks at once, and then whenever something happened.
   *
   * @returns what it found; `null` when the time was over first
   * @throws what `find` throws, the reason of the signal, or the error given to `interrupt`
   */
  wait<T>(deadline: Deadline, signal: AbortSignal | undefined, find: () => T | null): Promise<T | null> {
    const waiting = this.#waiting.wait(deadline, signal, find);
    this.#run();
    return waiting;
  }

  /** Has the loop run in a turn of its own: many events in one turn are one run. */
  wake(): void {
    if (this.#isWakeQueued) return;
    this.#isWakeQueued = true;
    queueMicrotask(() => {
      this.#isWakeQueued = false;
      this.#run();
    });
  }

  /** Ends every call that waits. */
  interrupt(error: Error): void {
    this.#waiting.rejectAll(error);
  }

  /** Ends every call that waits, and never runs again. */
  close(error: Error): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#alarm.cancel();
    this.interrupt(error);
  }

  #run(): void {
    if (this.#isClosed) return;
    const nowMs = this.#clock.now();
    // First, because what is handed out makes room for the next fetch, which then is under way while the caller works.
    this.#waiting.look();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const due of this.#ask(nowMs)) nextMs = Math.min(nextMs, this.#send(due));
    // Again, because whoever was asked may have found an error.
    this.#waiting.look();
    this.#waiting.expire(nowMs);
    this.#alarm.set(Math.min(nextMs, this.#waiting.nextMs));
  }

  #send({ requests, nextMs }: Due): number {
    for (const request of requests) void request.send(this.#network).finally(() => this.wake());
    return nextMs;
  }
}
