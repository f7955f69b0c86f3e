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
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { BrokerSocket } from "./broker-socket.ts";
import { Alarm, type Clock } from "./clock.ts";
import type { ConnectionPeer } from "./connection-peer.ts";
import { ConnectionSession } from "./connection-session.ts";
import { AuthenticationError, addressText, ClosedError, ConnectionError, TimeoutError } from "./errors.ts";
import { handshake } from "./handshake.ts";
import { type InFlightRequest, InFlightRequests } from "./in-flight-requests.ts";
import type { NodeApiVersions } from "./node-api-versions.ts";
import type { NetworkObserver } from "./observation/network-observer.ts";
import type { SaslChannel } from "./security/sasl-authenticator.ts";
import type { SaslMechanism } from "./security/sasl-mechanism.ts";
import type { TlsSettings } from "./security/tls-settings.ts";
import { State } from "./state.ts";
import { throttleTimeMs } from "./throttling.ts";

/** SASL reserves the correlation ids from here on (Kafka's `SaslClientAuthenticator`). */
const correlationIds = 2_147_483_640;

const connectionStates = () =>
  new State("connecting", {
    connecting: ["checkingVersions", "closing"], // the host is looked up, TCP and TLS are set up
    checkingVersions: ["authenticating", "ready", "throttled", "closing"], // ApiVersions is under way
    authenticating: ["ready", "throttled", "draining", "closing"], // SASL is under way, and again before its session ends
    ready: ["authenticating", "throttled", "draining", "closing"], // takes requests
    throttled: ["ready", "draining", "closing"], // the broker reads nothing for a while
    draining: ["closing"], // takes no more requests; those under way are awaited
    closing: ["closed"], // the socket lets go of the buffers that it still holds
    closed: [], // for good: every request has its answer or its error
  });

export type ConnectionState = ReturnType<typeof connectionStates>["now"];

export interface ConnectionOptions {
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  /** For all that comes before the first request: DNS, TCP, TLS, ApiVersions and SASL. */
  readonly setupTimeoutMs: number;
  readonly connectionsMaxIdleMs: number;
  readonly receiveMessageMaxBytes: number;
  readonly receiveMessageMaxItems: number;
  /** The longest that a broker may keep the connection from sending. */
  readonly throttleTimeMaxMs: number;
  /** `null` for plaintext. */
  readonly tls: TlsSettings | null;
  /** `null` where nobody has to say who they are. */
  readonly sasl: SaslMechanism | null;
  /** The address of the host that is tried last. */
  readonly avoidAddress: string | null;
}

export interface ConnectionListener {
  /** Requests may be sent. */
  onReady(): void;
  /** There is room for another request: an answer came, what waited to be written was written, a throttling is over. */
  onRoom(): void;
  /** The connection is no more; called once, after the last of its requests failed. */
  onClosed(cause: Error): void;
}

/**
 * One socket to one broker: proves who it is, writes requests, matches answers, closes when either side breaks the rules.
 * It never connects again; who wants another connection makes one.
 */
export class Connection {
  readonly peer: ConnectionPeer;
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #observer: NetworkObserver;
  readonly #listener: ConnectionListener;
  readonly #state = connectionStates();
  readonly #socket: BrokerSocket;
  readonly #inFlight = new InFlightRequests();
  readonly #alarm: Alarm;
  readonly #startedAtMs: number;
  readonly #closed: Promise<void>;
  #onceClosed: () => void = () => {};
  /** Until when the connection must be ready; `Infinity` once it was. */
  #setupDeadlineMs: number;
  #versions: NodeApiVersions | null = null;
  /** `null` without SASL, and before it. */
  #session: ConnectionSession | null = null;
  #throttledUntilMs = Number.NEGATIVE_INFINITY;
  /** When a request was last sent or answered. */
  #lastUsedMs: number;
  #correlationId = 0;
  /** Whether the broker has answered anything since the connection is ready. */
  #answerCount = 0;
  /** Who waits for a frame without a header. */
  #bare: { readonly resolve: (payload: Buffer) => void; readonly reject: (error: Error) => void } | null = null;
  /** Why and when the closing began. */
  #end: { readonly cause: Error; readonly atMs: number } | null = null;

  constructor(
    peer: ConnectionPeer,
    options: ConnectionOptions,
    clock: Clock,
    observer: NetworkObserver,
    listener: ConnectionListener,
  ) {
    this.peer = peer;
    this.#options = options;
    this.#clock = clock;
    this.#observer = observer;
    this.#listener = listener;
    this.#closed = new Promise((resolve) => {
      this.#onceClosed = resolve;
    });
    this.#startedAtMs = clock.now();
    this.#lastUsedMs = this.#startedAtMs;
    this.#setupDeadlineMs = this.#startedAtMs + options.setupTimeoutMs;
    this.#alarm = new Alarm(clock, () => this.#onAlarm());
    this.#alarm.set(this.#setupDeadlineMs);
    this.#socket = new BrokerSocket(peer, options.tls, options.avoidAddress, clock, {
      onOpen: () => void this.#setUp(),
      onFrame: (payload) => this.#onFrame(payload),
      onRead: (bytes, handlingMs, nowMs) => observer.io(peer, bytes, handlingMs, nowMs),
      onDrain: () => this.#onRoom(),
      onEnd: () => this.destroy(new ConnectionError(peer, this.#endText())),
      onFailure: (error) => this.destroy(this.#blamed(error)),
      onClose: () => this.#onClose(),
    });
  }

  get state(): ConnectionState {
    return this.#state.now;
  }

  /** Whether it was ready once. */
  get wasReady(): boolean {
    return this.#setupDeadlineMs === Number.POSITIVE_INFINITY;
  }

  /** The address of the host that took the connection; `null` before one did. */
  get remoteAddress(): string | null {
    return this.#socket.remoteAddress;
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
    if (!this.#state.is("ready") || this.#inFlight.size >= maxInFlight || this.#socket.isFull) return false;
    // The broker closes a connection that goes on after the end of its session.
    return this.#session?.isOver(this.#clock.now()) !== true;
  }

  /** What the broker supports. @throws Error before it was asked: a defect of the caller */
  get versions(): NodeApiVersions {
    if (this.#versions === null) throw new Error(`connection to ${addressText(this.peer)} is not ready`);
    return this.#versions;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * The promise settles only when the buffers that the request refers to are free again: they have been written, or
   * the socket is closed. Its order among other requests is the order of the calls.
   *
   * @throws EncodeError where the body does not fit; nothing was written and the connection goes on
   * @throws ConnectionError, TimeoutError, ClosedError where the connection is not ready, or closes before the answer
   */
  request<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs = this.#options.requestTimeoutMs,
  ): Promise<Output<Res>> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    this.#lastUsedMs = this.#clock.now();
    return this.#ask(api, version, body, timeoutMs);
  }

  /**
   * Sends a request that the broker does not answer (Produce with `acks` 0); settles when it was handed to the system.
   *
   * @throws the same as `request`
   */
  send<Req extends Fields>(api: Api<Req, Fields>, version: number, body: Input<Req>): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal();
      if (refusal !== null) throw refusal;
      this.#lastUsedMs = this.#clock.now();
      this.#write(api, version, body, this.#options.requestTimeoutMs, (error) => {
        // A socket that was destroyed may not have written all, whatever it says.
        if (this.#end !== null) reject(this.#end.cause);
        else if (error === null) resolve();
        else reject(new ConnectionError(this.peer, error.message, { cause: error }));
      });
      this.#setAlarm();
    });
  }

  /**
   * Takes no more requests, waits until those under way have their answers and are written, at most `timeoutMs`, and
   * closes. Resolves when the socket is closed.
   *
   * @param cause what those are told that are still under way then
   */
  async close(timeoutMs: number, cause: Error = this.#closedError()): Promise<void> {
    if (this.wasReady && this.#state.is("ready", "throttled", "authenticating")) this.#state.to("draining");
    if (!this.#state.is("draining")) this.destroy(cause);
    this.#endDraining();
    const timer = this.#clock.after(timeoutMs, () => this.destroy(cause));
    await this.#closed;
    timer.cancel();
  }

  /** Closes at once. What is under way fails with `cause` as soon as the socket has let go of its buffers. */
  destroy(cause: Error): void {
    if (this.#state.is("closing", "closed")) return;
    this.#state.to("closing");
    this.#end = { cause, atMs: this.#clock.now() };
    this.#alarm.cancel();
    this.#socket.destroy();
  }

  /** Why no request is taken; `null` where one is. */
  #refusal(): Error | null {
    if (this.#state.is("ready")) return null;
    if (this.#end !== null) return this.#end.cause;
    if (this.#state.is("draining")) return this.#closedError();
    return new ConnectionError(this.peer, `not ready (${this.#state.now})`);
  }

  #ask<Req extends Fields, Res extends Fields>(
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
      const correlationId = this.#write(api, version, body, timeoutMs, () => {
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
          return throttleTimeMs(api, version, response);
        },
        fail: reject,
      });
      this.#setAlarm();
    });
  }

  #write<Req extends Fields>(
    api: Api<Req, Fields>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    onWritten: (error: Error | null) => void,
  ): number {
    if (this.#end !== null) throw this.#end.cause;
    const correlationId = this.#correlationId;
    const header = { correlationId, clientId: this.#options.clientId };
    const { chunks, bytes } = encodeRequest(api, version, header, body);
    this.#correlationId = (correlationId + 1) % correlationIds;
    this.#socket.write(chunks, this.#clock.now() + timeoutMs, (error) => {
      onWritten(error);
      this.#endDraining();
    });
    this.#observer.requestSent(this.peer, api.name, version, correlationId, bytes);
    return correlationId;
  }

  /** Sends bytes behind their length and nothing else; the answer comes likewise. */
  #askBare(bytes: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) throw this.#end.cause;
      if (this.#bare !== null) throw new Error("a mechanism sends one token after the other");
      const length = Buffer.alloc(4);
      length.writeInt32BE(bytes.length);
      this.#socket.takesBareFrames = true;
      this.#bare = { resolve, reject };
      this.#socket.write([length, Buffer.from(bytes)], this.#setupDeadlineMs, () => {});
    });
  }

  /** What has to be done before the first request. */
  async #setUp(): Promise<void> {
    const { tls, sasl, receiveMessageMaxBytes } = this.#options;
    try {
      this.#state.to("checkingVersions");
      if (tls !== null && sasl === null) this.#onAuthenticated("TLS", this.#clock.now() - this.#startedAtMs);
      this.#versions = await handshake(this.peer, (api, version, body) => this.#askInTurn(api, version, body));
      if (sasl !== null) {
        this.#state.to("authenticating");
        this.#session = this.#newSession(sasl, this.#versions);
        await this.#session.open();
        this.#socket.takesBareFrames = false;
      }
    } catch (error) {
      this.destroy(this.#blamed(error));
    }
    if (this.#end !== null) return;
    this.#setupDeadlineMs = Number.POSITIVE_INFINITY;
    this.#socket.trust(receiveMessageMaxBytes);
    this.#observer.connected(this.peer, this.#clock.now() - this.#startedAtMs);
    this.#settle();
    this.#listener.onReady();
  }

  #newSession(sasl: SaslMechanism, versions: NodeApiVersions): ConnectionSession {
    const channel: SaslChannel = {
      address: this.peer,
      versions,
      begin: () => {},
      ask: (api, version, body) => this.#askInTurn(api, version, body),
      askBare: (bytes) => this.#askBare(bytes),
    };
    return new ConnectionSession(sasl, channel, this.#clock, this.#options.setupTimeoutMs, {
      // Requests that were sent before are answered before; those that come now have to wait.
      onRenewal: () => {
        const refusal = this.#refusal();
        if (refusal !== null) throw refusal;
        this.#state.to("authenticating");
        this.#setAlarm();
      },
      onAuthenticated: (durationMs) => this.#onAuthenticated(sasl.name, durationMs),
    });
  }

  #onAuthenticated(mechanism: string, durationMs: number): void {
    this.#observer.authenticated(this.peer, mechanism, durationMs, this.wasReady);
  }

  async #renew(session: ConnectionSession): Promise<void> {
    const renewing = session.renew();
    this.#setAlarm();
    try {
      await renewing;
    } catch (error) {
      this.destroy(this.#blamed(error));
    }
    if (!this.#state.is("authenticating", "ready")) return;
    this.#settle();
    this.#onRoom();
  }

  /** Sends what belongs to the connection itself. It may have to wait for answers to requests that the broker got before. */
  #askInTurn<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
  ): Promise<Output<Res>> {
    const behindMs = Math.max(0, this.#inFlight.lastDeadlineMs - this.#clock.now());
    return this.#ask(api, version, body, behindMs + this.#options.requestTimeoutMs);
  }

  /** Goes on with requests, as soon as the broker reads them. */
  #settle(): void {
    const nowMs = this.#clock.now();
    const next = nowMs < this.#throttledUntilMs ? "throttled" : "ready";
    if (!this.#state.is(next)) this.#state.to(next);
    if (next === "ready" && this.#session !== null && this.#session.dueAtMs <= nowMs) void this.#renew(this.#session);
    this.#setAlarm();
  }

  #onFrame(payload: Buffer): void {
    if (this.#end !== null) return;
    const bare = this.#bare;
    if (bare !== null) {
      this.#bare = null;
      bare.resolve(payload);
      return;
    }
    // An answer that cannot be read leaves its request where it is: it fails with the others when the socket is closed.
    const request = this.#inFlight.oldest(correlationIdOf(payload));
    const throttledMs = request.complete(payload);
    this.#inFlight.shift();
    this.#onAnswer(request, payload.length + 4);
    if (throttledMs > 0) this.#throttle(request, throttledMs);
    this.#setAlarm();
    this.#endDraining();
    this.#onRoom();
  }

  #onAnswer({ api, version, correlationId, sentAtMs }: InFlightRequest, bytes: number): void {
    const nowMs = this.#clock.now();
    // What belongs to the connection itself is no use of it.
    if (api !== SaslHandshake && api !== SaslAuthenticate) this.#lastUsedMs = nowMs;
    if (this.wasReady) this.#answerCount += 1;
    this.#observer.responseReceived(this.peer, api.name, version, correlationId, bytes, nowMs - sentAtMs);
  }

  /** The broker reads nothing for a while: what it got before is answered later, and nothing more is sent (KIP-219). */
  #throttle({ api }: InFlightRequest, ms: number): void {
    const throttledMs = Math.min(ms, this.#options.throttleTimeMaxMs);
    this.#observer.throttled(this.peer, api.name, throttledMs);
    this.#throttledUntilMs = Math.max(this.#throttledUntilMs, this.#clock.now() + throttledMs);
    this.#inFlight.extend(throttledMs);
    this.#socket.extend(throttledMs);
    if (this.#state.is("ready")) this.#state.to("throttled");
  }

  #onRoom(): void {
    if (this.#state.is("ready")) this.#listener.onRoom();
  }

  #endDraining(): void {
    if (this.#state.is("draining") && this.#inFlight.size === 0 && this.#socket.unwritten === 0) {
      this.destroy(this.#closedError());
    }
  }

  #endText(): string {
    if (this.#state.is("checkingVersions")) return "closed by the broker before it answered ApiVersions";
    if (this.#state.is("authenticating")) return "closed by the broker during authentication";
    const isSuspect = this.#answerCount === 0 && this.#options.sasl === null && this.#inFlight.size > 0;
    return `closed by the broker${isSuspect ? " at the first request: does this listener expect SASL?" : ""}`;
  }

  /** What the bytes of this peer did wrong, with the peer's name; anything else is a defect and goes on as it is. */
  #blamed(error: unknown): Error {
    if (error instanceof DecodeError) {
      // A peer whose first answer is none is no broker, and will not be one the next time.
      const retriable = !this.#state.is("checkingVersions");
      return new ConnectionError(this.peer, error.message, { cause: error, retriable });
    }
    return error instanceof Error ? error : new Error(String(error));
  }

  #closedError(): ClosedError {
    return new ClosedError(`connection to ${addressText(this.peer)}`);
  }

  /** When the connection has been idle for too long, if nothing is sent until then. */
  get #idleAtMs(): number {
    const isIdle = this.#inFlight.size === 0 && this.#socket.unwritten === 0;
    return isIdle ? this.#lastUsedMs + this.#options.connectionsMaxIdleMs : Number.POSITIVE_INFINITY;
  }

  /** What the alarm is to ring for where no request is late: in each state something else. */
  get #nextDutyAtMs(): number {
    if (this.#state.is("throttled")) return this.#throttledUntilMs;
    if (!this.#state.is("ready")) return Number.POSITIVE_INFINITY;
    return Math.min(this.#session?.dueAtMs ?? Number.POSITIVE_INFINITY, this.#idleAtMs);
  }

  #setAlarm(): void {
    if (this.#end !== null) return;
    const lateAtMs = Math.min(this.#inFlight.nextDeadlineMs, this.#socket.nextDeadlineMs);
    this.#alarm.set(Math.min(this.#setupDeadlineMs, lateAtMs, this.#nextDutyAtMs));
  }

  #onAlarm(): void {
    const nowMs = this.#clock.now();
    const { setupTimeoutMs, connectionsMaxIdleMs } = this.#options;
    const [late] = this.#inFlight.expired(nowMs);
    if (this.#setupDeadlineMs <= nowMs) {
      this.destroy(new TimeoutError(`connecting to ${addressText(this.peer)}`, setupTimeoutMs));
    } else if (late !== undefined) {
      // Its answer may still come and would then be taken for that of a later request.
      this.destroy(this.#timeoutOf(late, nowMs));
    } else if (this.#socket.nextDeadlineMs <= nowMs) {
      this.destroy(new TimeoutError(`writing to ${addressText(this.peer)}`, nowMs - this.#lastUsedMs));
    } else if (this.#state.is("throttled")) {
      this.#settle();
      this.#onRoom();
    } else if (this.#idleAtMs <= nowMs) {
      this.destroy(new ClosedError(`connection to ${addressText(this.peer)}, idle for ${connectionsMaxIdleMs} ms,`));
    } else if (this.#state.is("ready") && this.#session !== null && this.#session.dueAtMs <= nowMs) {
      void this.#renew(this.#session);
    } else {
      this.#setAlarm();
    }
  }

  #timeoutOf({ api, version, sentAtMs }: InFlightRequest, nowMs: number): TimeoutError {
    return new TimeoutError(`${api.name} v${version} to ${addressText(this.peer)}`, nowMs - sentAtMs);
  }

  #onClose(): void {
    this.destroy(new ConnectionError(this.peer, "closed"));
    this.#state.to("closed");
    const end = this.#end;
    if (end === null) throw new Error("closed without a reason");
    const { cause } = end;
    this.#bare?.reject(cause);
    for (const request of this.#inFlight.clear()) request.fail(this.#failureOf(request, end));
    if (cause instanceof AuthenticationError) this.#observer.authenticationFailed(this.peer, cause, this.wasReady);
    this.#observer.disconnected(this.peer, cause, cause instanceof ClosedError);
    this.#listener.onClosed(cause);
    this.#onceClosed();
  }

  /** Only what ran out of time timed out; the others lost their connection to it. */
  #failureOf(request: InFlightRequest, { cause, atMs }: { readonly cause: Error; readonly atMs: number }): Error {
    if (!(cause instanceof TimeoutError)) return cause;
    if (request.deadlineMs <= atMs) return this.#timeoutOf(request, atMs);
    return new ConnectionError(this.peer, `closed, because ${cause.message}`, { cause });
  }
}
