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
  constructor(message: string) {
    super(message, { code: "STATE" });
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
  return String(value);
}
