/** Least time between two authentications of a connection, milliseconds: a broker takes an earlier one for a mistake. */
const leastIntervalMs = 1_000;

/** How long a broker takes a connection for authenticated, in the time of the injected clock. Source: KIP-368. */
export class SaslSession {
  /** When to authenticate anew. */
  readonly reauthenticateAtMs: number;
  readonly endsAtMs: number;

  constructor(reauthenticateAtMs: number, endsAtMs: number) {
    this.reauthenticateAtMs = reauthenticateAtMs;
    this.endsAtMs = endsAtMs;
  }

  /** Whether the broker closes the connection at the next request. */
  isOver(nowMs: number): boolean {
    return nowMs >= this.endsAtMs;
  }

  /** The same session, with which it ends. */
  unrenewable(): SaslSession {
    return new SaslSession(Number.POSITIVE_INFINITY, this.endsAtMs);
  }

  /** The same session, where the attempt to go on came to nothing: half of the time that is left is for the next one. */
  postponed(nowMs: number): SaslSession {
    const waitMs = Math.max(leastIntervalMs, (this.endsAtMs - nowMs) / 2);
    return new SaslSession(nowMs + waitMs, this.endsAtMs);
  }
}

/** Of a connection without SASL, or whose broker sets no end. */
export const endlessSession = new SaslSession(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);

/**
 * A session that begins now. It is renewed when 85 to 95 % of it are over, as in Kafka, so that clients that began
 * together do not authenticate together.
 *
 * @param lifetimeMs what the broker said; 0 or less for no end
 * @param random for tests; a number from 0 up to 1
 */
export function saslSession(nowMs: number, lifetimeMs: number, random: () => number = Math.random): SaslSession {
  if (lifetimeMs <= 0) return endlessSession;
  const renewMs = Math.max(leastIntervalMs, lifetimeMs * (0.85 + 0.1 * random()));
  return new SaslSession(nowMs + renewMs, nowMs + lifetimeMs);
}
