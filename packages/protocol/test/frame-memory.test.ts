import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { decodeResponse, encodeResponse, readMessage, writeMessage } from "../src/codec.ts";
import { DecodeError, EncodeError } from "../src/errors.ts";
import { DescribeConfigs } from "../src/messages/describe-configs.ts";
import { Heartbeat } from "../src/messages/heartbeat.ts";
import { Metadata } from "../src/messages/metadata.ts";
import { Reader } from "../src/reader.ts";
import type { AnyType, Message } from "../src/schema.ts";
import { Writer } from "../src/writer.ts";
import { apis, blobs } from "./schema/apis.ts";
import { defaultOf, isPresent, type Struct } from "./schema/defaults.ts";

/** One array of a message. */
interface Site {
  readonly name: string;
  readonly message: Message;
  readonly version: number;
  readonly array: AnyType;
}

/** What `receiveMessageMaxItems` counts in. */
const itemBytes = 100;

/** Every array of everything that a client reads, at its newest version, however deep it lies. */
const sites: readonly Site[] = [...apis.map(({ response }) => response), ...blobs].flatMap((message) => {
  const [, version] = message.versions;
  return arraysOf(message.type, version, message.name).map(([name, array]) => ({ name, message, version, array }));
});

function arraysOf(type: AnyType, version: number, path: string): [string, AnyType][] {
  const { form } = type;
  if (!isPresent(type, version)) return [];
  if (form.kind === "array") return [[path, type], ...arraysOf(form.item, version, `${path}[]`)];
  if (form.kind !== "struct") return [];
  return Object.entries(form.fields).flatMap(([name, field]) => arraysOf(field, version, `${path}.${name}`));
}

/** A message whose one array has many items, each as small as may be; the other arrays are empty. */
function flood({ message, version, array }: Site, items: number): Buffer {
  const leadsThere = (type: AnyType): boolean => arraysOf(type, version, "").some(([, each]) => each === array);
  const fill = (type: AnyType): unknown => {
    const { form } = type;
    if (form.kind === "struct") return structOf(form.fields);
    if (form.kind === "array") {
      if (type === array) return Array<unknown>(items).fill(fill(form.item));
      return leadsThere(form.item) ? [fill(form.item)] : [];
    }
    // What takes memory of its own: a bigint, and text that V8 does not share.
    if (form.kind === "int64") return 2n ** 60n;
    return form.kind === "string" ? "zq" : defaultOf(type);
  };
  const structOf = (fields: Readonly<Record<string, AnyType>>): Struct =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([name, type]) => (isPresent(type, version) ? [[name, fill(type)]] : [])),
    );
  const { form } = message.type;
  if (form.kind !== "struct") throw new Error(`${message.name} is not a struct`);
  const writer = new Writer();
  writeMessage(writer, message, version, structOf(form.fields));
  return Buffer.concat(writer.finish());
}

const read = ({ message, version }: Site, bytes: Buffer, maxItems?: number): unknown =>
  readMessage(new Reader(bytes, 0, bytes.length, maxItems), message, version);

function refusal(run: () => unknown): DecodeError | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** The fewest items with which it is read. */
function itemsCounted(site: Site, bytes: Buffer): number {
  let refused = 0;
  let taken = 1_000_000;
  while (taken - refused > 1) {
    const middle = Math.floor((refused + taken) / 2);
    if (refusal(() => read(site, bytes, middle)) === null) taken = middle;
    else refused = middle;
  }
  return taken;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** What keeps a value from the collector while it is measured. */
let held: unknown = null;

describe("what a frame becomes is counted", () => {
  test("as the memory that it takes, whichever array a peer fills", { timeout: 120_000 }, () => {
    const few = 500;
    const many = 10_000;
    const tooLow: string[] = [];
    let takenByAll = 0;
    for (const message of new Set(sites.map((site) => site.message))) {
      const own = sites.filter((site) => site.message === message);
      const counted =
        own.reduce((sum, site) => sum + itemsCounted(site, flood(site, few)), 0) * itemBytes * (many / few);
      const floods = own.map((site) => ({ site, bytes: flood(site, many) }));
      const before = heapBytes();
      held = floods.map(({ site, bytes }) => read(site, bytes));
      const taken = heapBytes() - before;
      held = null;
      // The collector's own affairs leave some hundred kilobytes here and there.
      if (taken > counted + 500_000) tooLow.push(`${message.name}: ${taken} bytes, ${counted} counted`);
      takenByAll += taken;
    }
    expect(held).toBeNull();
    expect(tooLow).toEqual([]);
    // Something was measured.
    expect(sites.length).toBeGreaterThan(100);
    expect(takenByAll).toBeGreaterThan(sites.length * many * 50);
  });

  test("before any of it is read, and the refusal names the array and the option", () => {
    const brokers = Array.from({ length: 100 }, (_, nodeId) => ({ nodeId, host: "h", port: 1 }));
    const payload = payloadOf(encodeResponse(Metadata, 12, 7, { brokers, clusterId: null, topics: [] }));
    expect(decodeResponse(Metadata, 12, payload, 200).brokers).toHaveLength(100);
    const error = refusal(() => decodeResponse(Metadata, 12, payload, 50));
    expect(error?.message).toMatch(
      /MetadataResponse v12 brokers at offset \d+: the frame would become more than 50 items of 100 bytes each \(receiveMessageMaxItems\)/,
    );
    // Nothing but the announced count was read of the array.
    expect(error?.path).toBe("brokers");
  });

  test("all arrays together", () => {
    const topics = (count: number) =>
      payloadOf(
        encodeResponse(Metadata, 12, 7, {
          brokers: [],
          clusterId: null,
          topics: Array.from({ length: count }, (_, index) => ({
            errorCode: 0,
            name: `t${index}`,
            partitions: [{ errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }],
          })),
        }),
      );
    expect(decodeResponse(Metadata, 12, topics(10), 100).topics).toHaveLength(10);
    expect(refusal(() => decodeResponse(Metadata, 12, topics(100), 100))?.path).toMatch(/^topics/);
  });

  test("and a hundred megabytes of numbers, or of small objects, are too much", () => {
    const before = process.memoryUsage().rss;
    const count = 25_000_000;
    const head = Buffer.alloc(4 + 1 + 4);
    const brokersAndCluster = Buffer.from("01" + "00" + "00000001", "hex");
    // One topic without a name, one partition, and behind its first fields the count of its replicas.
    const topic = Buffer.from(`02000000${"00".repeat(16)}00020000${"00000000".repeat(3)}`, "hex");
    const replicas = Buffer.alloc(5 + count * 4);
    let rest = count + 1;
    for (let at = 0; at < 5; at++, rest >>>= 7) replicas.writeUInt8((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0), at);
    const error = refusal(() =>
      decodeResponse(Metadata, 12, Buffer.concat([head, brokersAndCluster, topic, replicas])),
    );
    expect(error?.message).toMatch(/topics\[0\]\.partitions\[0\]\.replicaNodes .*more than 1000000 items/);
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
  });
});

test("tags that nobody knows leave nothing behind, however many there are", () => {
  const count = 1_000_000;
  const section = Buffer.alloc(4 + count * 4);
  // Each is a tag in three bytes, and a size of 0.
  const putTag = (tag: number, at: number): number => {
    section.writeUInt8((tag & 0x7f) | 0x80, at);
    section.writeUInt8(((tag >>> 7) & 0x7f) | 0x80, at + 1);
    return section.writeUInt8(tag >>> 14, at + 2);
  };
  let at = putTag(count, 0);
  for (let tag = 100; tag < 100 + count; tag++) at = section.writeUInt8(0, putTag(tag, at));
  const answer = payloadOf(encodeResponse(Heartbeat, 4, 7, { throttleTimeMs: 0, errorCode: 27 }));
  const payload = Buffer.concat([answer.subarray(0, -1), section.subarray(0, at)]);
  const before = heapBytes();
  expect(decodeResponse(Heartbeat, 4, payload, 1_000)).toEqual({ throttleTimeMs: 0, errorCode: 27 });
  // Nothing was kept for each: an object and a view would be a hundred and fifty megabytes.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000);
});

describe("text", () => {
  const configs = (texts: number, bytes: number) => ({
    throttleTimeMs: 0,
    results: [
      {
        errorCode: 0,
        errorMessage: null,
        resourceType: 2,
        resourceName: "t",
        configs: Array.from({ length: texts }, () => ({
          name: "n",
          value: "v".repeat(bytes),
          readOnly: false,
          isSensitive: false,
          synonyms: [],
        })),
      },
    ],
  });
  const encoded = (texts: number, bytes: number) =>
    payloadOf(encodeResponse(DescribeConfigs, 4, 7, configs(texts, bytes)));

  test("counts by its letters, four bytes each", () => {
    const payload = encoded(10, 30_000);
    expect(decodeResponse(DescribeConfigs, 4, payload, 12_100).results[0]?.configs).toHaveLength(10);
    expect(refusal(() => decodeResponse(DescribeConfigs, 4, payload, 12_000))?.path).toMatch(/configs\[\d\]\.value$/);
  });

  test("is 32767 bytes long at most, as in Kafka, also where its length could say more", () => {
    expect(decodeResponse(DescribeConfigs, 4, encoded(1, 32_767)).results[0]?.configs[0]?.value).toHaveLength(32_767);
    const longer = (): unknown => encoded(1, 32_768);
    expect(longer).toThrow(EncodeError);
    expect(longer).toThrow("value: 32768 bytes of text, 32767 at most");
    const reader = new Reader(Buffer.alloc(40_000, "x"));
    expect(refusal(() => reader.text(32_768))?.reason).toBe("32768 bytes of text, 32767 at most");
    expect(reader.offset).toBe(0);
  });
});

/** A frame without its length. */
const payloadOf = ({ chunks }: { readonly chunks: readonly Buffer[] }): Buffer => Buffer.concat(chunks).subarray(4);
