import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { KafkaAdmin, KafkaConsumer, KafkaProducer, type RequestMessage, string } from "odradek";
import { expect, test } from "vitest";
import { newName, opened } from "./opened.ts";
import { bootstrapServers } from "./topics.ts";

/** The Fetch requests of one client, as they are sent. */
class Fetches implements Disposable {
  readonly sent: { readonly nodeId: number; readonly bytes: number }[] = [];
  readonly #clientId: string;
  readonly #listen = (message: unknown) => this.#add(message as RequestMessage);

  constructor(clientId: string) {
    this.#clientId = clientId;
    subscribe("odradek:request", this.#listen);
  }

  [Symbol.dispose](): void {
    unsubscribe("odradek:request", this.#listen);
  }

  #add({ api, clientId, nodeId, bytes }: RequestMessage): void {
    if (api === "Fetch" && clientId === this.#clientId) this.sent.push({ nodeId, bytes });
  }
}

const admin = () => {
  const client = new KafkaAdmin({ bootstrapServers });
  opened.push(client);
  return client;
};

test("quiet partitions cost a request no bytes once the broker knows them", async () => {
  const topic = newName();
  (await admin().createTopics([{ topic, numPartitions: 120, replicationFactor: 1 }])).orThrow();
  const clientId = newName();
  using fetches = new Fetches(clientId);
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    clientId,
    autoOffsetReset: "earliest",
    fetchMaxWaitMs: 50,
    valueDeserializer: string,
  });
  const partitions = Array.from({ length: 120 }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  // A broker may not know all of a new topic yet.
  for (const partition of partitions) await consumer.position(partition);
  const read: (string | null)[] = [];
  for (let round = 0; round < 10; round++) {
    await producer.send({ topic, partition: round * 11, value: `${round}` });
    while (read.length <= round) for (const { value } of await consumer.poll(60_000)) read.push(value);
  }
  expect(read).toEqual(Array.from({ length: 10 }, (_, round) => `${round}`));
  const nodeIds = new Set(fetches.sent.map(({ nodeId }) => nodeId));
  expect(nodeIds.size).toBe(3);
  for (const nodeId of nodeIds) {
    const [first, ...later] = fetches.sent.filter((sent) => sent.nodeId === nodeId);
    // 40 partitions, each with 28 bytes.
    expect(first?.bytes).toBeGreaterThan(40 * 28);
    expect(later.length).toBeGreaterThan(0);
    // A few that have moved on, or wait to be polled.
    for (const { bytes } of later) expect(bytes).toBeLessThan(400);
  }
});

test.each([
  ["from the replica that is there", "r2", 2],
  ["from the leader where it has none there", "r3", 1],
] as const)("a consumer with a rack reads %s", async (_, clientRack, nodeId) => {
  const topic = newName();
  // Broker n is in rack rn.
  (await admin().createTopics([{ topic, assignments: [[1, 2]] }])).orThrow();
  const clientId = newName();
  using fetches = new Fetches(clientId);
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    clientId,
    clientRack,
    autoOffsetReset: "earliest",
    fetchMaxWaitMs: 50,
    valueDeserializer: string,
  });
  consumer.assign([{ topic, partition: 0 }]);
  const written: string[] = [];
  const read: (string | null)[] = [];
  const write = async () => {
    const values = Array.from({ length: 20 }, (_, index) => `${written.length + index}`);
    written.push(...values);
    for (const value of values) await producer.send({ topic, partition: 0, value });
  };
  const poll = async () => {
    for (const { value } of await consumer.poll(100)) read.push(value);
  };
  await write();
  // It reads from the leader until there is a connection to the other one.
  while (read.length < written.length || fetches.sent.at(-1)?.nodeId !== nodeId) await poll();
  fetches.sent.splice(0);
  await write();
  while (read.length < written.length) await poll();
  expect(read).toEqual(written);
  expect(new Set(fetches.sent.map((sent) => sent.nodeId))).toEqual(new Set([nodeId]));
});
