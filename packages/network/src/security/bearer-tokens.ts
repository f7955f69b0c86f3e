import { type Backoff, exponentialBackoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { BearerToken } from "./bearer-token.ts";
import { SaslError } from "./sasl-error.ts";

/** Where tokens come from. The signal says that nobody wants one any more. */
export type TokenSource = (signal: AbortSignal) => Promise<BearerToken>;

export interface BearerTokensSettings {
  /** First and longest wait before a source that failed is asked again, milliseconds. */
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** A token is renewed when this share of its life is over, or a little more of it, so that clients do so one by one. */
const refreshWindowFactor = 0.8;
const refreshWindowJitter = 0.05;

/** A renewal begins so long before the end that it may fail a few times. */
const refreshBufferMs = 300_000;

/** Between two renewals. */
const refreshMinPeriodMs = 60_000;

/** A source that has not answered by then is taken for stuck, and asked anew. */
const stuckAfterMs = 30_000;

/** How long a renewal may have been under way for anybody to wait for it whose old token still holds. */
const patienceMs = 3_000;

/**
 * How long after it came a token is renewed. Where it does not live as long as buffer and period together, neither counts;
 * where it does, the buffer leaves the period enough room. Source: Kafka's `ExpiringCredentialRefreshingLogin`, KIP-255.
 *
 * @param random a number from 0 up to 1
 */
export function refreshAfterMs(lifetimeMs: number, random: number): number {
  const windowMs = lifetimeMs * (refreshWindowFactor + refreshWindowJitter * random);
  if (lifetimeMs < refreshMinPeriodMs + refreshBufferMs) return windowMs;
  return Math.min(windowMs, lifetimeMs - refreshBufferMs);
}

interface HeldToken {
  readonly token: BearerToken;
  /** When it expires by the clock that nobody sets. */
  readonly untilMs: number;
  /** What is left of its life when it is to be renewed. */
  readonly refreshLeftMs: number;
}

interface Renewal {
  readonly sinceMs: number;
  readonly token: Promise<BearerToken>;
  /** Until then it is the answer for everybody, also when it has failed. */
  untilMs: number;
}

/**
 * The tokens of one client: all of its connections show the same, and ask for a new one together. It is renewed by the
 * first authentication after its time has come, so that a client that is idle asks for none and has no timer.
 */
export class BearerTokens {
  readonly #source: TokenSource;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #random: () => number;
  readonly #closing = new AbortController();
  #held: HeldToken | null = null;
  #renewal: Renewal | null = null;
  /** In a row. */
  #failures = 0;

  /** @param random for tests; a number from 0 up to 1 */
  constructor(source: TokenSource, clock: Clock, settings: BearerTokensSettings, random: () => number = Math.random) {
    this.#source = source;
    this.#clock = clock;
    this.#backoff = exponentialBackoff(settings.retryBackoffMs, settings.retryBackoffMaxMs, random);
    this.#random = random;
  }

  /**
   * A token that holds.
   *
   * @throws what the source threw, where there is none, until it is asked again
   */
  async current(): Promise<BearerToken> {
    const held = this.#held;
    const leftMs = held === null ? 0 : this.#leftMs(held);
    if (held === null || leftMs <= 0) return await this.#renew().token;
    if (leftMs > held.refreshLeftMs) return held.token;
    const renewal = this.#renew();
    if (this.#clock.now() - renewal.sinceMs > patienceMs) return held.token;
    try {
      return await renewal.token;
    } catch (error) {
      // The old one will do, unless it has expired meanwhile.
      if (this.#leftMs(held) > 0) return held.token;
      throw error;
    }
  }

  /** Gives up on a renewal that is under way. */
  close(): void {
    this.#closing.abort();
  }

  #renew(): Renewal {
    const sinceMs = this.#clock.now();
    if (this.#renewal !== null && sinceMs < this.#renewal.untilMs) return this.#renewal;
    const renewal: Renewal = {
      sinceMs,
      token: this.#source(this.#closing.signal).then((token) => this.#hold(token)),
      untilMs: sinceMs + stuckAfterMs,
    };
    this.#renewal = renewal;
    renewal.token.then(
      () => this.#end(renewal),
      () => this.#fail(renewal),
    );
    return renewal;
  }

  #end(renewal: Renewal): void {
    this.#failures = 0;
    if (this.#renewal === renewal) this.#renewal = null;
  }

  #fail(renewal: Renewal): void {
    renewal.untilMs = this.#clock.now() + this.#backoff(this.#failures);
    this.#failures += 1;
  }

  #hold(token: BearerToken): BearerToken {
    const lifetimeMs = token.expiresAtMs - this.#clock.wallTimeMs();
    if (lifetimeMs <= 0) {
      throw new SaslError(
        "credentialsUnavailable",
        `the token that came expired ${Math.round(-lifetimeMs / 1000)} s ago, by the clock of this machine`,
      );
    }
    const refreshLeftMs = lifetimeMs - refreshAfterMs(lifetimeMs, this.#random());
    this.#held = { token, untilMs: this.#clock.now() + lifetimeMs, refreshLeftMs };
    return token;
  }

  /** By both clocks: one can be set back, the other stands still while the machine sleeps. */
  #leftMs({ token, untilMs }: HeldToken): number {
    return Math.min(untilMs - this.#clock.now(), token.expiresAtMs - this.#clock.wallTimeMs());
  }
}
