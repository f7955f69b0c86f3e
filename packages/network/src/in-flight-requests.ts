import { type Api, DecodeError } from "@odradek/protocol";

/** A request that was handed to the socket and is not done. */
export interface InFlightRequest {
  readonly api: Api;
  readonly version: number;
  readonly correlationId: number;
  readonly sentAtMs: number;
  /** Moves when the broker says that it reads nothing for a while: that time is not the request's. */
  deadlineMs: number;
  /**
   * Called once with the payload of the answer's frame. It may throw DecodeError: the connection is closed then.
   *
   * @returns for how many milliseconds the broker reads nothing more
   */
  readonly complete: (payload: Buffer) => number;
  /** Called once where no answer will come. */
  readonly fail: (error: Error) => void;
}

/**
 * The requests of one connection that wait for their answers, oldest first. Kafka answers in the order of the
 * requests, so an answer belongs to the oldest or the connection cannot be trusted any more.
 * Source: Kafka's `InFlightRequests`.
 */
export class InFlightRequests {
  readonly #queue: InFlightRequest[] = [];

  get size(): number {
    return this.#queue.length;
  }

  /** When the first of them runs out of time, `Infinity` where there is none. */
  get nextDeadlineMs(): number {
    return this.#queue.reduce((nearest, { deadlineMs }) => Math.min(nearest, deadlineMs), Number.POSITIVE_INFINITY);
  }

  /** When the last of them runs out of time, `-Infinity` where there is none. */
  get lastDeadlineMs(): number {
    return this.#queue.reduce((last, { deadlineMs }) => Math.max(last, deadlineMs), Number.NEGATIVE_INFINITY);
  }

  /** Gives each of them that much more time. */
  extend(ms: number): void {
    for (const request of this.#queue) request.deadlineMs += ms;
  }

  add(request: InFlightRequest): void {
    this.#queue.push(request);
  }

  /**
   * The request that an answer is for; it stays until `shift`.
   *
   * @throws DecodeError where the answer is for none, or not for the oldest
   */
  oldest(correlationId: number): InFlightRequest {
    const oldest = this.#queue[0];
    if (oldest === undefined) throw new DecodeError(`answer with correlation id ${correlationId} to no request`, 0);
    if (oldest.correlationId !== correlationId) {
      const expected = `${oldest.correlationId} (${oldest.api.name} v${oldest.version})`;
      throw new DecodeError(
        `correlation id ${correlationId} where ${expected} is the oldest request without an answer`,
        0,
      );
    }
    return oldest;
  }

  /** Takes the oldest: its answer was read. */
  shift(): void {
    this.#queue.shift();
  }

  /** Those whose time is over at `nowMs`. They stay: an answer may still come, which is why their connection closes. */
  expired(nowMs: number): readonly InFlightRequest[] {
    return this.#queue.filter(({ deadlineMs }) => deadlineMs <= nowMs);
  }

  /** Takes all of them, oldest first. */
  clear(): InFlightRequest[] {
    return this.#queue.splice(0);
  }
}
