import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { AlterClientQuotas } from "@odradek/protocol/messages/alter-client-quotas";
import { DescribeClientQuotas } from "@odradek/protocol/messages/describe-client-quotas";
import { KafkaConsumer, KafkaProducer, type Metric } from "odradek";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { newName, opened } from "./opened.ts";
import { networkOf, withinAMinute } from "./requests.ts";
import { measured } from "./round-trip.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const quotas = ["producer_byte_rate", "consumer_byte_rate"] as const;
/** Bytes a second for each broker, on average over ten seconds: half a megabyte is free. */
const rate = 50_000;

/** Gives a client id its quotas, and takes them away behind the test. */
async function limit(clientId: string): Promise<void> {
  const network = networkOf({ bootstrapServers });
  const entity = [{ entityType: "client-id", entityName: clientId }];
  const alter = async (remove: boolean) => {
    const ops = quotas.map((key) => ({ key, value: rate, remove }));
    const body = { entries: [{ entity, ops }], validateOnly: false };
    const { entries } = await network.request(AlterClientQuotas, body, { to: "controller", deadline: withinAMinute() });
    expect(entries).toMatchObject([{ errorCode: 0 }]);
  };
  await alter(false);
  // In the order in which they were opened: before the network is closed.
  opened.unshift({ [Symbol.asyncDispose]: () => alter(true) });
  const components = [{ entityType: "client-id", matchType: 0, match: clientId }];
  await network.awaitMetadata(withinAMinute(), "the cluster", () => network.metadata.snapshot.clusterId);
  for (const to of network.metadata.snapshot.nodes.keys()) {
    await until(`broker ${to} knows the quotas`, async () => {
      const body = { components, strict: true };
      const { entries } = await network.request(DescribeClientQuotas, body, { to, deadline: withinAMinute() });
      return entries?.[0]?.values.length === quotas.length || "it does not";
    });
  }
}

interface Message {
  readonly kind: string;
  readonly clientId: string;
  readonly nodeId: number;
  readonly purpose: string;
  readonly api: string;
  readonly throttleTimeMs: number;
}

const isMessage = (message: unknown): message is Message =>
  typeof message === "object" && message !== null && "clientId" in message && "purpose" in message;

/** What a client sent over which connection and when, and when it was told to wait. */
function watch(clientId: string) {
  const requests: { readonly line: string; readonly api: string; readonly atMs: number }[] = [];
  const throttles: { readonly line: string; readonly fromMs: number; readonly toMs: number }[] = [];
  const lineOf = ({ kind, nodeId, purpose }: Message) => `${kind} to ${nodeId}, ${purpose}`;
  const listen = (name: string, listener: (message: Message, nowMs: number) => void) => {
    const onMessage = (message: unknown) => {
      if (isMessage(message) && message.clientId === clientId) listener(message, performance.now());
    };
    subscribe(name, onMessage);
    onTestFinished(() => {
      unsubscribe(name, onMessage);
    });
  };
  listen("odradek:request", (message, atMs) => requests.push({ line: lineOf(message), api: message.api, atMs }));
  listen("odradek:throttle", (message, fromMs) =>
    throttles.push({ line: lineOf(message), fromMs, toMs: fromMs + message.throttleTimeMs }),
  );
  return { requests, throttles };
}

const longestThrottle = (metrics: readonly Metric[]): number =>
  Math.max(...metrics.filter(({ name }) => name === "throttle-time-max").map(({ value }) => value || 0));

/** Timers of Node may ring within the millisecond before theirs. */
const toleranceMs = 2;

test("who has used up a quota waits as long as the broker says, and loses nothing", async () => {
  const clientId = newName();
  await limit(clientId);
  const topic = await newTopic();
  const { requests, throttles } = watch(clientId);
  const options = { bootstrapServers, clientId, requestTimeoutMs: 10_000 };
  const recordCount = 36;
  const recordBytes = 15_000;

  await using producer = new KafkaProducer({ ...options, batchSize: 16_384 });
  const values = Array.from({ length: recordCount }, (_, index) => Buffer.alloc(recordBytes, index));
  const metadata = await Promise.all(values.map((value) => producer.send({ topic, partition: 0, value })));
  expect(metadata.map(({ offset }) => offset)).toEqual(values.map((_, index) => BigInt(index)));
  const producerThrottles = throttles.length;
  expect(producerThrottles).toBeGreaterThan(0);
  expect(longestThrottle(producer.metrics())).toBeGreaterThan(0);

  await using consumer = new KafkaConsumer({ ...options, autoOffsetReset: "earliest" });
  consumer.assign([{ topic, partition: 0 }]);
  const read: Buffer[] = [];
  while (read.length < recordCount) {
    const records = await consumer.poll(30_000);
    expect(records.count).toBeGreaterThan(0);
    for (const { value } of records) read.push(Buffer.from(value ?? []));
  }
  expect(read.every((value, index) => value.equals(values[index] ?? Buffer.of()))).toBe(true);
  expect(read).toHaveLength(recordCount);
  expect(throttles.length).toBeGreaterThan(producerThrottles);
  expect(longestThrottle(consumer.metrics())).toBeGreaterThan(0);

  for (const { line, fromMs, toMs } of throttles) {
    const early = requests.filter(
      (request) => request.line === line && request.atMs > fromMs && request.atMs < toMs - toleranceMs,
    );
    expect(early).toEqual([]);
  }
  for (const client of [producer, consumer]) expect(measured(client.metrics(), "connection-close-total")).toBe(0);
});
