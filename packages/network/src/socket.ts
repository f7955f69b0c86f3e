import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { connect, type LookupFunction, type OnReadOpts, type Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Address } from "./errors.ts";

/** How long one address of several has to answer before the next is tried, milliseconds: the longest way round the earth and more. */
const addressAttemptMs = 1_000;

const loadTls = (): typeof import("node:tls") => require("node:tls");

/** Takes what came, which is overwritten by what comes next. */
export type OnRead = (chunk: Buffer) => void;

const readBufferBytes = 262_144;
let readBuffer: Buffer | null = null;

/**
 * Has a socket read into one buffer for all: what is read is handed over within the same event, before any other socket reads.
 * A buffer of 64 KiB for each event, as sockets otherwise make, is garbage as soon as its bytes are in their frame: without them
 * a consumer of 10 KiB records needs an eighth less time and a quarter less memory.
 */
function onread(onRead: OnRead): OnReadOpts {
  readBuffer ??= Buffer.allocUnsafeSlow(readBufferBytes);
  return {
    buffer: readBuffer,
    callback: (length, buffer) => {
      onRead(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      return true;
    },
  };
}

/** Whom to connect to, and how. */
export interface SocketOptions {
  /** The address that is tried last: it took a connection before that came to nothing. */
  readonly avoid: string | null;
  /** `null` where another socket is put around this one, and reads in its place. */
  readonly onRead: OnRead | null;
  /** For tests. */
  readonly resolve?: typeof lookup;
}

/** Opens a socket to a host. All of its addresses are tried, one after the other, until one takes the connection. */
export function openSocket({ host, port }: Address, { avoid, onRead, resolve = lookup }: SocketOptions): Socket {
  return connect({
    host,
    port,
    // Small requests must not wait for acknowledgements (Nagle), as in Java.
    noDelay: true,
    keepAlive: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressAttemptMs,
    lookup: avoiding(avoid, resolve),
    ...(onRead === null ? {} : { onread: onread(onRead) }),
  });
}

/** Speaks TLS over a socket that is connected. */
export function secureSocket(socket: Socket, options: ConnectionOptions, onRead: OnRead): TLSSocket {
  // Where TLS is put around a socket, Node 20 reads nothing into a buffer that it was given.
  return loadTls()
    .connect({ ...options, socket })
    .on("data", onRead);
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
