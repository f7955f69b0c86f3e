import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Metadata } from "@odradek/protocol/messages/metadata";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { frameOf, type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

const maxBytes = 2_097_152;
/** Of a connection that does not know its peer yet. */
const handshakeMaxBytes = 1_048_576;

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const frame = (...parts: readonly Uint8Array[]): Buffer => {
  const payload = Buffer.concat(parts);
  return Buffer.concat([int32(payload.length), payload]);
};

/** A length and the bytes of a frame that never ends. */
const announced = (length: number) => () => Buffer.concat([int32(length), Buffer.alloc(64)]);

const goodAnswer = (request: PeerRequest): Buffer =>
  request.apiKey === ApiVersions.key
    ? frameOf(request, ApiVersions, { errorCode: 0, apiKeys: [] })
    : frameOf(request, Metadata, metadataAnswer());

/** A good answer under another correlation id. */
const misnumbered = (by: number) => (request: PeerRequest) => {
  const bytes = goodAnswer(request);
  bytes.writeInt32BE(request.correlationId + by, 4);
  return bytes;
};

interface BadInput {
  readonly name: string;
  /** What the peer writes in place of the answer. */
  readonly bytes: (request: PeerRequest) => Uint8Array;
  /** What the error says, besides the address. */
  readonly says: string | RegExp;
}

const text = (name: string, line: string | Uint8Array, says: string): BadInput => ({
  name,
  bytes: () => Buffer.from(line),
  says,
});

const badLengths = (largest: number): BadInput[] =>
  [-1, -60, 0, 3, largest + 1, 0x7fff_ffff, -0x8000_0000].map((length) => ({
    name: `a frame of ${length} bytes`,
    bytes: announced(length),
    says: `frame length ${length} is not between 4 and ${largest} bytes`,
  }));

/** What is wrong whatever was asked. */
const anywhere: BadInput[] = [
  text("HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "the peer speaks HTTP"),
  text("a TLS alert", Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50]), "the peer speaks TLS"),
  text("SSH", "SSH-2.0-OpenSSH_9.6\r\n", "the peer speaks SSH"),
  {
    name: "a correlation id that is too high",
    bytes: misnumbered(1),
    says: /correlation id \d+ where \d+ \(\w+ v\d+\) is the oldest/,
  },
  {
    name: "a correlation id that is too low",
    bytes: misnumbered(-1),
    says: /correlation id -?\d+ where \d+ \(\w+ v\d+\) is the oldest/,
  },
  {
    name: "nothing but a correlation id",
    bytes: ({ correlationId }) => frame(int32(correlationId)),
    says: "bytes needed, 0 left",
  },
];

/** Behind the correlation id of an answer to ApiVersions v5: its error code. */
const noError = Buffer.from([0x00, 0x00]);
/** Behind the correlation id of an answer to Metadata v12: no tags, and no throttling. */
const beforeBrokers = Buffer.from([0x00, 0x00, 0x00, 0x00, 0x00]);
const overlong = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
/** A varint of 2^31 - 1: an array announces one item less. */
const many = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07]);

const inHandshake: BadInput[] = [
  ...badLengths(handshakeMaxBytes),
  ...anywhere,
  {
    name: "a count of APIs beyond its bytes",
    bytes: ({ correlationId }) => frame(int32(correlationId), noError, many),
    says: /cannot decode ApiVersionsResponse v5 apiKeys at offset \d+: 2147483646 items announced, 0 bytes left/,
  },
  {
    name: "an overlong varint",
    bytes: ({ correlationId }) => frame(int32(correlationId), noError, overlong),
    says: "cannot decode ApiVersionsResponse v5 apiKeys at offset 6: varint longer than 32 bits",
  },
];

const onceReady: BadInput[] = [
  ...badLengths(maxBytes),
  ...anywhere,
  {
    name: "a count of brokers beyond its bytes",
    bytes: ({ correlationId }) => frame(int32(correlationId), beforeBrokers, many, Buffer.alloc(100)),
    says: /cannot decode MetadataResponse v12 brokers at offset \d+: 2147483646 items announced, 100 bytes left/,
  },
  {
    name: "an overlong varint",
    bytes: ({ correlationId }) => frame(int32(correlationId), beforeBrokers, overlong),
    says: "cannot decode MetadataResponse v12 brokers at offset 9: varint longer than 32 bits",
  },
  {
    name: "a length of text beyond its bytes",
    bytes: ({ correlationId }) =>
      frame(int32(correlationId), beforeBrokers, Buffer.from([2]), int32(1), many, Buffer.alloc(50)),
    says: /cannot decode MetadataResponse v12 brokers\[0\]\.host at offset 1\d: 2147483646 bytes of text, 32767 at most/,
  },
  {
    name: "half an answer",
    bytes: (request) => {
      const whole = goodAnswer(request);
      const half = whole.subarray(4, Math.floor(whole.length / 2));
      return frame(half);
    },
    says: /cannot decode MetadataResponse v12 .* at offset \d+: \d+ (?:bytes needed|items announced), \d+ (?:bytes )?left/,
  },
  {
    name: "an answer twice",
    bytes: (request) => Buffer.concat([goodAnswer(request), goodAnswer(request)]),
    says: /correlation id 1 where 2 \(Metadata v12\) is the oldest/,
  },
];

const ask = (connection: Connection) => connection.request(Metadata, 12, { topics: [] });

/** Time stands still for the client, so whatever it does it does because of the bytes; and it works little for it. */
async function workingMs(limitMs: number, attempt: () => Promise<void>): Promise<void> {
  let leastMs = Number.POSITIVE_INFINITY;
  // The best of three: what the process does beside the attempt is not what is measured, nor what the machine does.
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    await attempt();
    const { user, system } = process.cpuUsage(before);
    leastMs = Math.min(leastMs, (user + system) / 1_000);
  }
  expect(leastMs).toBeLessThan(limitMs);
}

const errorFrom = ({ port }: { readonly port: number }, says: string | RegExp) =>
  expect.objectContaining({
    name: "ConnectionError",
    code: "CONNECTION",
    port,
    message: expect.stringMatching(
      typeof says === "string" ? `^connection to 127\\.0\\.0\\.1:${port}: .*${escaped(says)}` : says,
    ),
    cause: expect.objectContaining({ name: "DecodeError" }),
  });

const escaped = (says: string): string => says.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("instead of the answer to the handshake", () => {
  test.each(inHandshake)("$name closes the connection once, with what and where", ({ bytes, says }) =>
    workingMs(100, async () => {
      const peer = await ScriptedPeer.listen(async (connection) => {
        connection.write(bytes(await connection.next()));
        await connection.closed;
      });
      const opened = new OpenedConnection(peer.address);
      const cause = await opened.closed;
      expect(cause).toEqual(errorFrom(peer.address, says));
      // Who is no broker will not be one at the next attempt.
      expect(cause).toMatchObject({ retriable: false });
      await peer.connections[0]?.closed;
      expect(opened.calls).toEqual(["closed"]);
      expect(opened.clock.timers).toBe(0);
    }),
  );
});

describe("instead of the answer to a request", () => {
  test.each(onceReady)("$name closes the connection once and rejects all that is under way", ({ bytes, says }) =>
    workingMs(100, async () => {
      const peer = await ScriptedPeer.listen(async (connection) => {
        await connection.handshake();
        const oldest = await connection.next();
        await connection.next();
        await connection.next();
        connection.write(bytes(oldest));
        await connection.closed;
      });
      const opened = new OpenedConnection(peer.address, { receiveMessageMaxBytes: maxBytes });
      const connection = await opened.ready;
      const settled: PromiseSettledResult<unknown>[] = await Promise.allSettled([
        ask(connection),
        ask(connection),
        ask(connection),
      ]);
      // One bad answer may follow a good one.
      const rejected = settled.filter(({ status }) => status === "rejected");
      expect(rejected.length).toBeGreaterThanOrEqual(2);
      expect(rejected).toEqual(rejected.map(() => ({ status: "rejected", reason: errorFrom(peer.address, says) })));
      expect(await opened.closed).toMatchObject({ retriable: true });
      await peer.connections[0]?.closed;
      expect(opened.calls.filter((call) => call === "closed")).toEqual(["closed"]);
      expect(connection.inFlightCount).toBe(0);
      expect(opened.clock.timers).toBe(0);
    }),
  );
});

describe("although nothing was asked", () => {
  test("an answer closes the connection", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      const request = await connection.handshake();
      connection.answer(request, ApiVersions, { errorCode: 0, apiKeys: [] });
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    expect(await opened.closed).toEqual(errorFrom(peer.address, "answer with correlation id 0 to no request"));
  });

  test("a request without an answer that is answered closes the connection", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const request = await connection.next();
      connection.write(frame(int32(request.correlationId), Buffer.alloc(10)));
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    await connection.send(Metadata, 12, { topics: [] });
    expect(await opened.closed).toEqual(errorFrom(peer.address, "answer with correlation id 1 to no request"));
  });
});

describe("whatever bytes a peer sends", () => {
  /** Bytes that look like an answer for a while, or not at all. */
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => () => bytes),
    fc.uint8Array({ maxLength: 200 }).map(
      (bytes) =>
        ({ correlationId }: PeerRequest) =>
          frame(int32(correlationId), bytes),
    ),
    fc.tuple(fc.nat(10_000), fc.nat(255)).map(([place, byte]) => (request: PeerRequest) => {
      const bytes = goodAnswer(request);
      bytes[4 + (place % (bytes.length - 4))] = byte;
      return bytes;
    }),
  );

  const outcomeOf = async (bytes: (request: PeerRequest) => Uint8Array): Promise<PromiseSettledResult<unknown>> => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      connection.write(bytes(await connection.next()));
      connection.end();
    });
    const opened = new OpenedConnection(peer.address);
    const [outcome] = await Promise.allSettled([opened.ready.then(ask)]);
    await opened.closed;
    expect(opened.calls.filter((call) => call === "closed")).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
    await peer.close();
    return outcome;
  };

  test("the request ends, in an answer or a ConnectionError, and the connection is closed once", () =>
    fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const outcome = await outcomeOf(bytes);
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ name: "ConnectionError" });
      }),
      { numRuns: 200 },
    ));
});

describe("a peer that floods", () => {
  const zeros = Buffer.alloc(1_048_576);
  const flood = async (connection: PeerConnection) => {
    while (!connection.socket.destroyed) {
      await new Promise<void>((resolve) => connection.socket.write(zeros, () => resolve()));
    }
  };

  test("is left after the first four bytes where their length is not allowed", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      connection.write(int32(0x7fff_ffff));
      await flood(connection);
    });
    const before = process.memoryUsage().rss;
    const opened = new OpenedConnection(peer.address);
    expect(await opened.closed).toEqual(errorFrom(peer.address, "frame length 2147483647"));
    await peer.connections[0]?.closed;
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * 1_048_576);
  });

  test("with a frame that is allowed costs the memory that it sends and not what it announces", async () => {
    const connections = 4;
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.next();
      connection.write(Buffer.concat([int32(104_857_600), Buffer.alloc(10_000)]));
      await connection.closed;
    });
    const all = Array.from({ length: connections }, () => new OpenedConnection(peer.address));
    const ready = await Promise.all(all.map((opened) => opened.ready));
    const before = process.memoryUsage();
    const answers = Promise.allSettled(ready.map(ask));
    // Until frames are begun, two at least: other memory may be given back meanwhile and hide the rest.
    await until(() => process.memoryUsage().arrayBuffers - before.arrayBuffers > 2 * 104_857_600);
    expect(process.memoryUsage().rss - before.rss).toBeLessThan(20 * 1_048_576);
    for (const connection of ready) connection.destroy(new Error("seen"));
    expect((await answers).map(({ status }) => status)).toEqual(ready.map(() => "rejected"));
  });
});
