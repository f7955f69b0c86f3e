import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { connect, type LookupFunction, type OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Address } from "./errors.ts";
import { isPending } from "./serde.ts";

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

/** Whom a `SocketFactory` is to connect to. */
export interface SocketTarget {
  /** As in `bootstrapServers`, or as the broker advertises it: a name is not looked up yet. */
  readonly host: string;
  readonly port: number;
  /** Aborted when nobody waits for the socket any more: the setup timeout is over, or the client is closed. */
  readonly signal: AbortSignal;
}

/**
 * Opens the socket to a broker, such as through a proxy. What it gives may still be connecting, and is closed by the client.
 * With the option `ssl` TLS is spoken over it.
 */
export type SocketFactory = (target: SocketTarget) => Duplex | PromiseLike<Duplex>;

/** Has a user's factory open a socket. @throws what the factory throws, and Error for what is no socket, or one that is closed */
export async function madeSocket(
  factory: SocketFactory,
  target: SocketTarget,
  onSocket: (socket: Duplex) => void,
): Promise<void> {
  const take = (made: unknown): void => {
    if (!isDuplex(made)) throw new TypeError("what it gave is no stream.Duplex, such as a net.Socket");
    if (made.destroyed) {
      // Its error, which is thrown, may still be on its way as an event.
      made.on("error", () => {});
      throw made.errored ?? new Error("the socket that it gave is closed");
    }
    if (made instanceof Socket) made.setNoDelay(true).setKeepAlive(true);
    onSocket(made);
  };
  const made = factory(target);
  // A socket that is there may fail before a promise of it is looked at: its listeners have to be put on it now.
  if (isPending(made)) await made.then(take);
  else take(made);
}

/** Whether a socket has yet to be connected. Streams that are no sockets do not say: they are as soon as they are there. */
export const isConnecting = (socket: Duplex): boolean => "pending" in socket && socket.pending === true;

const duplexMethods = ["on", "write", "cork", "uncork", "destroy"] as const;

function isDuplex(made: unknown): made is Duplex {
  if (typeof made !== "object" || made === null) return false;
  return duplexMethods.every((name) => typeof Reflect.get(made, name) === "function");
}

/** Speaks TLS over a socket that is connected. */
export function secureSocket(socket: Duplex, options: ConnectionOptions, onRead: OnRead): TLSSocket {
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
