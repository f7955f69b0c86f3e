import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { compressionTypes } from "@odradek/protocol";
import { DescribeLogDirs } from "@odradek/protocol/messages/describe-log-dirs";
import { type Header, KafkaProducer } from "odradek";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { ask } from "../cluster/wire.ts";
import { javaTool } from "./java-tool.ts";
import { recordTimeMs } from "./record-time.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  // On this machine, since a tool looks into the broker's own files.
  cluster = await startCluster({ provider: "jvm", brokers: 1 });
});
afterAll(() => cluster?.stop());

interface Written {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

/** One of each kind; a codec finds something to shorten in the last. */
const written: readonly Written[] = [
  { key: "key", value: "value", headers: [] },
  { key: null, value: "no key", headers: [{ key: "one", value: "1" }] },
  { key: "deleted", value: null, headers: [] },
  {
    key: "headers",
    value: "more than one",
    headers: [
      { key: "again", value: "first" },
      { key: "again", value: "second" },
      { key: "null", value: null },
      { key: "empty", value: "" },
      { key: "größe", value: "ü" },
    ],
  },
  { key: "", value: "", headers: [] },
  { key: "schlüssel 🔑", value: "wörter and again and again ".repeat(40), headers: [] },
].map((record, index) => ({ ...record, timestamp: recordTimeMs + index * 1_001 }));

/** Writes all of these with each codec, to a partition for each. @returns the name of the topic */
async function writeWithEachCodec(): Promise<string> {
  const topic = `codecs-${Date.now()}`;
  await cluster.createTopic({ name: topic, partitions: compressionTypes.length });
  for (const [partition, compressionType] of compressionTypes.entries()) {
    await using producer = new KafkaProducer({ bootstrapServers: cluster.bootstrapServers, compressionType });
    for (let round = 0; round < 2; round++) {
      await producer.sendBatch(written.map((record) => ({ ...record, topic, partition })));
    }
  }
  return topic;
}

/** A transaction that is committed, one that is aborted, and one more. @returns the name of the topic */
async function writeTransactions(): Promise<string> {
  const topic = `transactions-${Date.now()}`;
  await cluster.createTopic({ name: topic, partitions: 1 });
  const { bootstrapServers } = cluster;
  await using producer = new KafkaProducer({ bootstrapServers, transactionalId: topic, compressionType: "lz4" });
  await producer.initTransactions();
  const sendBatch = (values: readonly string[]) =>
    producer.sendBatch(values.map((value) => ({ topic, partition: 0, value })));
  await producer.transaction(() => sendBatch(["first", "second"]));
  producer.beginTransaction();
  await sendBatch(["aborted", "aborted too"]);
  await producer.abortTransaction();
  await producer.transaction(() => sendBatch(["third"]));
  return topic;
}

const places = compressionTypes.flatMap((_, partition) =>
  [...written, ...written].map((record, offset) => ({ partition, offset, ...record })),
);

const consoleConsumer = "org.apache.kafka.tools.consumer.ConsoleConsumer";

test("Java's console consumer reads what we write with every codec: keys, headers, timestamps, places", async () => {
  const topic = await writeWithEachCodec();
  const printed = ["key", "value", "headers", "timestamp", "partition", "offset"].map((what) => `print.${what}=true`);
  const formatting = [...printed, "key.separator=|", "headers.separator=;", "null.literal=<null>"];
  const lines = await javaTool(
    consoleConsumer,
    ...["--bootstrap-server", cluster.bootstrapServers.join(), "--topic", topic, "--from-beginning"],
    ...["--max-messages", `${places.length}`, "--timeout-ms", "60000"],
    ...formatting.flatMap((property) => ["--formatter-property", property]),
  );
  const expected = places.map(({ partition, offset, key, value, timestamp, headers }) => {
    const pairs = headers.map((header) => `${header.key}:${header.value ?? "<null>"}`).join(";") || "NO_HEADERS";
    return `CreateTime:${timestamp}|Partition:${partition}|Offset:${offset}|${pairs}|${key ?? "<null>"}|${value ?? "<null>"}`;
  });
  expect(lines.sort()).toEqual(expected.sort());
});

test("Java's console consumer sees what was committed, and not what was aborted in between", async () => {
  const topic = await writeTransactions();
  const read = (isolationLevel: string, count: number) =>
    javaTool(
      consoleConsumer,
      ...["--bootstrap-server", cluster.bootstrapServers.join(), "--topic", topic, "--from-beginning"],
      ...["--max-messages", `${count}`, "--timeout-ms", "60000", "--isolation-level", isolationLevel],
    );
  expect(await read("read_committed", 3)).toEqual(["first", "second", "third"]);
  expect(await read("read_uncommitted", 5)).toEqual(["first", "second", "aborted", "aborted too", "third"]);
});

/** What DumpLogSegments says of each of the first partitions: of batches, records and the markers of transactions. */
async function dump(topic: string, partitionCount: number): Promise<string[][]> {
  const { results } = await ask(cluster.brokers[0]!, DescribeLogDirs, { topics: [] });
  const segments = Array.from({ length: partitionCount }, (_, partition) =>
    join(results[0]?.logDir ?? "", `${topic}-${partition}`, `${"0".repeat(20)}.log`),
  );
  const args = ["--files", segments.join(), "--print-data-log"];
  const lines = await javaTool("org.apache.kafka.tools.DumpLogSegments", ...args);
  const starts = segments.map((segment) => lines.indexOf(`Dumping ${segment}`));
  expect(starts).not.toContain(-1);
  return starts.map((start, index) => lines.slice(start, starts[index + 1]));
}

/** The values behind these names in a line of `name: value`. */
const fieldsOf = (line: string, names: readonly string[]): (string | undefined)[] =>
  names.map((name) => new RegExp(`(?:^| )${name}: (\\S+)`).exec(line)?.[1]);

test("the log on the broker's disk has producer ids, epochs, sequences and the codec that was asked for", async () => {
  const topic = await writeWithEachCodec();
  const names = [
    "baseSequence",
    "lastSequence",
    "producerEpoch",
    "isTransactional",
    "magic",
    "isvalid",
    "compresscodec",
  ];
  const ids = new Set<string | undefined>();
  const dumped = await dump(topic, compressionTypes.length);
  for (const [partition, codec] of compressionTypes.entries()) {
    const batches = (dumped[partition] ?? []).filter((line) => line.startsWith("baseOffset: "));
    const size = written.length;
    const common = ["0", "false", "2", "true", codec];
    expect(batches.map((line) => fieldsOf(line, names))).toEqual([
      ["0", `${size - 1}`, ...common],
      [`${size}`, `${2 * size - 1}`, ...common],
    ]);
    const producers = new Set(batches.map((line) => fieldsOf(line, ["producerId"])[0]));
    expect(producers.size).toBe(1);
    for (const id of producers) ids.add(id);
  }
  // Each producer has one of its own.
  expect([...ids].every((id) => Number(id) >= 0)).toBe(true);
  expect(ids.size).toBe(compressionTypes.length);
});

test("the log on the broker's disk has an epoch for each transaction, and a marker behind each", async () => {
  const topic = await writeTransactions();
  const [lines = []] = await dump(topic, 1);
  const batches = lines
    .filter((line) => line.startsWith("baseOffset: "))
    .map((line) => fieldsOf(line, ["isControl", "baseSequence", "lastSequence", "isTransactional", "compresscodec"]));
  const marker = ["true", "-1", "-1", "true", "none"];
  expect(batches).toEqual([
    ["false", "0", "1", "true", "lz4"],
    marker,
    ["false", "0", "1", "true", "lz4"],
    marker,
    ["false", "0", "0", "true", "lz4"],
    marker,
  ]);
  expect(lines.flatMap((line) => /endTxnMarker: (\w+)/.exec(line)?.[1] ?? [])).toEqual(["COMMIT", "ABORT", "COMMIT"]);
  const epochs = lines
    .filter((line) => line.startsWith("baseOffset: ") && line.includes("isControl: false"))
    .map((line) => Number(fieldsOf(line, ["producerEpoch"])[0]));
  const [first = -1] = epochs;
  expect(first).toBeGreaterThanOrEqual(0);
  expect(epochs).toEqual([first, first + 1, first + 2]);
});

/** What kcat prints of a record with `-J`, as far as it matters here. */
interface KcatRecord {
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  /** Names and values in turn. */
  readonly headers?: readonly (string | null)[];
  readonly key: string | null;
  readonly payload: string | null;
}

const isKcatHere = await promisify(execFile)("kcat", ["-V"]).then(
  () => true,
  () => false,
);
const whyNot = "kcat does not run here, so that librdkafka does not read what we write: apt-get install kcat";

async function kcat(topic: string, ...args: readonly string[]): Promise<KcatRecord[]> {
  const options = ["-b", cluster.bootstrapServers.join(), "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J"];
  const { stdout } = await promisify(execFile)("kcat", [...options, ...args], { timeout: 60_000 });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line): KcatRecord => JSON.parse(line));
}

test("kcat, which is librdkafka, reads what we write with every codec", async ({ skip }) => {
  skip(!isKcatHere, whyNot);
  const read = await kcat(await writeWithEachCodec());
  read.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  const known = read.map(({ partition, offset, ts, headers = [], key, payload }) => ({
    place: [partition, offset],
    ts,
    headers,
    key,
    payload,
  }));
  expect(known).toEqual(
    places.map(({ partition, offset, timestamp, headers, key, value }) => ({
      place: [partition, offset],
      ts: timestamp,
      headers: headers.flatMap((header) => [header.key, header.value]),
      key,
      payload: value,
    })),
  );
});

test("kcat, which is librdkafka, sees what was committed, and not what was aborted in between", async ({ skip }) => {
  skip(!isKcatHere, whyNot);
  const topic = await writeTransactions();
  const read = async (isolationLevel: string) =>
    (await kcat(topic, "-X", `isolation.level=${isolationLevel}`)).map(({ payload }) => payload);
  expect(await read("read_committed")).toEqual(["first", "second", "third"]);
  expect(await read("read_uncommitted")).toEqual(["first", "second", "aborted", "aborted too", "third"]);
});
