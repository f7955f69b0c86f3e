import type { Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Clock } from "./clock.ts";
import { type Address, AuthenticationError, ConnectionError } from "./errors.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { progressOf, tlsFailure } from "./security/tls-failure.ts";
import type { TlsSettings } from "./security/tls-settings.ts";
import { openSocket, reasonOf, secureSocket } from "./socket.ts";

/** Largest frame before the peer has shown that it is a broker: an ApiVersions answer takes a few kilobytes. */
const handshakeMaxBytes = 1_048_576;

export interface BrokerSocketListener {
  /** Frames may be written: TCP is connected and TLS, where it is spoken, agreed on. */
  onOpen(): void;
  /** A whole frame came. What it throws is a failure of the socket. */
  onFrame(payload: Buffer): void;
  /** What came in one go was looked at. */
  onRead(bytes: number, handlingMs: number, nowMs: number): void;
  /** What waited to be written was written. */
  onDrain(): void;
  /** The broker will send nothing more. */
  onEnd(): void;
  /** It is of no use any more; whoever listens destroys it. */
  onFailure(error: unknown): void;
  /** It holds no buffer any more; called once, and nothing is called after it. */
  onClose(): void;
}

/** One socket to one broker, in the clear or in TLS, that takes frames and gives frames. */
export class BrokerSocket {
  readonly #address: Address;
  readonly #tls: TlsSettings | null;
  readonly #clock: Clock;
  readonly #listener: BrokerSocketListener;
  readonly #reader: FrameReader;
  /** The one of TCP, then the one of TLS around it. */
  #socket: Socket;
  #writer: FrameWriter;
  #remoteAddress: string | null = null;
  readonly #onRead = (chunk: Buffer) => this.#onData(chunk);

  /** @param avoid the address of the host that is tried last */
  constructor(
    address: Address,
    tls: TlsSettings | null,
    avoid: string | null,
    clock: Clock,
    listener: BrokerSocketListener,
  ) {
    this.#address = address;
    this.#tls = tls;
    this.#clock = clock;
    this.#listener = listener;
    this.#reader = new FrameReader(handshakeMaxBytes, (payload) => listener.onFrame(payload));
    this.#socket = openSocket(address, { avoid, onRead: tls === null ? this.#onRead : null });
    this.#writer = new FrameWriter(this.#socket);
    this.#socket.on("connect", () => this.#onConnect());
    this.#watch(this.#socket);
  }

  /** The address of the host that took the connection; `null` before one did. */
  get remoteAddress(): string | null {
    return this.#remoteAddress;
  }

  /** Frames whose buffers are not free yet. */
  get unwritten(): number {
    return this.#writer.unwritten;
  }

  /** Whether it has more to write than it can; `onDrain` says when that is over. */
  get isFull(): boolean {
    return this.#writer.isFull;
  }

  /** The peer is a broker: frames may be as large as this from now on. */
  trust(maxFrameBytes: number): void {
    this.#reader.maxFrameBytes = maxFrameBytes;
  }

  /** Whether frames come without a header, so that they may be empty. */
  set takesBareFrames(isBare: boolean) {
    this.#reader.minFrameBytes = isBare ? 0 : 4;
  }

  /** When the first of them has to be written, `Infinity` where there is none. */
  get nextDeadlineMs(): number {
    return this.#writer.nextDeadlineMs;
  }

  /** Gives each of them that much more time. */
  extend(ms: number): void {
    this.#writer.extend(ms);
  }

  /** @param onWritten called when the buffers are free, see `FrameWriter.write` */
  write(chunks: readonly Buffer[], deadlineMs: number, onWritten: (error: Error | null) => void): void {
    this.#writer.write(chunks, deadlineMs, onWritten);
  }

  /** Closes at once; `onClose` follows when all buffers are free. */
  destroy(): void {
    this.#socket.destroy();
  }

  #onConnect(): void {
    this.#remoteAddress = this.#socket.remoteAddress ?? null;
    if (this.#tls === null) this.#open();
    else void this.#secure(this.#tls);
  }

  /** Has TLS spoken over the socket, which from here on only carries it. */
  async #secure(tls: TlsSettings): Promise<void> {
    const carrier = this.#socket;
    try {
      const options = await tls.connectOptions(this.#address);
      if (carrier.destroyed) return;
      const secured = this.#secured(carrier, options);
      let isSecure = false;
      secured.on("secureConnect", () => {
        isSecure = true;
        this.#open();
      });
      this.#socket = secured;
      this.#writer = new FrameWriter(secured);
      this.#watch(secured, (error) => this.#tlsError(error, secured, isSecure));
    } catch (error) {
      this.#listener.onFailure(error);
    }
  }

  /** @throws ConnectionError where Node refuses the options only now */
  #secured(carrier: Socket, options: ConnectionOptions): TLSSocket {
    try {
      return secureSocket(carrier, options, this.#onRead);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConnectionError(this.#address, `TLS cannot be set up as the option ssl says: ${reason}`, {
        cause,
        retriable: false,
      });
    }
  }

  /** The socket that only carries another one fails and closes with it, and is not the one to be told of. */
  #watch(socket: Socket, failureOf = (error: Error): Error => this.#connectionError(reasonOf(error), error)): void {
    socket.on("error", (error) => {
      if (socket === this.#socket) this.#listener.onFailure(failureOf(error));
    });
    socket.on("close", () => {
      if (socket === this.#socket) this.#listener.onClose();
    });
  }

  #open(): void {
    this.#socket.on("drain", () => this.#listener.onDrain());
    this.#socket.on("end", () => this.#listener.onEnd());
    this.#listener.onOpen();
  }

  #onData(chunk: Buffer): void {
    const startMs = this.#clock.now();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#listener.onFailure(error);
    }
    const nowMs = this.#clock.now();
    this.#listener.onRead(chunk.length, nowMs - startMs, nowMs);
  }

  #tlsError(error: Error, socket: TLSSocket, isSecure: boolean): Error {
    const { reason, text } = tlsFailure(error, progressOf(socket, this.#address.host, isSecure));
    if (reason === null) return this.#connectionError(text, error);
    return new AuthenticationError(this.#address, "TLS", reason, text, { cause: error });
  }

  #connectionError(reason: string, cause: Error): ConnectionError {
    return new ConnectionError(this.#address, reason, { cause });
  }
}
