import {
  type Api,
  correlationIdOf,
  decodeResponse,
  encodeRequest,
  type Fields,
  type Input,
  type Output,
} from "@odradek/protocol";
import type { BrokerSocket } from "./broker-socket.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionPeer } from "./connection-peer.ts";
import { addressText, ConnectionError, TimeoutError } from "./errors.ts";
import { type InFlightRequest, InFlightRequests } from "./in-flight-requests.ts";
import type { NetworkObserver } from "./observation/network-observer.ts";
import { throttleTimeMs } from "./throttling.ts";

/** SASL reserves the correlation ids from here on (Kafka's `SaslClientAuthenticator`). */
const correlationIds = 2_147_483_640;

/** Why and when a connection began to close. */
export interface ConnectionEnd {
  readonly cause: Error;
  readonly atMs: number;
}

/** An answer was read and its request is done. */
export interface Answered {
  readonly request: InFlightRequest;
  /** For how many milliseconds the broker reads nothing more. */
  readonly throttledMs: number;
}

/** The requests of one connection: written to its socket in the order of the calls, matched with the frames that come. */
export class ConnectionRequests {
  readonly #peer: ConnectionPeer;
  readonly #clientId: string;
  readonly #maxItems: number;
  readonly #socket: BrokerSocket;
  readonly #clock: Clock;
  readonly #observer: NetworkObserver;
  readonly #onWritten: () => void;
  readonly #inFlight = new InFlightRequests();
  #correlationId = 0;
  /** Who waits for a frame without a header. */
  #bare: { readonly resolve: (payload: Buffer) => void; readonly reject: (error: Error) => void } | null = null;

  /** @param onWritten called when the buffers of a request are free */
  constructor(
    peer: ConnectionPeer,
    { clientId, receiveMessageMaxItems }: { readonly clientId: string; readonly receiveMessageMaxItems: number },
    socket: BrokerSocket,
    clock: Clock,
    observer: NetworkObserver,
    onWritten: () => void,
  ) {
    this.#peer = peer;
    this.#clientId = clientId;
    this.#maxItems = receiveMessageMaxItems;
    this.#socket = socket;
    this.#clock = clock;
    this.#observer = observer;
    this.#onWritten = onWritten;
  }

  /** Requests that wait for their answers. */
  get size(): number {
    return this.#inFlight.size;
  }

  /** Whether nothing waits for an answer, and nothing to be written. */
  get isDone(): boolean {
    return this.#inFlight.size === 0 && this.#socket.unwritten === 0;
  }

  /** When the first of them is too late, unanswered or unwritten; `Infinity` where there is none. */
  get nextDeadlineMs(): number {
    return Math.min(this.#inFlight.nextDeadlineMs, this.#socket.nextDeadlineMs);
  }

  /** For how many milliseconds the last of those under way may still take. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#inFlight.lastDeadlineMs - nowMs);
  }

  /**
   * Writes a request and waits for its answer.
   *
   * @throws EncodeError where the body does not fit; nothing was written
   */
  ask<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
  ): Promise<Output<Res>> {
    return new Promise((resolve, reject) => {
      const nowMs = this.#clock.now();
      // A broker that answers before it has read all breaks the protocol; the answer waits until the buffers are free.
      let answer: (() => void) | null = null;
      let isWritten = false;
      const correlationId = this.write(api, version, body, timeoutMs, () => {
        isWritten = true;
        answer?.();
      });
      this.#inFlight.add({
        api,
        version,
        correlationId,
        sentAtMs: nowMs,
        deadlineMs: nowMs + timeoutMs,
        complete: (payload) => {
          const response = decodeResponse(api, version, payload, this.#maxItems);
          answer = () => resolve(response);
          if (isWritten) answer();
          return throttleTimeMs(api, version, response);
        },
        fail: reject,
      });
    });
  }

  /**
   * Writes a request, of which no answer is awaited here.
   *
   * @param onWritten called when its buffers are free, with the error of a socket that could not write all
   * @returns its correlation id
   * @throws EncodeError where the body does not fit; nothing was written
   */
  write<Req extends Fields>(
    api: Api<Req, Fields>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    onWritten: (error: Error | null) => void,
  ): number {
    const correlationId = this.#correlationId;
    const { chunks, bytes } = encodeRequest(api, version, { correlationId, clientId: this.#clientId }, body);
    this.#correlationId = (correlationId + 1) % correlationIds;
    this.#socket.write(chunks, this.#clock.now() + timeoutMs, (error) => {
      onWritten(error);
      this.#onWritten();
    });
    this.#observer.requestSent(this.#peer, { api, version, correlationId }, bytes, this.#inFlight.size);
    return correlationId;
  }

  /** Writes bytes behind their length and nothing else; the answer comes likewise. */
  askBare(bytes: Uint8Array, deadlineMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#bare !== null) throw new Error("a mechanism sends one token after the other");
      const length = Buffer.alloc(4);
      length.writeInt32BE(bytes.length);
      this.#socket.takesBareFrames = true;
      this.#bare = { resolve, reject };
      this.#socket.write([length, Buffer.from(bytes)], deadlineMs, () => {});
    });
  }

  /**
   * Gives a frame to who waits for it.
   *
   * @returns `null` where that is no request but `askBare`
   * @throws DecodeError where nobody waits for it, or it cannot be read: its request then stays with the others
   */
  take(payload: Buffer): Answered | null {
    const bare = this.#bare;
    if (bare !== null) {
      this.#bare = null;
      bare.resolve(payload);
      return null;
    }
    const request = this.#inFlight.oldest(correlationIdOf(payload));
    const throttledMs = request.complete(payload);
    this.#inFlight.shift();
    return { request, throttledMs };
  }

  /** Gives each of them that much more time. */
  extend(ms: number): void {
    this.#inFlight.extend(ms);
    this.#socket.extend(ms);
  }

  /** What the first of those fails with that were not answered in time; `null` where there is none. */
  late(nowMs: number): TimeoutError | null {
    const [late] = this.#inFlight.expired(nowMs);
    return late === undefined ? null : this.#timeoutOf(late, nowMs);
  }

  /** No answer comes any more: all of them fail, oldest first. The socket is closed and has let go of their buffers. */
  fail(end: ConnectionEnd): void {
    this.#bare?.reject(end.cause);
    this.#bare = null;
    for (const request of this.#inFlight.clear()) {
      const error = this.#failureOf(request, end);
      if (error instanceof TimeoutError)
        this.#observer.requestTimedOut(this.#peer, request, end.atMs - request.sentAtMs);
      request.fail(error);
    }
  }

  /** Only what ran out of time timed out; the others lost their connection to it. */
  #failureOf(request: InFlightRequest, { cause, atMs }: ConnectionEnd): Error {
    if (!(cause instanceof TimeoutError)) return cause;
    if (request.deadlineMs <= atMs) return this.#timeoutOf(request, atMs);
    return new ConnectionError(this.#peer, `closed, because ${cause.message}`, { cause });
  }

  #timeoutOf({ api, version, sentAtMs }: InFlightRequest, nowMs: number): TimeoutError {
    return new TimeoutError(`${api.name} v${version} to ${addressText(this.#peer)}`, nowMs - sentAtMs);
  }
}
