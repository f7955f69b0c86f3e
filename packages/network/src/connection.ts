import { type Api, DecodeError, type Fields, type Input, type Output } from "@odradek/protocol";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { BrokerSocket } from "./broker-socket.ts";
import { Alarm, type Clock } from "./clock.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import type { ConnectionPeer } from "./connection-peer.ts";
import { type Answered, type ConnectionEnd, ConnectionRequests } from "./connection-requests.ts";
import { ConnectionSession } from "./connection-session.ts";
import { type ConnectionState, connectionStates } from "./connection-state.ts";
import { AuthenticationError, addressText, ClosedError, ConnectionError, TimeoutError } from "./errors.ts";
import { handshake } from "./handshake.ts";
import type { NodeApiVersions } from "./node-api-versions.ts";
import type { NetworkObserver } from "./observation/network-observer.ts";
import type { SaslChannel } from "./security/sasl-authenticator.ts";
import type { SaslMechanism } from "./security/sasl-mechanism.ts";

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
  readonly #requests: ConnectionRequests;
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
  /** Whether the broker has answered anything since the connection is ready. */
  #answerCount = 0;
  /** Why and when the closing began. */
  #end: ConnectionEnd | null = null;

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
    this.#socket = new BrokerSocket(peer, options, clock, {
      onOpen: () => void this.#setUp(),
      onFrame: (payload) => this.#onFrame(payload),
      onRead: (bytes, handlingMs, nowMs) => observer.io(peer, bytes, handlingMs, nowMs),
      onDrain: () => this.#onRoom(),
      onEnd: () => this.destroy(new ConnectionError(peer, this.#endText())),
      onFailure: (error) => this.destroy(this.#blamed(error)),
      onClose: () => this.#onClose(),
    });
    const onWritten = (): void => this.#endDraining();
    this.#requests = new ConnectionRequests(peer, options, this.#socket, clock, observer, onWritten);
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
    return this.#requests.size;
  }

  /**
   * Whether another request is taken: it is ready, fewer than `maxInFlight` wait for answers, and the socket has not
   * more to write than it can. What cannot be written would only pile up here; the caller can still add to it.
   */
  hasRoom(maxInFlight: number): boolean {
    if (!this.#state.is("ready") || this.#requests.size >= maxInFlight || this.#socket.isFull) return false;
    return this.#session === null || this.#session.takesRequests(this.#clock.now());
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
      this.#requests.write(api, version, body, this.#options.requestTimeoutMs, (error) => {
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
    if (this.#end !== null) return Promise.reject(this.#end.cause);
    const answer = this.#requests.ask(api, version, body, timeoutMs);
    this.#setAlarm();
    return answer;
  }

  /** What has to be done before the first request. */
  async #setUp(): Promise<void> {
    const { clusterId, tls, sasl, receiveMessageMaxBytes } = this.#options;
    try {
      this.#state.to("checkingVersions");
      if (tls !== null && sasl === null) this.#onAuthenticated("TLS", this.#clock.now() - this.#startedAtMs);
      const ask = this.#askInTurn.bind(this);
      this.#versions = await handshake(this.peer, clusterId, ask);
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
      askBare: (bytes) => {
        if (this.#end !== null) return Promise.reject(this.#end.cause);
        return this.#requests.askBare(bytes, this.#setupDeadlineMs);
      },
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
    // Requests that were held back for it go on while its mechanism looks for credentials.
    this.#onRoom();
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
    const behindMs = this.#requests.remainingMs(this.#clock.now());
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
    const answered = this.#requests.take(payload);
    if (answered === null) return;
    this.#onAnswer(answered, payload.length + 4);
    this.#setAlarm();
    this.#endDraining();
    this.#onRoom();
  }

  #onAnswer({ request, throttledMs }: Answered, bytes: number): void {
    const { api, sentAtMs } = request;
    const nowMs = this.#clock.now();
    // What belongs to the connection itself is no use of it.
    if (api !== SaslHandshake && api !== SaslAuthenticate) this.#lastUsedMs = nowMs;
    if (this.wasReady) this.#answerCount += 1;
    this.#observer.responseReceived(this.peer, request, bytes, nowMs - sentAtMs);
    if (throttledMs > 0) this.#throttle(api, throttledMs);
  }

  /** The broker reads nothing for a while: what it got before is answered later, and nothing more is sent (KIP-219). */
  #throttle(api: Api, ms: number): void {
    const throttledMs = Math.min(ms, this.#options.throttleTimeMaxMs);
    this.#observer.throttled(this.peer, api.name, throttledMs);
    this.#throttledUntilMs = Math.max(this.#throttledUntilMs, this.#clock.now() + throttledMs);
    this.#requests.extend(throttledMs);
    if (this.#state.is("ready")) this.#state.to("throttled");
  }

  #onRoom(): void {
    if (this.#state.is("ready")) this.#listener.onRoom();
  }

  #endDraining(): void {
    if (this.#state.is("draining") && this.#requests.isDone) this.destroy(this.#closedError());
  }

  #endText(): string {
    if (this.#state.is("checkingVersions")) return "closed by the broker before it answered ApiVersions";
    if (this.#state.is("authenticating")) return "closed by the broker during authentication";
    const isSuspect = this.#answerCount === 0 && this.#options.sasl === null && this.#requests.size > 0;
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
    return this.#requests.isDone ? this.#lastUsedMs + this.#options.connectionsMaxIdleMs : Number.POSITIVE_INFINITY;
  }

  /** What the alarm is to ring for where no request is late: in each state something else. */
  get #nextDutyAtMs(): number {
    if (this.#state.is("throttled")) return this.#throttledUntilMs;
    if (!this.#state.is("ready")) return Number.POSITIVE_INFINITY;
    return Math.min(this.#session?.dueAtMs ?? Number.POSITIVE_INFINITY, this.#idleAtMs);
  }

  #setAlarm(): void {
    if (this.#end !== null) return;
    this.#alarm.set(Math.min(this.#setupDeadlineMs, this.#requests.nextDeadlineMs, this.#nextDutyAtMs));
  }

  #onAlarm(): void {
    const nowMs = this.#clock.now();
    const { setupTimeoutMs, connectionsMaxIdleMs } = this.#options;
    const late = this.#requests.late(nowMs);
    if (this.#setupDeadlineMs <= nowMs) {
      this.destroy(new TimeoutError(`connecting to ${addressText(this.peer)}`, setupTimeoutMs));
    } else if (late !== null) {
      // Its answer may still come and would then be taken for that of a later request.
      this.destroy(late);
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

  #onClose(): void {
    this.destroy(new ConnectionError(this.peer, "closed"));
    this.#state.to("closed");
    const end = this.#end;
    if (end === null) throw new Error("closed without a reason");
    const { cause } = end;
    this.#requests.fail(end);
    if (cause instanceof AuthenticationError) this.#observer.authenticationFailed(this.peer, cause, this.wasReady);
    this.#observer.disconnected(this.peer, cause, cause instanceof ClosedError);
    this.#listener.onClosed(cause);
    this.#onceClosed();
  }
}
