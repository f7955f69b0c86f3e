import { type BrokerErrorName, brokerErrors } from "@odradek/protocol";

/** What befalls a request, or the answer to it. */
export type Effect =
  | { readonly kind: "fail"; readonly errorCode: number }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "drop" }
  | { readonly kind: "closeAfter"; readonly bytes: number }
  | { readonly kind: "split"; readonly bytes: number }
  | { readonly kind: "throttle"; readonly ms: number };

/** @param error a name or a code of Kafka's, other than NONE @throws TypeError for any other */
export function failure(error: BrokerErrorName | number): Effect {
  const row = brokerErrors.find(({ name, code }) => name === error || code === error);
  if (row !== undefined && row.code !== 0) return { kind: "fail", errorCode: row.code };
  throw new TypeError(`${String(error)} is no error of a Kafka broker; such as NOT_LEADER_OR_FOLLOWER, or its code 6`);
}

export const delay = (ms: number): Effect => ({ kind: "delay", ms: whole("ms", ms, 0) });

export const drop: Effect = Object.freeze({ kind: "drop" });

export const closeAfter = (bytes: number): Effect => ({ kind: "closeAfter", bytes: whole("bytes", bytes, 0) });

export const split = (bytes: number): Effect => ({ kind: "split", bytes: whole("bytes", bytes, 1) });

export const throttle = (ms: number): Effect => ({ kind: "throttle", ms: whole("ms", ms, 0) });

/** The largest that a message can tell, and that a timer can take. */
const most = 0x7fff_ffff;

function whole(what: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new TypeError(`a fault: ${what} is ${String(value)}; it must be a whole number from ${least} to ${most}`);
}
