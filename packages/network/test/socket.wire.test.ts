import type { LookupAddress, lookup } from "node:dns";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSocket, reasonOf } from "../src/socket.ts";

/** A server at one address of the loopback. */
async function listenAt(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.end());
  server.listen(port, host);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  // A server that listens on TCP has an address with a port.
  return (server.address() as AddressInfo).port;
}

/** A name server that knows these addresses of every name. */
const knowing = (...addresses: readonly string[]): typeof lookup => {
  const answer = addresses.map((address): LookupAddress => ({ address, family: 4 }));
  const resolve = (_: string, __: object, callback: (error: null, found: LookupAddress[]) => void) =>
    callback(null, answer);
  // It stands in for the one form of `lookup` that is used.
  return resolve as unknown as typeof lookup;
};

/** It stands in for the one form of `lookup` that is used. */
const neverAnswering = (() => {}) as unknown as typeof lookup;

/** The address that takes the connection. */
async function taker(port: number, avoid: string | null, resolve: typeof lookup): Promise<string | undefined> {
  const socket = openSocket({ host: "broker.test", port }, { avoid, onRead: null, resolve });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket.remoteAddress;
}

describe("a host with several addresses", () => {
  test("is connected to at the first of them that takes the connection", async () => {
    const port = await listenAt("127.0.0.3");
    expect(await taker(port, null, knowing("127.0.0.2", "127.0.0.3"))).toBe("127.0.0.3");
  });

  test("is connected last at the address that came to nothing before", async () => {
    const port = await listenAt("127.0.0.2");
    await listenAt("127.0.0.3", port);
    const resolve = knowing("127.0.0.2", "127.0.0.3");
    expect(await taker(port, null, resolve)).toBe("127.0.0.2");
    expect(await taker(port, "127.0.0.2", resolve)).toBe("127.0.0.3");
    expect(await taker(port, "127.0.0.3", resolve)).toBe("127.0.0.2");
  });

  test("is connected at the one that came to nothing where no other is left", async () => {
    const port = await listenAt("127.0.0.2");
    expect(await taker(port, "127.0.0.2", knowing("127.0.0.2", "127.0.0.3"))).toBe("127.0.0.2");
  });

  test("has failed when all of them have, and says how each did", async () => {
    const port = await listenAt("127.0.0.4");
    const socket = openSocket(
      { host: "broker.test", port },
      { avoid: null, onRead: null, resolve: knowing("127.0.0.2", "127.0.0.3") },
    );
    const [error] = await once(socket, "error").catch((thrown: unknown) => [thrown]);
    expect(reasonOf(error)).toBe(`connect ECONNREFUSED 127.0.0.2:${port}; connect ECONNREFUSED 127.0.0.3:${port}`);
  });
});

test("a host whose name is still being looked up can be given up on", async () => {
  const socket = openSocket({ host: "broker.test", port: 1 }, { avoid: null, onRead: null, resolve: neverAnswering });
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
});

describe("the reason of a socket's error", () => {
  test("is what it says", () => {
    expect(reasonOf(new Error("connect ECONNREFUSED 127.0.0.1:9092"))).toBe("connect ECONNREFUSED 127.0.0.1:9092");
  });

  test("is what its parts say where every address of a name failed: Node leaves the whole without words", () => {
    const parts = [new Error("connect ECONNREFUSED ::1:9092"), new Error("connect ECONNREFUSED 127.0.0.1:9092")];
    expect(reasonOf(new AggregateError(parts))).toBe(
      "connect ECONNREFUSED ::1:9092; connect ECONNREFUSED 127.0.0.1:9092",
    );
  });
});
