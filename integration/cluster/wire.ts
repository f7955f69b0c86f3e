import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import {
  type Api,
  decodeResponse,
  encodeRequest,
  type Fields,
  type Input,
  type Output,
  usableVersion,
  type VersionBounds,
  type VersionRange,
} from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** There is no connection, or it ended before the answer came. A broker that starts or stops is like this for a while. */
export class NoAnswer extends Error {}

/** Opens a socket, plain or TLS; it rejects when there is none. */
export type Dial = (address: Address) => Promise<Socket>;

export const plaintext: Dial = async (address) => {
  const socket = connect({ ...address });
  await once(socket, "connect");
  return socket;
};

export const tls =
  (options: ConnectionOptions): Dial =>
  async (address) => {
    const socket = connectTls({ ...address, ...options });
    await once(socket, "secureConnect");
    return socket;
  };

/** How long a broker that is up may take for one answer on a loaded machine. */
const answerWithinMs = 30_000;

/**
 * A connection for the launcher and its tests: one request at a time, each in the newest version that both sides have.
 * It shares only the codec with the client under test, so that it can be trusted while the client is broken.
 */
export class Wire {
  readonly #socket: Socket;
  readonly #frames: AsyncIterator<Buffer>;
  /** What the broker answered to ApiVersions, by api key. */
  readonly versions: ReadonlyMap<number, VersionRange>;

  private constructor(socket: Socket, frames: AsyncIterator<Buffer>, versions: ReadonlyMap<number, VersionRange>) {
    this.#socket = socket;
    this.#frames = frames;
    this.versions = versions;
  }

  /**
   * Connects, and has the broker say what it supports.
   *
   * @throws NoAnswer
   */
  static async open(address: Address, dial: Dial = plaintext): Promise<Wire> {
    const socket = await dial(address).catch((cause: unknown) => {
      throw new NoAnswer(`no connection to ${address.host}:${address.port}: ${String(cause)}`, { cause });
    });
    // An error ends the iteration over the frames too, which is where it is reported.
    socket.on("error", () => {});
    socket.setTimeout(answerWithinMs, () => socket.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
    try {
      const frames = framesOf(socket);
      const { apiKeys } = await exchange(socket, frames, ApiVersions, 0, {});
      return new Wire(socket, frames, new Map(apiKeys.map((range) => [range.apiKey, range])));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** @throws NoAnswer */
  async ask<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    body: Input<Req>,
    bounds?: VersionBounds,
  ): Promise<Output<Res>> {
    const version = usableVersion(api, this.versions.get(api.key), bounds);
    return exchange(this.#socket, this.#frames, api, version, body);
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Connects, asks, closes. @throws NoAnswer */
export async function ask<Req extends Fields, Res extends Fields>(
  address: Address,
  api: Api<Req, Res>,
  body: Input<Req>,
  bounds?: VersionBounds,
): Promise<Output<Res>> {
  using wire = await Wire.open(address);
  return await wire.ask(api, body, bounds);
}

async function exchange<Req extends Fields, Res extends Fields>(
  socket: Socket,
  frames: AsyncIterator<Buffer>,
  api: Api<Req, Res>,
  version: number,
  body: Input<Req>,
): Promise<Output<Res>> {
  const { chunks } = encodeRequest(api, version, { correlationId: 1, clientId: "cluster" }, body);
  socket.write(Buffer.concat(chunks));
  const answer = await frames.next().catch((cause: unknown) => {
    throw new NoAnswer(`no answer to ${api.name}: ${String(cause)}`, { cause });
  });
  if (answer.done) throw new NoAnswer(`the broker closed the connection instead of answering ${api.name}`);
  return decodeResponse(api, version, answer.value);
}

async function* framesOf(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let received = Buffer.alloc(0);
  // A socket without an encoding gives buffers.
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0);
      yield received.subarray(4, end);
      received = received.subarray(end);
    }
  }
}
