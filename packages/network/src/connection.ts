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
import { FrameWriter } from "./frame-writer.ts";
import { handshake } from "./handshake.ts";
import { type InFlightRequest, InFlightRequests } from "./in-flight-requests.ts";
import type { NodeApiVersions } from "./node-api-versions.ts";
import { openSocket, reasonOf } from "./socket.ts";
import { State } from "./state.ts";

/** Largest frame before the peer has shown that it is a broker: an ApiVersions answer takes a few kilobytes. */
const handshakeMaxBytes = 1_048_576;

/** SASL reserves the correlation ids from here on (Kafka's `SaslClientAuthenticator`). */
const correlationIds = 2_147_483_640;

const connectionStates = () =>
  new State("connecting", {
    connecting: ["checkingVersions", "closing"], // the socket is being opened
    checkingVersions: ["ready", "closing"], // connected; ApiVersions is under way
    ready: ["draining", "closing"], // takes requests
    draining: ["closing"], // takes no more requests; those under way are awaited
    closing: ["closed"], // the socket lets go of the buffers that it still holds
    closed: [], // for good: every request has its answer or its error
  });

export type ConnectionState = ReturnType<typeof connectionStates>["now"];

export interface ConnectionOptions {
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  /** For TCP and the handshake together. */
  readonly setupTimeoutMs: number;
  readonly receiveMessageMaxBytes: number;
  readonly receiveMessageMaxItems: number;
}

export interface ConnectionListener {
  /** Requests may be sent. */
  onReady(): void;
  /** There is room for another request: an answer came, or what waited to be written was written. */
  onRoom(): void;
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
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  readonly #inFlight = new InFlightRequests();
  readonly #deadline: Alarm;
  readonly #setupDeadlineMs: number;
  readonly #closed: Promise<void>;
  #versions: NodeApiVersions | null = null;
  #correlationId = 0;
  /** Why and when the closing began. */
  #end: { readonly cause: Error; readonly atMs: number } | null = null;

  constructor(address: Address, options: ConnectionOptions, clock: Clock, listener: ConnectionListener) {
    this.address = address;
    this.#options = options;
    this.#clock = clock;
    this.#listener = listener;
    this.#socket = openSocket(address);
    this.#reader = new FrameReader(handshakeMaxBytes, (payload) => this.#onFrame(payload));
    this.#writer = new FrameWriter(this.#socket);
    this.#socket.on("connect", () => this.#onConnect());
    this.#socket.on("data", (chunk) => this.#onData(chunk));
    this.#socket.on("drain", () => this.#onRoom());
    this.#socket.on("end", () => this.#onEnd());
    this.#socket.on("error", (error) => this.destroy(new ConnectionError(address, reasonOf(error), { cause: error })));
    this.#closed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#onClose();
        resolve();
      });
    });
    this.#deadline = new Alarm(clock, () => this.#onDeadline());
    this.#setupDeadlineMs = clock.now() + options.setupTimeoutMs;
    this.#deadline.set(this.#setupDeadlineMs);
  }

  get state(): ConnectionState {
    return this.#state.now;
  }

  /** Requests that wait for their answers. */
  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  /**
   * Whether another request is taken: it is ready, fewer than `maxInFlight` wait for answers, and the socket has not
   * more to write than it can. What cannot be written would only pile up here; the caller can still add to it.
   */
  hasRoom(maxInFlight: number): boolean {
    return this.#state.is("ready") && this.#inFlight.size < maxInFlight && !this.#writer.isFull;
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
   * @throws EncodeError where the body does not fit; nothing was written and the connection goes on
   * @throws ConnectionError, TimeoutError, ClosedError where the connection is closed, or closes before the answer
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
          const response = decodeResponse(api, version, payload, this.#options.receiveMessageMaxItems);
          answer = () => resolve(response);
          if (isWritten) answer();
        },
        fail: reject,
      });
      this.#setAlarm();
    });
  }

  /**
   * Sends a request that the broker does not answer (Produce with `acks` 0); settles when it was handed to the system.
   *
   * @throws the same as `request`
   */
  send<Req extends Fields>(api: Api<Req, Fields>, version: number, body: Input<Req>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write(api, version, body, (error) => {
        // A socket that was destroyed may not have written all, whatever it says.
        if (this.#end !== null) reject(this.#end.cause);
        else if (error === null) resolve();
        else reject(new ConnectionError(this.address, reasonOf(error), { cause: error }));
      });
    });
  }

  /**
   * Takes no more requests, waits until those under way have their answers and are written, at most `timeoutMs`, and
   * closes. Resolves when the socket is closed.
   */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state.is("ready")) this.#state.to("draining");
    if (!this.#state.is("draining")) this.destroy(this.#closedError());
    this.#endDraining();
    const timer = this.#clock.after(timeoutMs, () => this.destroy(this.#closedError()));
    await this.#closed;
    timer.cancel();
  }

  /** Closes at once. What is under way fails with `cause` as soon as the socket has let go of its buffers. */
  destroy(cause: Error): void {
    if (this.#state.is("closing", "closed")) return;
    this.#state.to("closing");
    this.#end = { cause, atMs: this.#clock.now() };
    this.#deadline.cancel();
    this.#socket.destroy();
  }

  #write<Req extends Fields>(
    api: Api<Req, Fields>,
    version: number,
    body: Input<Req>,
    onWritten: (error: Error | null) => void,
  ): number {
    if (this.#end !== null) throw this.#end.cause;
    if (this.#state.is("draining")) throw this.#closedError();
    if (this.#state.is("connecting")) throw new ConnectionError(this.address, "still connecting");
    const correlationId = this.#correlationId;
    const { chunks } = encodeRequest(api, version, { correlationId, clientId: this.#options.clientId }, body);
    this.#correlationId = (correlationId + 1) % correlationIds;
    this.#writer.write(chunks, (error) => {
      onWritten(error);
      this.#endDraining();
    });
    return correlationId;
  }

  #onConnect(): void {
    this.#state.to("checkingVersions");
    handshake(this).then(
      (versions) => this.#onVersions(versions),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #onVersions(versions: NodeApiVersions): void {
    if (!this.#state.is("checkingVersions")) return;
    this.#versions = versions;
    this.#reader.maxFrameBytes = this.#options.receiveMessageMaxBytes;
    this.#state.to("ready");
    this.#setAlarm();
    this.#listener.onReady();
  }

  #onData(chunk: Buffer): void {
    if (this.#end !== null) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.destroy(this.#blamed(error));
    }
  }

  #onFrame(payload: Buffer): void {
    if (this.#end !== null) return;
    // An answer that cannot be read leaves its request where it is: it fails with the others when the socket is closed.
    this.#inFlight.oldest(correlationIdOf(payload)).complete(payload);
    this.#inFlight.shift();
    this.#setAlarm();
    this.#endDraining();
    this.#onRoom();
  }

  #onRoom(): void {
    if (this.#state.is("ready")) this.#listener.onRoom();
  }

  #onEnd(): void {
    const when = this.#state.is("checkingVersions") ? " before it answered ApiVersions" : "";
    this.destroy(new ConnectionError(this.address, `closed by the broker${when}`));
  }

  #endDraining(): void {
    if (this.#state.is("draining") && this.#inFlight.size === 0 && this.#writer.unwritten === 0) {
      this.destroy(this.#closedError());
    }
  }

  /** What the bytes of this peer did wrong, with the peer's name; anything else is a defect and goes on as it is. */
  #blamed(error: unknown): Error {
    if (error instanceof DecodeError) {
      // A peer whose first answer is none is no broker, and will not be one the next time.
      const retriable = !this.#state.is("checkingVersions");
      return new ConnectionError(this.address, error.message, { cause: error, retriable });
    }
    return error instanceof Error ? error : new Error(String(error));
  }

  #closedError(): ClosedError {
    return new ClosedError(`connection to ${addressText(this.address)}`);
  }

  #setAlarm(): void {
    if (this.#end !== null) return;
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
    // Its answer may still come and would then be taken for that of a later request.
    if (late !== undefined) this.destroy(this.#timeoutOf(late, nowMs));
  }

  #timeoutOf({ api, version, sentAtMs }: InFlightRequest, nowMs: number): TimeoutError {
    return new TimeoutError(`${api.name} v${version} to ${addressText(this.address)}`, nowMs - sentAtMs);
  }

  #onClose(): void {
    this.destroy(new ConnectionError(this.address, "closed"));
    this.#state.to("closed");
    const end = this.#end;
    if (end === null) throw new Error("closed without a reason");
    for (const request of this.#inFlight.clear()) request.fail(this.#failureOf(request, end));
    this.#listener.onClosed(end.cause);
  }

  /** Only what ran out of time timed out; the others lost their connection to it. */
  #failureOf(request: InFlightRequest, { cause, atMs }: { readonly cause: Error; readonly atMs: number }): Error {
    if (!(cause instanceof TimeoutError)) return cause;
    if (request.deadlineMs <= atMs) return this.#timeoutOf(request, atMs);
    return new ConnectionError(this.address, `closed, because ${cause.message}`, { cause });
  }
}
