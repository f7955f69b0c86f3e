import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import {
  type Api,
  decodeRequest,
  decodeRequestHeader,
  encodeResponse,
  type Fields,
  type Input,
  type Output,
  type ResponseWrittenOf,
} from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { onTestFinished } from "vitest";
import type { Address } from "../src/errors.ts";

export type ApiVersionsAnswer = ResponseWrittenOf<typeof ApiVersions>;

/** What a peer says that it supports, where a test does not care: everything that we do. */
const everything: ApiVersionsAnswer = {
  errorCode: 0,
  apiKeys: Array.from({ length: 95 }, (_, apiKey) => ({ apiKey, minVersion: 0, maxVersion: 99 })),
};

/** Enough for a header whose client id is as short as in tests. */
const headerBytes = 32;

/** One request as it came. */
export class PeerRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly #payload: Buffer;

  constructor(payload: Buffer) {
    const { apiKey, apiVersion, correlationId, clientId } = decodeRequestHeader(payload);
    this.apiKey = apiKey;
    this.apiVersion = apiVersion;
    this.correlationId = correlationId;
    this.clientId = clientId;
    this.#payload = payload;
  }

  body<Req extends Fields>(api: Api<Req, Fields>): Output<Req> {
    return decodeRequest(api, this.apiVersion, this.#payload);
  }
}

/** Why a script ends that waits for a request: the client closed the connection. */
class ClientGone extends Error {}

/** The peer's end of one connection: what a script reads from and writes to. */
export class PeerConnection {
  readonly socket: Socket;
  /** Resolves when either side closed it. Who has not read all that came does not see the other side's end. */
  readonly closed: Promise<void>;
  #bytes: Buffer = Buffer.alloc(0);
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.socket = socket;
    // A reset by the client under test is an end like any other.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.#chunks = socket.iterator({ destroyOnReturn: false });
  }

  /** The next request. @throws where the client closes instead of sending one */
  async next(): Promise<PeerRequest> {
    return new PeerRequest(await this.frame());
  }

  /** The next frame, whatever is in it. @throws where the client closes instead of sending one */
  async frame(): Promise<Buffer> {
    const header = await this.#take(4);
    return this.#take(header.readInt32BE(0));
  }

  /** The header of a request whose rest is left where it is: its sender cannot write all of it. */
  async header(): Promise<PeerRequest> {
    await this.#fill(4 + headerBytes);
    return new PeerRequest(this.#bytes.subarray(4));
  }

  /** Answers the handshake. */
  async handshake(answer: ApiVersionsAnswer = everything): Promise<PeerRequest> {
    const request = await this.next();
    this.answer(request, ApiVersions, answer);
    return request;
  }

  answer<Res extends Fields>(request: PeerRequest, api: Api<Fields, Res>, body: Input<Res>): void {
    this.write(frameOf(request, api, body));
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Each byte in a packet and a turn of its own. */
  async writeByteByByte(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      this.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Closes as a broker that shuts down does, after what was written. */
  end(): void {
    this.socket.end();
  }

  /** Closes as a broker that was killed does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #fill(bytes: number): Promise<void> {
    const chunks = [this.#bytes];
    for (let have = this.#bytes.length; have < bytes; ) {
      // A client that leaves something unread resets the connection, which ends it like a close.
      const chunk = await this.#chunks.next().catch(() => null);
      if (chunk === null || chunk.done === true) throw new ClientGone();
      chunks.push(chunk.value);
      have += chunk.value.length;
    }
    this.#bytes = Buffer.concat(chunks);
  }

  async #take(bytes: number): Promise<Buffer> {
    await this.#fill(bytes);
    const taken = this.#bytes.subarray(0, bytes);
    this.#bytes = this.#bytes.subarray(bytes);
    return taken;
  }
}

/** What a peer does with a connection; `index` counts them from 0. */
export type Script = (connection: PeerConnection, index: number) => Promise<void> | void;

/**
 * A server on a free port of the loopback that does what the test tells it. A script that throws because the client
 * went away has seen what it was there for; whatever else it throws fails the test when the peer closes, at its end.
 */
export class ScriptedPeer {
  readonly address: Address;
  /** Every connection that was made, also those that are closed. */
  readonly connections: PeerConnection[] = [];
  readonly #server: Server;
  readonly #failures: unknown[] = [];

  private constructor(server: Server, port: number, script: Script, isSecure: boolean) {
    this.#server = server;
    this.address = { host: "127.0.0.1", port };
    server.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
      const connection = new PeerConnection(socket);
      const index = this.connections.push(connection) - 1;
      this.#run(script, connection, index).catch((error: unknown) => {
        if (!(error instanceof ClientGone)) this.#failures.push(error);
      });
    });
  }

  /** Listens until the test is over. @param tls whether connections are encrypted; who does not agree on it never gets to the script */
  static async listen(script: Script, port = 0, tls?: TlsOptions): Promise<ScriptedPeer> {
    const server = tls === undefined ? createServer({ noDelay: true }) : createTlsServer(tls);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    // A server that listens on TCP has an address with a port.
    const peer = new ScriptedPeer(server, (server.address() as AddressInfo).port, script, tls !== undefined);
    onTestFinished(() => peer.close());
    return peer;
  }

  /**
   * The address of a port on which nobody listens, nor will before the test is over, unless the test itself does: a
   * socket that is connected to somebody else keeps it.
   */
  static async nobody(): Promise<Address> {
    const other = await ScriptedPeer.listen(() => {});
    const keeper = connect({ ...other.address, localAddress: "127.0.0.1" });
    onTestFinished(() => void keeper.destroy());
    await once(keeper, "connect");
    if (keeper.localPort === undefined) throw new Error("a socket that is connected has a port");
    return { host: "127.0.0.1", port: keeper.localPort };
  }

  /** Stops listening and closes every connection. @throws what a script threw */
  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, "close");
    }
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #run(script: Script, connection: PeerConnection, index: number): Promise<void> {
    await script(connection, index);
  }
}

/** The whole frame of an answer, length first. */
export function frameOf<Res extends Fields>(
  request: PeerRequest,
  api: Api<Fields, Res>,
  body: Input<Res>,
  version = request.apiVersion,
): Buffer {
  return Buffer.concat(encodeResponse(api, version, request.correlationId, body).chunks);
}
