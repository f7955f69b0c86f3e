import { Deadline, NetworkClient, systemClock } from "@odradek/network";
import type { CompressionCodec } from "@odradek/protocol";
import { expect, onTestFinished, test } from "vitest";
import { BufferPool } from "../src/buffer-pool.ts";
import { resolveProducerOptions } from "../src/producer-options.ts";
import { RecordAccumulator } from "../src/record-accumulator.ts";
import { Sender } from "../src/sender.ts";
import { HeldCodec } from "./held-codec.ts";
import { ScriptedBroker } from "./scripted-broker.ts";
import { recordOf, Told } from "./told.ts";

/** A sender to a broker that takes one request at a time, and batches for partitions of `orders`. */
async function setUp(codec: CompressionCodec) {
  const broker = await ScriptedBroker.listen({ partitions: 2 });
  const options = {
    ...resolveProducerOptions({ bootstrapServers: broker.bootstrapServers, lingerMs: 0, acks: 1 }),
    maxInFlightRequestsPerConnection: 1,
    transactionalId: null,
    compression: { codec, level: 1 },
  };
  const client = new NetworkClient("producer", options, systemClock);
  const accumulator = new RecordAccumulator(
    options,
    new BufferPool(options.bufferMemory, options.batchSize, systemClock),
  );
  const sender = new Sender(options, client, accumulator, null, systemClock);
  onTestFinished(async () => {
    sender.close();
    await client.close({ timeoutMs: 0 });
  });
  client.metadata.add(["orders"]);
  const find = () => client.metadata.snapshot.topics.get("orders") ?? null;
  const topic = await client.awaitMetadata(new Deadline(systemClock, 10_000), "orders", find);
  const told = new Told();
  const append = (partition: number) => {
    const record = recordOf(10, { delivery: told, partition, position: partition });
    const buffer = accumulator.memory.take(accumulator.batchBytes(record));
    if (buffer === null) throw new Error("no memory");
    accumulator.open(record, topic, buffer, systemClock.now());
    sender.wake();
  };
  return { broker, append, told };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a batch that finds the connection full once it was compressed is sent when there is room", async () => {
  const codec = new HeldCodec();
  const { broker, append, told } = await setUp(codec);
  /** The next request, with everything let go that is compressed for it; a request for metadata may be in the way. */
  const nextCall = async () => {
    let isThere = false;
    const call = broker.nextCall().finally(() => {
      isThere = true;
    });
    for (; !isThere; await turn()) codec.letGo();
    return call;
  };
  for (const partition of [0, 1]) {
    append(partition);
    while (codec.heldCount <= partition) await turn();
  }
  const first = await nextCall();
  first.answer(() => ({ baseOffset: 0n }));
  const second = await nextCall();
  second.answer(() => ({ baseOffset: 0n }));
  while (told.all.length < 2) await turn();
  expect([first, second].flatMap(({ batches }) => batches.map(({ partition }) => partition)).sort()).toEqual([0, 1]);
  expect([...told.all].sort()).toEqual(["0@0", "1@0"]);
});
