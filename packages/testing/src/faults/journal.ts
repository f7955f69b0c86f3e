import type { Clock } from "../clock.ts";

/** A request that a broker took. */
export interface RecordedRequest<Name extends string = string, Body = unknown> {
  readonly api: Name;
  readonly apiVersion: number;
  /** Id of the broker. */
  readonly broker: number;
  readonly clientId: string;
  /** The request as the protocol reads it. */
  readonly body: Body;
}

/** What is remembered, at the most. */
const maxRequests = 10_000;
const maxBytes = 16 * 1024 * 1024;

interface Waiter {
  /** @returns whether it waits no more */
  readonly look: (request: RecordedRequest) => boolean;
  readonly giveUp: (error: unknown) => void;
}

/** The latest requests, in the order in which the brokers took them. */
export class Journal {
  readonly #clock: Clock;
  readonly #entries: { readonly request: RecordedRequest; readonly bytes: number }[] = [];
  readonly #waiters = new Set<Waiter>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(request: RecordedRequest, bytes: number): void {
    this.#entries.push({ request, bytes });
    this.#bytes += bytes;
    if (this.#entries.length > maxRequests || this.#bytes > maxBytes) this.#forget();
    for (const waiter of this.#waiters) if (waiter.look(request)) this.#waiters.delete(waiter);
  }

  requests(): RecordedRequest[] {
    return this.#entries.map(({ request }) => request);
  }

  clear(): void {
    this.#entries.length = 0;
    this.#bytes = 0;
  }

  /** The first remembered request that `isIt` says yes to, or the next one that comes. */
  async waitFor(
    isIt: (request: RecordedRequest) => boolean,
    timeoutMs: number,
    what: string,
  ): Promise<RecordedRequest> {
    const known = this.#entries.find(({ request }) => isIt(request));
    if (known !== undefined) return known.request;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        look: (request) => {
          // What is wrong with the predicate is for who waits, and not for the client whose request is looked at.
          try {
            if (!isIt(request)) return false;
          } catch (error) {
            waiter.giveUp(error);
            return true;
          }
          timer.cancel();
          resolve(request);
          return true;
        },
        giveUp: (error) => {
          timer.cancel();
          this.#waiters.delete(waiter);
          reject(error);
        },
      };
      const timer = this.#clock.after(timeoutMs, () =>
        waiter.giveUp(new Error(`no ${what} request came within ${timeoutMs} ms that the predicate takes`)),
      );
      this.#waiters.add(waiter);
    });
  }

  /** Nothing will come any more. */
  close(): void {
    for (const waiter of this.#waiters) waiter.giveUp(new Error("the cluster was closed"));
  }

  /** Forgets the oldest half at once, so that it happens seldom. */
  #forget(): void {
    for (const { bytes } of this.#entries.splice(0, Math.ceil(this.#entries.length / 2))) this.#bytes -= bytes;
  }
}
