import { connect, type Socket } from "node:net";
import type { Address } from "./errors.ts";

/** The only place that opens sockets. Small requests must not wait for acknowledgements (Nagle), as in Java. */
export function openSocket({ host, port }: Address): Socket {
  return connect({ host, port, noDelay: true, keepAlive: true });
}

/** What the error of a socket says. Where a name has several addresses and none answers, the words are in the parts. */
export function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((part: unknown) => (part instanceof Error ? part.message : String(part))).join("; ");
}
