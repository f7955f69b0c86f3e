import type { Socket } from "node:net";
import {
  type Api,
  correlationIdOf,
  DecodeError,
  decodeResponse,
  encodeRequest,
  type Fields,
  type Input,
  type Output,
} from "@odradek/protocol";
import { Alarm, type Clock } from "./clock.ts";
import { type Address, addressText, ClosedError, ConnectionError, TimeoutError } from "./errors.ts";
import { FrameReader } from "./frame-reader.ts";
import { handshake } from "./handshake.ts";
import { InFlightRequests } from "./in-flight-requests.ts";
import type { NodeApiVersions } from "./node-api-versions.ts";
import { openSocket } from "./socket.ts";
import { State } from "./state.ts";

/** Largest frame before the peer has shown that it is a broker: an ApiVersions answer takes a few kilobytes. */
const handshakeMaxBytes = 1_048_576;

/** SASL reserves the correlation ids from here on (Kafka's `SaslClientAuthenticator`). */
const correlationIds = 2_147_483_640;

const connectionStates = () =>
  new State("connecting", {
    connecting: ["checkingVersions", "closed"], // the socket is being opened
    checkingVersions: ["ready", "closed"], // connected; ApiVersions is under way
    ready: ["draining", "closed"], // takes requests
    draining: ["closed"], // takes no more requests; those under way are awaited
    closed: [], // for good: every request has its answer or its error
  });

export type ConnectionState = ReturnType<typeof connectionStates>["now"];

export interface ConnectionOptions {
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  /** For TCP and the handshake together. */
  readonly setupTimeoutMs: number;
  readonly receiveMessageMaxBytes: number;
}

export interface ConnectionListener {
  /** Requests may be sent. */
  onReady(): void;
  /** An answer came: there is room for another request. */
  onAnswer(): void;
  /** The connection is no more; called once, after the last of its requests failed. */
  onClosed(cause: Error): void;
}

/**
 * One socket to one broker: writes requests, matches answers, closes when either side breaks the rules. It never
 * connects again; who wants another connection makes one.
 */
export class Connection {
  readonly address: Address;
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #listener: ConnectionListener;
  readonly #state = connectionStates();
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #inFlight = new InFlightRequests();
  readonly #deadline: Alarm;
  readonly #setupDeadlineMs: number;
  #versions: NodeApiVersions | null = null;
  #correlationId = 0;
  /** Why the connection closes; the first reason stays. */
  #cause: Error | null = null;
  #drained: (() => void) | null = null;

  constructor(address: Address, options: ConnectionOptions, clock: Clock, listener: ConnectionListener) {
    this.address = address;
    this.#options = options;
    this.#clock = clock;
    this.#listener = listener;
    this.#frames = new FrameReader(handshakeMaxBytes, (payload) => this.#onFrame(payload));
    this.#deadline = new Alarm(clock, () => this.#onDeadline());
    this.#setupDeadlineMs = clock.now() + options.setupTimeoutMs;
    this.#deadline.set(this.#setupDeadlineMs);
    this.#socket = openSocket(address);
    this.#socket.on("connect", () => this.#onConnect());
    this.#socket.on("data", (chunk) => this.#onData(chunk));
    this.#socket.on("end", () => this.destroy(new ConnectionError(address, "closed by the broker")));
    this.#socket.on("error", (error) => this.destroy(new ConnectionError(address, error.message, { cause: error })));
    this.#socket.on("close", () => this.#onClose());
  }

  get state(): ConnectionState {
    return this.#state.now;
  }

  /** Requests that wait for their answers. */
  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  /** What the broker supports. @throws Error before the connection is ready: a defect of the caller */
  get versions(): NodeApiVersions {
    if (this.#versions === null) throw new Error(`connection to ${addressText(this.address)} is not ready`);
    return this.#versions;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * The promise settles only when the buffers that the request refers to are free again: they have been written, or
   * the socket is closed. Its order among other requests is the order of the calls.
   *
   * @throws EncodeError, at once, where the body does not fit; nothing was written
   * @throws DecodeError, TimeoutError, ConnectionError: the connection is closed then
   */
  request<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs = this.#options.requestTimeoutMs,
  ): Promise<Output<Res>> {
    return new Promise((resolve, reject) => {
      const nowMs = this.#clock.now();
      // A broker that answers before it has read all breaks the protocol; the answer waits until the buffers are free.
      let answer: (() => void) | null = null;
      let isWritten = false;
      const correlationId = this.#write(api, version, body, () => {
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
          const response = decodeResponse(api, version, payload);
          answer = () => resolve(response);
          if (isWritten) answer();
        },
        fail: reject,
      });
      this.#setAlarm();
    });
  }

  /** Sends a request that the broker does not answer (Produce with `acks` 0); settles when it was handed to the system. */
  send<Req extends Fields>(api: Api<Req, Fields>, version: number, body: Input<Req>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write(api, version, body, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Takes no more requests, waits for the answers under way, at most `timeoutMs`, and closes. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state.is("closed")) return;
    const reason = new ClosedError(`connection to ${addressText(this.address)}`);
    if (!this.#state.is("ready") || this.#inFlight.size === 0) {
      this.destroy(reason);
      return;
    }
    this.#state.to("draining");
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(timeoutMs, resolve);
      this.#drained = () => {
        timer.cancel();
        resolve();
      };
    });
    this.destroy(reason);
  }

  /** Closes at once. What is under way fails with `cause` as soon as the socket has let go of its buffers. */
  destroy(cause: Error): void {
    if (this.#cause !== null) return;
    this.#cause = cause;
    this.#deadline.cancel();
    this.#socket.destroy();
  }

  #write<Req extends Fields>(
    api: Api<Req, Fields>,
    version: number,
    body: Input<Req>,
    onWritten: (error: Error | null) => void,
  ): number {
    if (this.#cause !== null) throw this.#cause;
    const correlationId = this.#correlationId;
    const { chunks } = encodeRequest(api, version, { correlationId, clientId: this.#options.clientId }, body);
    this.#correlationId = (correlationId + 1) % correlationIds;
    const last = chunks.length - 1;
    this.#socket.cork();
    chunks.forEach((chunk, index) => {
      if (index < last) this.#socket.write(chunk);
      else this.#socket.write(chunk, (error) => onWritten(error ?? null));
    });
    this.#socket.uncork();
    return correlationId;
  }

  #onConnect(): void {
    this.#state.to("checkingVersions");
    handshake(this).then(
      (versions) => {
        if (this.#cause !== null) return;
        this.#versions = versions;
        this.#frames.maxFrameBytes = this.#options.receiveMessageMaxBytes;
        this.#state.to("ready");
        this.#setAlarm();
        this.#listener.onReady();
      },
      (error: Error) => this.destroy(error),
    );
  }

  #onData(chunk: Buffer): void {
    if (this.#cause !== null) return;
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.destroy(this.#blamed(error));
    }
  }

  #onFrame(payload: Buffer): void {
    if (this.#cause !== null) return;
    const request = this.#inFlight.completeNext(correlationIdOf(payload));
    try {
      request.complete(payload);
    } catch (error) {
      const blamed = this.#blamed(error);
      request.fail(blamed);
      throw blamed;
    }
    this.#setAlarm();
    if (this.#inFlight.size === 0) this.#drained?.();
    if (this.#state.is("ready")) this.#listener.onAnswer();
  }

  /** What the bytes of this peer did wrong, with the peer's name; anything else is a defect and goes on as it is. */
  #blamed(error: unknown): Error {
    if (error instanceof DecodeError) {
      return new ConnectionError(this.address, error.message, { cause: error });
    }
    return error instanceof Error ? error : new Error(String(error));
  }

  #setAlarm(): void {
    if (this.#cause !== null) return;
    const setupMs = this.#state.is("ready", "draining") ? Number.POSITIVE_INFINITY : this.#setupDeadlineMs;
    this.#deadline.set(Math.min(setupMs, this.#inFlight.nextDeadlineMs));
  }

  #onDeadline(): void {
    const nowMs = this.#clock.now();
    if (!this.#state.is("ready", "draining") && this.#setupDeadlineMs <= nowMs) {
      this.destroy(new TimeoutError(`connecting to ${addressText(this.address)}`, this.#options.setupTimeoutMs));
      return;
    }
    const [late] = this.#inFlight.expired(nowMs);
    if (late === undefined) {
      this.#setAlarm();
      return;
    }
    // Its answer may still come and would then be taken for that of a later request.
    const what = `${late.api.name} v${late.version} to ${addressText(this.address)}`;
    this.destroy(new TimeoutError(what, nowMs - late.sentAtMs));
  }

  #onClose(): void {
    const cause = this.#cause ?? new ConnectionError(this.address, "closed");
    this.#cause = cause;
    this.#deadline.cancel();
    this.#state.to("closed");
    const nowMs = this.#clock.now();
    for (const request of this.#inFlight.clear()) {
      // Only what ran out of time timed out; the others lost their connection to it.
      const isBystander = cause instanceof TimeoutError && request.deadlineMs > nowMs;
      request.fail(
        isBystander ? new ConnectionError(this.address, `closed, because ${cause.message}`, { cause }) : cause,
      );
    }
    this.#drained?.();
    this.#listener.onClosed(cause);
  }
}
