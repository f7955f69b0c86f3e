import { KafkaError } from "@odradek/protocol";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const addressText = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** A connection that could not be made, or that ended with requests under way: those may have been carried out. */
export class ConnectionError extends KafkaError {
  /** `null` where it is not even known whom to connect to. */
  readonly host: string | null;
  readonly port: number | null;

  /** @param options.retriable false where another attempt would meet the same: the peer is no broker */
  constructor(
    address: Address | null,
    reason: string,
    options: { readonly cause?: unknown; readonly retriable?: boolean } = {},
  ) {
    const where = address === null ? "no connection" : `connection to ${addressText(address)}`;
    super(`${where}: ${reason}`, { code: "CONNECTION", retriable: true, ...options });
    this.host = address?.host ?? null;
    this.port = address?.port ?? null;
  }
}

/** Why an authentication failed, in either direction. */
export type AuthenticationFailure =
  /** The broker refused who we say we are: a wrong name or password, a token that does not hold. */
  | "credentialsRefused"
  /** The broker does not have the SASL mechanism, or expects none. */
  | "mechanismRefused"
  /** No credentials could be had, such as a token. */
  | "credentialsUnavailable"
  /** The other side is not who it should be: a broker that does not know our SCRAM password either. */
  | "brokerUnverified"
  /** The broker's certificate is not valid any more, or not yet. */
  | "certificateExpired"
  /** The broker's certificate is signed by nobody whom we trust. */
  | "certificateUntrusted"
  /** The broker's certificate names other hosts. */
  | "certificateHostMismatch"
  /** The broker refused our certificate, or wants one and got none. */
  | "certificateRefused"
  /** The two sides have no version or cipher of TLS in common. */
  | "tlsRefused";

/** The broker and the client do not trust each other. Asking again will not mend it; it never holds a secret. */
export class AuthenticationError extends KafkaError {
  readonly host: string;
  readonly port: number;
  /** `TLS`, or the SASL mechanism, such as `SCRAM-SHA-256`. */
  readonly mechanism: string;
  readonly reason: AuthenticationFailure;

  /** @param text what happened and what to do, without a secret */
  constructor(
    { host, port }: Address,
    mechanism: string,
    reason: AuthenticationFailure,
    text: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(`${mechanism} authentication with ${addressText({ host, port })}: ${text}`, {
      code: "AUTHENTICATION",
      ...options,
    });
    this.host = host;
    this.port = port;
    this.mechanism = mechanism;
    this.reason = reason;
  }
}

/** Something did not happen in the time it had. */
export class TimeoutError extends KafkaError {
  readonly afterMs: number;

  /** @param what what was waited for; the message goes on with the time, and with what went wrong last */
  constructor(what: string, afterMs: number, options: { readonly cause?: unknown } = {}) {
    const last = options.cause instanceof Error ? `; last: ${options.cause.message}` : "";
    super(`${what}: no answer after ${Math.round(afterMs)} ms${last}`, {
      code: "TIMEOUT",
      retriable: true,
      ...options,
    });
    this.afterMs = afterMs;
  }
}

/** A call to something that was closed, or was under way when it was. */
export class ClosedError extends KafkaError {
  /** @param what what is closed, such as `producer` */
  constructor(what: string) {
    super(`the ${what} is closed`, { code: "CLOSED" });
  }
}

/** An option that cannot be used, told by the constructor that took it. */
export class OptionsError extends KafkaError {
  readonly option: string;

  /** @param allowed what would do, such as "a whole number of at least 0" */
  constructor(option: string, value: unknown, allowed: string) {
    super(`option ${option}: ${allowed} is expected, not ${shown(value)}`, { code: "OPTIONS" });
    this.option = option;
  }
}

/** A call that the present state does not allow. */
export class StateError extends KafkaError {
  /** @param code where callers have to tell it from others */
  constructor(message: string, code: "STATE" | "NOTHING_PREPARED" = "STATE") {
    super(message, { code });
  }
}

/** A key, value or header that a serializer or deserializer could not turn. */
export class SerializationError extends KafkaError {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { code: "SERIALIZATION", ...options });
  }
}

/** A value for a message: short, and never what an object holds, since that may be a secret. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "bigint") return `${value}n`;
  return String(value);
}
