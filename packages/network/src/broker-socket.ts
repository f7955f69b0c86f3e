import type { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Clock } from "./clock.ts";
import { type Address, AuthenticationError, addressText, ConnectionError } from "./errors.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { progressOf, tlsFailure } from "./security/tls-failure.ts";
import type { TlsSettings } from "./security/tls-settings.ts";
import { isConnecting, madeSocket, openSocket, reasonOf, type SocketFactory, secureSocket } from "./socket.ts";

/** Largest frame before the peer has shown that it is a broker: an ApiVersions answer takes a few kilobytes. */
const handshakeMaxBytes = 1_048_576;

export interface BrokerSocketOptions {
  /** `null` for plaintext. */
  readonly tls: TlsSettings | null;
  /** Opens the socket in place of this library; `null` where that is not wanted. */
  readonly socketFactory: SocketFactory | null;
  /** The address of the host that is tried last. */
  readonly avoidAddress: string | null;
}

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
  /** Tells a factory that its socket is not waited for any more. */
  readonly #abandonment = new AbortController();
  /** That of TCP, then that of TLS around it; `null` while a factory has not made it. */
  #socket: Duplex | null = null;
  /** `null` until frames may be written. */
  #writer: FrameWriter | null = null;
  #remoteAddress: string | null = null;
  readonly #onRead = (chunk: Buffer) => this.#onData(chunk);

  constructor(
    address: Address,
    { tls, socketFactory, avoidAddress }: BrokerSocketOptions,
    clock: Clock,
    listener: BrokerSocketListener,
  ) {
    this.#address = address;
    this.#tls = tls;
    this.#clock = clock;
    this.#listener = listener;
    this.#reader = new FrameReader(handshakeMaxBytes, (payload) => listener.onFrame(payload));
    if (socketFactory === null) this.#connect(avoidAddress);
    // In a turn of its own: what it does is none of the business of who wants the connection.
    else queueMicrotask(() => void this.#make(socketFactory));
  }

  /** The address of the host that took the connection; `null` before one did, and where a factory chose it. */
  get remoteAddress(): string | null {
    return this.#remoteAddress;
  }

  /** Frames whose buffers are not free yet. */
  get unwritten(): number {
    return this.#writer?.unwritten ?? 0;
  }

  /** Whether it has more to write than it can; `onDrain` says when that is over. */
  get isFull(): boolean {
    return this.#writer?.isFull ?? false;
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
    return this.#writer?.nextDeadlineMs ?? Number.POSITIVE_INFINITY;
  }

  /** Gives each of them that much more time. */
  extend(ms: number): void {
    this.#writer?.extend(ms);
  }

  /**
   * @param onWritten called when the buffers are free, see `FrameWriter.write`
   * @throws Error before `onOpen`: a defect of the caller
   */
  write(chunks: readonly Buffer[], deadlineMs: number, onWritten: (error: Error | null) => void): void {
    if (this.#writer === null) throw new Error(`connection to ${addressText(this.#address)} is not open`);
    this.#writer.write(chunks, deadlineMs, onWritten);
  }

  /** Closes at once; `onClose` follows when all buffers are free. */
  destroy(): void {
    this.#abandonment.abort();
    if (this.#socket !== null) this.#socket.destroy();
    else queueMicrotask(() => this.#listener.onClose());
  }

  #connect(avoid: string | null): void {
    const socket = openSocket(this.#address, { avoid, onRead: this.#tls === null ? this.#onRead : null });
    this.#use(socket);
    socket.on("connect", () => {
      this.#remoteAddress = socket.remoteAddress ?? null;
      this.#onConnect(socket);
    });
  }

  async #make(factory: SocketFactory): Promise<void> {
    const { host, port } = this.#address;
    const { signal } = this.#abandonment;
    if (signal.aborted) return;
    try {
      await madeSocket(factory, { host, port, signal }, (socket) => this.#onMade(socket));
    } catch (error) {
      const reason = `socketFactory: ${error instanceof Error ? reasonOf(error) : String(error)}`;
      this.#listener.onFailure(new ConnectionError(this.#address, reason, { cause: error }));
    }
  }

  #onMade(socket: Duplex): void {
    if (this.#abandonment.signal.aborted) {
      socket.on("error", () => {}).destroy();
      return;
    }
    this.#use(socket);
    if (this.#tls === null) socket.on("data", this.#onRead);
    if (isConnecting(socket)) socket.once("connect", () => this.#onConnect(socket));
    else this.#onConnect(socket);
  }

  #onConnect(socket: Duplex): void {
    if (this.#tls === null) this.#open(socket);
    else void this.#secure(socket, this.#tls);
  }

  /** Has TLS spoken over a socket, which from here on only carries it. */
  async #secure(carrier: Duplex, tls: TlsSettings): Promise<void> {
    try {
      const options = await tls.connectOptions(this.#address);
      if (carrier.destroyed) return;
      const secured = this.#secured(carrier, options);
      let isSecure = false;
      secured.on("secureConnect", () => {
        isSecure = true;
        this.#open(secured);
      });
      this.#use(secured, (error) => this.#tlsError(error, secured, isSecure));
    } catch (error) {
      this.#listener.onFailure(error);
    }
  }

  /** @throws ConnectionError where Node refuses the options only now */
  #secured(carrier: Duplex, options: ConnectionOptions): TLSSocket {
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
  #use(socket: Duplex, failureOf = (error: Error): Error => this.#connectionError(reasonOf(error), error)): void {
    this.#socket = socket;
    socket.on("error", (error) => {
      if (socket === this.#socket) this.#listener.onFailure(failureOf(error));
    });
    socket.on("close", () => {
      if (socket === this.#socket) this.#listener.onClose();
    });
  }

  #open(socket: Duplex): void {
    this.#writer = new FrameWriter(socket);
    socket.on("drain", () => this.#listener.onDrain());
    socket.on("end", () => this.#listener.onEnd());
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
