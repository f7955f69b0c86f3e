import { type CompressionCodec, defaultCodecs } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import type { SendOptions } from "../src/send-options.ts";
import { HeldCodec } from "./held-codec.ts";
import { bad, good, outcomeOf } from "./outcomes.ts";
import { type ProduceCall, ScriptedBroker } from "./scripted-broker.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const topic = "orders";

/** A producer that numbers nothing, and a broker that leads three partitions. */
async function setUp(options: Partial<ProducerOptions> = {}, clock?: ManualClock) {
  const broker = await ScriptedBroker.listen({ partitions: 3 });
  const { bootstrapServers } = broker;
  const producer = new KafkaProducer({ bootstrapServers, lingerMs: 0, enableIdempotence: false, ...options }, clock);
  closeInTheEnd(producer, clock);
  const known = producer.partitionsFor(topic);
  await (clock === undefined ? known : soon(clock, known));
  const send = (value: string, settings?: SendOptions, partition = 0) =>
    producer.send({ topic, partition, value }, settings);
  return { broker, producer, send };
}

const inWords = ({ acks, batches }: ProduceCall): string =>
  `acks ${acks}: ${batches.map(({ values, compression }) => `${compression} ${values.join("")}`).join(", ")}`;

describe("what a send asks for", () => {
  test("is what its batch is compressed with, and keeps the order of the calls", async () => {
    const { broker, send } = await setUp({ compressionType: "lz4" });
    const sent = [
      send("a"),
      send("b", { compressionType: "lz4" }),
      send("c", { compressionType: "gzip" }),
      send("d", { compressionType: "gzip" }),
      send("e", { compressionType: "none" }),
    ];
    for (const expected of ["acks -1: lz4 ab", "acks -1: gzip cd", "acks -1: none e"]) {
      const call = await broker.nextCall();
      expect(inWords(call)).toBe(expected);
      good(call);
    }
    await Promise.all(sent);
  });

  test("is who must have it, and no request is for several such answers", async () => {
    const { broker, send } = await setUp();
    const sent = [
      send("a", { acks: 1 }),
      send("b", { acks: "all" }, 1),
      send("c", { acks: 1 }),
      // Last, as nothing could be answered on the connection before it is.
      send("d", { acks: 0 }),
    ];
    for (const expected of ["acks 1: none ac", "acks -1: none b", "acks 0: none d"]) {
      const call = await broker.nextCall();
      expect(inWords(call)).toBe(expected);
      if (call.acks !== 0) good(call, 7n);
    }
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([7n, 7n, 8n, -1n]);
  });

  test("is in one request with what others ask for, where only compression differs", async () => {
    const { broker, send } = await setUp();
    const sent = [send("a"), send("b", { compressionType: "gzip" }, 1)];
    const call = await broker.nextCall();
    expect(inWords(call)).toBe("acks -1: none a, gzip b");
    good(call);
    await Promise.all(sent);
  });

  test("is how long the replicas may take", async () => {
    const { broker, send } = await setUp({ requestTimeoutMs: 9_000 });
    for (const [ackTimeoutMs, expected] of [
      [undefined, 9_000],
      [7_000, 7_000],
    ] as const) {
      const sent = send("a", { ackTimeoutMs });
      const call = await broker.nextCall();
      expect(call.timeoutMs).toBe(expected);
      good(call);
      await sent;
    }
  });

  test("is how long its answer is waited for, where that is longer than for others", async () => {
    const clock = new ManualClock();
    const { broker, send } = await setUp({ requestTimeoutMs: 9_000 }, clock);
    const sent = [send("a", { ackTimeoutMs: 20_000 }), send("b", { ackTimeoutMs: 10_000 }, 1), send("c", {}, 2)].map(
      outcomeOf,
    );
    const call = await soon(clock, broker.nextCall());
    // A broker has read these too, and answers them behind the other.
    const behind = [await soon(clock, broker.nextCall()), await soon(clock, broker.nextCall())];
    await passing(clock).pass(20_000);
    for (const each of [call, ...behind]) good(each, 3n);
    expect(await soon(clock, Promise.all(sent))).toEqual(["@3", "@3", "@3"]);
  });

  test.each([
    [{ acks: 2 }, "acks 2: one of all, -1, 0, 1 is expected"],
    [{ compressionType: "toString" }, "compressionType toString: one of none, gzip, snappy, lz4, zstd is expected"],
    [{ ackTimeoutMs: -1 }, "ackTimeoutMs -1: a whole number of at least 0"],
    [{ ackTimeoutMs: 2 ** 31 }, "ackTimeoutMs 2147483648: a whole number of at least 0 and at most 2147483647"],
  ])("is refused at once where it is %j", async (options, message) => {
    const { producer, send } = await setUp();
    const refused = expect.objectContaining({ code: "OPTIONS", message: expect.stringContaining(message) });
    expect(() => send("a", JSON.parse(JSON.stringify(options)))).toThrow(refused);
    await expect(producer.sendBatch([{ topic }], JSON.parse(JSON.stringify(options)))).rejects.toEqual(refused);
  });

  test("is acks of all where the producer is idempotent", async () => {
    const { send } = await setUp({ enableIdempotence: true });
    expect(() => send("a", { acks: 1 })).toThrow('"all", which enableIdempotence needs');
  });
});

test("what is compressed in the background is not overtaken by what needs no compression", async () => {
  const codec = new HeldCodec();
  const { broker, send } = await setUp({ compressionCodecs: { gzip: codec } });
  const first = send("a", { compressionType: "gzip" });
  while (codec.heldCount === 0) await new Promise((resolve) => setImmediate(resolve));
  const sent = [first, send("b"), send("elsewhere", {}, 1)];
  const values: unknown[] = [];
  for (let count = 0; count < 3; count++) {
    const call = await broker.nextCall();
    values.push(...call.batches.flatMap((batch) => batch.values));
    good(call);
    codec.letGo();
  }
  expect(values).toEqual(["elsewhere", "a", "b"]);
  await Promise.all(sent);
});

test("a codec of one's own takes the place of the built-in one", async () => {
  const levels: (number | undefined)[] = [];
  const gzip: CompressionCodec = {
    name: "gzip",
    levels: null,
    async compress(input, level) {
      levels.push(level);
      return defaultCodecs.gzip.compress(input, level);
    },
    decompress: defaultCodecs.gzip.decompress,
  };
  const { broker, send } = await setUp({ compressionType: "gzip", compressionCodecs: { gzip } });
  const sent = send("a");
  const call = await broker.nextCall();
  expect(inWords(call)).toBe("acks -1: gzip a");
  // It has none to choose from: 0, which the library below knows, would be no compression.
  expect(levels).toEqual([undefined]);
  good(call);
  await sent;
});

test("a codec of one's own reads what it wrote, where that is too large for the broker", async () => {
  const limits: number[] = [];
  const gzip: CompressionCodec = {
    ...defaultCodecs.gzip,
    decompressSync: undefined,
    decompress(input, maxOutputBytes) {
      limits.push(maxOutputBytes);
      return defaultCodecs.gzip.decompress(input, maxOutputBytes);
    },
  };
  const { broker, send } = await setUp({ compressionType: "gzip", compressionCodecs: { gzip } });
  const sent = [send("a"), send("b")];
  bad(await broker.nextCall(), "MESSAGE_TOO_LARGE");
  const parts = await broker.nextCall();
  expect(inWords(parts)).toBe("acks -1: gzip ab");
  // What was taken into memory has room there: it is no bomb, however well it was compressed.
  expect(limits).toEqual([0x7fff_ffff]);
  good(parts);
  await Promise.all(sent);
});
