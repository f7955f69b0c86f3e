import type { Clock } from "./clock.ts";
import { type Address, addressText, TimeoutError } from "./errors.ts";
import { SaslAuthenticator, type SaslChannel } from "./security/sasl-authenticator.ts";
import type { SaslMechanism } from "./security/sasl-mechanism.ts";
import { endlessSession, saslSession } from "./security/sasl-session.ts";

export interface ConnectionSessionListener {
  /** The broker is about to be told of another authentication. @throws where that cannot be now: nothing is sent then */
  onRenewal(): void;
  onAuthenticated(durationMs: number): void;
}

/**
 * Who a connection is to its broker, and until when: it is authenticated at first, and again before its session ends
 * (KIP-368). Between the two it takes requests also while the mechanism looks for credentials; only from the mechanism's first
 * token on they have to wait. It has no timer: `dueAtMs` is for that of the connection.
 */
export class ConnectionSession {
  readonly #mechanism: SaslMechanism;
  readonly #channel: SaslChannel;
  readonly #clock: Clock;
  readonly #attemptTimeoutMs: number;
  readonly #listener: ConnectionSessionListener;
  #session = endlessSession;
  /** The renewal that is under way, and until when its mechanism may look for credentials. */
  #renewal: { readonly authenticator: SaslAuthenticator; readonly deadlineMs: number } | null = null;

  /** @param attemptTimeoutMs how long a mechanism may look for credentials */
  constructor(
    mechanism: SaslMechanism,
    channel: SaslChannel,
    clock: Clock,
    attemptTimeoutMs: number,
    listener: ConnectionSessionListener,
  ) {
    this.#mechanism = mechanism;
    this.#channel = channel;
    this.#clock = clock;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#listener = listener;
  }

  /** When `renew` is to be called; it may be called at any time. */
  get dueAtMs(): number {
    if (this.#renewal === null) return this.#session.reauthenticateAtMs;
    return this.#renewal.authenticator.hasBegun ? Number.POSITIVE_INFINITY : this.#renewal.deadlineMs;
  }

  /**
   * Whether a request may be sent now. From the moment on in which the session is to be renewed that comes first, as in Java, however
   * late the timer is: whatever is sent in its place may be read by the broker when the session is over.
   */
  takesRequests(nowMs: number): boolean {
    return this.dueAtMs > nowMs && !this.#isOver(nowMs);
  }

  /** Whether the broker closes the connection at the next request. */
  #isOver(nowMs: number): boolean {
    return this.#session.isOver(nowMs);
  }

  /** Authenticates for the first time. @throws what the authenticator throws */
  async open(): Promise<void> {
    await this.#run(new SaslAuthenticator(this.#channel, this.#mechanism));
  }

  /**
   * Begins to authenticate anew if it is time, and gives up on a mechanism that has looked for credentials for too long: the
   * session goes on as it was as long as it holds.
   *
   * @returns when it was renewed or put off; at once where there is nothing to do
   * @throws what ends the connection
   */
  async renew(): Promise<void> {
    const nowMs = this.#clock.now();
    if (this.dueAtMs > nowMs) return;
    if (this.#renewal !== null) {
      this.#renewal = null;
      this.#postpone(this.#overdueError());
      return;
    }
    const channel: SaslChannel = { ...this.#channel, begin: () => this.#begin(authenticator) };
    const authenticator: SaslAuthenticator = new SaslAuthenticator(channel, this.#mechanism);
    // Until the end of the session, so that a failure is told by then; behind it nothing is lost by waiting.
    const endsAtMs = this.#isOver(nowMs) ? Number.POSITIVE_INFINITY : this.#session.endsAtMs;
    const deadlineMs = Math.min(nowMs + this.#attemptTimeoutMs, endsAtMs);
    this.#renewal = { authenticator, deadlineMs };
    try {
      await this.#run(authenticator);
    } catch (error) {
      if (authenticator.hasBegun) throw error;
      // The broker knows of nothing. Who was given up on before has nothing to say any more.
      if (this.#isCurrent(authenticator)) this.#postpone(error);
    } finally {
      if (this.#isCurrent(authenticator)) this.#renewal = null;
    }
  }

  async #run(authenticator: SaslAuthenticator): Promise<void> {
    const startMs = this.#clock.now();
    const lifetimeMs = await authenticator.run();
    const nowMs = this.#clock.now();
    this.#session = saslSession(nowMs, lifetimeMs);
    this.#listener.onAuthenticated(nowMs - startMs);
  }

  #isCurrent(authenticator: SaslAuthenticator): boolean {
    return this.#renewal?.authenticator === authenticator;
  }

  #begin(authenticator: SaslAuthenticator): void {
    if (!this.#isCurrent(authenticator)) throw this.#overdueError();
    this.#listener.onRenewal();
  }

  #postpone(error: unknown): void {
    const nowMs = this.#clock.now();
    const isOver = this.#isOver(nowMs);
    this.#session = isOver ? this.#session.unrenewable() : this.#session.postponed(nowMs);
    if (isOver) throw error;
  }

  #overdueError(): TimeoutError {
    const address: Address = this.#channel.address;
    const what = `credentials of ${this.#mechanism.name} for ${addressText(address)}`;
    return new TimeoutError(what, this.#attemptTimeoutMs);
  }
}
