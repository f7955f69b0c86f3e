import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { connect, type LookupFunction, type Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Address } from "./errors.ts";

/** How long one address of several has to answer before the next is tried, milliseconds: the longest way round the earth and more. */
const addressAttemptMs = 1_000;

const loadTls = (): typeof import("node:tls") => require("node:tls");

/**
 * Opens a socket to a host. All of its addresses are tried, one after the other, until one takes the connection.
 *
 * @param avoid the address that is tried last: it took a connection before that came to nothing
 * @param resolve for tests
 */
export function openSocket({ host, port }: Address, avoid: string | null, resolve: typeof lookup = lookup): Socket {
  return connect({
    host,
    port,
    // Small requests must not wait for acknowledgements (Nagle), as in Java.
    noDelay: true,
    keepAlive: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressAttemptMs,
    lookup: avoiding(avoid, resolve),
  });
}

/** Speaks TLS over a socket that is connected. */
export function secureSocket(socket: Socket, options: ConnectionOptions): TLSSocket {
  return loadTls().connect({ ...options, socket });
}

function avoiding(avoid: string | null, resolve: typeof lookup): LookupFunction {
  return (host, options: LookupOptions, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) callback(error, []);
      else callback(null, lastOf(addresses, avoid));
    });
  };
}

const lastOf = (addresses: readonly LookupAddress[], avoid: string | null): LookupAddress[] => [
  ...addresses.filter(({ address }) => address !== avoid),
  ...addresses.filter(({ address }) => address === avoid),
];

/** What the error of a socket says. Where a name has several addresses and none answers, the words are in the parts. */
export function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((part: unknown) => (part instanceof Error ? part.message : String(part))).join("; ");
}
