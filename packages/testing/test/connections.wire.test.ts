import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect, Socket } from "node:net";
import { codeOf, encodeRequest } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { expect, test } from "vitest";
import { until } from "../../network/test/until.ts";
import { KafkaCluster } from "../src/index.ts";
import { produce } from "./behaviour/producing.ts";
import { batchOf, RawKafka } from "./behaviour/raw-kafka.ts";

const topics = { orders: {} };

async function connected(cluster: KafkaCluster, brokerId = 1): Promise<Socket> {
  const { port, host } = cluster.broker(brokerId);
  const socket = connect({ port, host });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** The broker's end of the next connection. */
async function acceptedBy(open: () => Promise<Socket>): Promise<readonly [client: Socket, broker: Socket]> {
  const accepted = new Promise<Socket>((resolve) => {
    const onSocket = (message: unknown) => {
      if (typeof message !== "object" || message === null || !("socket" in message)) return;
      if (!(message.socket instanceof Socket)) return;
      unsubscribe("net.server.socket", onSocket);
      resolve(message.socket);
    };
    subscribe("net.server.socket", onSocket);
  });
  return [await open(), await accepted];
}

test("a client that does not read its answers is asked for nothing more", async () => {
  await using cluster = await KafkaCluster.start({ topics });
  const kafka = await RawKafka.connect(cluster.bootstrapServers);
  const orders = await kafka.topic();
  for (let n = 0; n < 8; n++) await produce(kafka, orders, batchOf(["x".repeat(900_000)]));
  const request = {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 100_000_000,
    topics: [{ topicId: orders.id, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 100_000_000 }] }],
  };
  const frames = Array.from({ length: 30 }, (_, correlationId) =>
    Buffer.concat(encodeRequest(Fetch, 16, { correlationId, clientId: "slow" }, request).chunks),
  );
  const socket = await connected(cluster);
  socket.write(Buffer.concat(frames));
  await cluster.waitFor("Fetch");
  await kafka.ask(Metadata, 12, { topics: [] });
  // 216 MB would be on their way otherwise, in this process.
  expect(cluster.requests("Fetch").length).toBeLessThan(10);
  let received = 0;
  socket.on("data", ({ length }: Buffer) => {
    received += length;
  });
  await until(() => received > 30 * 8 * 900_000);
  expect(cluster.requests("Fetch")).toHaveLength(30);
  socket.destroy();
  await kafka.close();
});

test("what a client sends ahead of its answers stays with the client", async () => {
  let taken = 0;
  const onRequest = () => {
    taken += 1;
  };
  await using cluster = await KafkaCluster.start({ onRequest });
  cluster.broker(1).pause();
  const [client, broker] = await acceptedBy(() => connected(cluster));
  const frame = Buffer.concat(
    encodeRequest(Metadata, 12, { correlationId: 1, clientId: "x".repeat(30_000) }, { topics: [] }).chunks,
  );
  const count = 1_000;
  client.write(Buffer.concat(Array.from({ length: count }, () => frame)));
  await until(() => broker.isPaused());
  expect(broker.bytesRead).toBeLessThan(4_000_000);
  client.resume();
  cluster.broker(1).resume();
  await until(() => taken === count);
  client.destroy();
});

test("a client that sends much at once does not keep another waiting", async () => {
  const clients: string[] = [];
  const onRequest = ({ clientId }: { readonly clientId: string }) => void clients.push(clientId);
  await using cluster = await KafkaCluster.start({ onRequest });
  cluster.broker(1).pause();
  const count = { greedy: 500, modest: 1 };
  const sockets: Socket[] = [];
  for (const clientId of ["greedy", "modest"] as const) {
    const [client, broker] = await acceptedBy(() => connected(cluster));
    const { chunks } = encodeRequest(Metadata, 12, { correlationId: 1, clientId }, { topics: [] });
    client.write(Buffer.concat(Array.from({ length: count[clientId] }, () => Buffer.concat(chunks))));
    await until(() => broker.bytesRead === client.bytesWritten && client.writableLength === 0);
    sockets.push(client.resume());
  }
  cluster.broker(1).resume();
  await until(() => clients.length === count.greedy + count.modest);
  expect(clients.indexOf("modest")).toBeLessThan(20);
  for (const socket of sockets) socket.destroy();
});

test("close ends what waits, and leaves neither timers nor sockets", async () => {
  const timersOf = () => process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name)).length;
  const before = timersOf();
  const cluster = await KafkaCluster.start({ brokers: 3, topics });
  cluster.delay("Metadata", 60_000);
  const client = await connected(cluster);
  client.write(
    Buffer.concat(encodeRequest(Metadata, 12, { correlationId: 1, clientId: "late" }, { topics: [] }).chunks),
  );
  await cluster.waitFor("Metadata");
  const waiting = [cluster.waitFor("Fetch"), cluster.waitForRecords("orders", 1)].map((it) =>
    expect(it).rejects.toThrow("the cluster was closed"),
  );
  const closed = once(client, "close");
  client.resume();
  await Promise.all([cluster.close(), cluster.close(), closed, ...waiting]);
  await until(() => timersOf() <= before);
  await expect(cluster.broker(1).start()).rejects.toThrow("the cluster was closed");
});

test("a broker that is told twice starts and stops once", async () => {
  await using cluster = await KafkaCluster.start();
  const broker = cluster.broker(1);
  const { port } = broker;
  await Promise.all([broker.stop(), broker.stop()]);
  await Promise.all([broker.start(), broker.start()]);
  expect(broker.port).toBe(port);
  (await connected(cluster)).destroy();
  await broker.stop();
  const late = broker.start();
  await broker.stop();
  await late;
  expect(broker.isAlive).toBe(false);
});

test("a topic of more partitions than a controller makes at a time is refused", async () => {
  await using cluster = await KafkaCluster.start();
  const kafka = await RawKafka.connect(cluster.bootstrapServers);
  const wanted = { name: "wide", numPartitions: 0x7fff_ffff, replicationFactor: 1, assignments: [], configs: [] };
  const { topics: answers } = await kafka.ask(CreateTopics, 7, { topics: [wanted] });
  expect(answers).toMatchObject([{ errorCode: codeOf("POLICY_VIOLATION") }]);
  await kafka.close();
});

test("a predicate that throws fails who waits, and not the client", async () => {
  await using cluster = await KafkaCluster.start();
  const waiting = cluster.waitFor("Metadata", () => {
    throw new Error("what is this");
  });
  const failed = expect(waiting).rejects.toThrow("what is this");
  const kafka = await RawKafka.connect(cluster.bootstrapServers);
  await failed;
  await kafka.close();
});
