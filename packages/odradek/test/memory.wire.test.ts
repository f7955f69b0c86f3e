import type { CodecName } from "@odradek/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { batchOf, bomb, heavyBatches, record, varint } from "./hostile/batches.ts";
import { type Attack, fetching, flood, hostileBroker, int32, items, raw, silence, uvarint } from "./hostile/broker.ts";
import { compileClient, type Report, run, type Work } from "./hostile/victim.ts";

const megabyte = 1_000_000;
/** What the client itself takes is fifty to sixty of it. */
const limitBytes = 300 * megabyte;

const codecs: readonly CodecName[] = ["gzip", "snappy", "lz4", "zstd"];

interface Row {
  readonly name: string;
  readonly attack: () => Attack | Promise<Attack>;
  readonly work?: Work;
  /** Whether a frame takes the machine a while: no attempt may end because the time is over. */
  readonly isLarge?: boolean;
  /** What the error says, or its cause. */
  readonly says: RegExp;
}

/** Behind the correlation id of Metadata 13: no tags, no throttling; then the brokers. */
const metadataHead = Buffer.alloc(5);
/** Between the brokers and the topics: no cluster id, and the controller. */
const cluster = Buffer.concat([Buffer.of(0), int32(1)]);
/** Behind the topics: no error, no tags. */
const metadataEnd = Buffer.alloc(3);
const noBrokers = Buffer.of(1);
/** Of one topic, what comes before its partitions. */
const topicHead = Buffer.concat([Buffer.of(2, 0, 0, 7), Buffer.from("orders"), Buffer.alloc(17)]);
/** And what comes behind them. */
const topicEnd = Buffer.alloc(5);
const oneBroker = (port: number): Buffer =>
  Buffer.concat([Buffer.of(2), int32(1), Buffer.of(10), Buffer.from("127.0.0.1"), int32(port), Buffer.alloc(2)]);
const partitionHead = "0000 00000000 00000001 00000000";
const threeReplicas = `04 ${"00000001".repeat(3)}`;
const largestTopic = (): Buffer => items(270_000, `${partitionHead} ${threeReplicas} ${threeReplicas} 01 00`, 2);
const largestFrame = 104_857_600;
const int32Max = 0x7fff_ffff;

const inHandshake: readonly Row[] = [
  {
    name: "a frame of 2 GiB, and zeros without an end",
    attack: () => ({ apiVersions: flood(int32Max) }),
    says: /frame length 2147483647 is not between 4 and 1048576 bytes/,
  },
  {
    name: "a frame of 100 MiB before it has shown that it is a broker",
    attack: () => ({ apiVersions: silence(largestFrame) }),
    says: /frame length 104857600 is not between 4 and 1048576 bytes/,
  },
  {
    name: "2147483646 versions",
    attack: () => ({ apiVersions: raw(Buffer.alloc(2), uvarint(int32Max), Buffer.alloc(1_000)) }),
    says: /apiKeys at offset \d+: 2147483646 items announced, 1000 bytes left/,
  },
];

const inMetadata: readonly Row[] = [
  {
    name: "a frame of 2 GiB, and zeros without an end",
    attack: () => ({ metadata: flood(int32Max) }),
    says: /frame length 2147483647 is not between 4 and 104857600 bytes/,
  },
  {
    name: "a frame of 100 MiB, and nothing",
    attack: () => ({ metadata: silence(largestFrame) }),
    says: /no answer after/,
  },
  {
    name: "a frame of 100 MiB of zeros, at each attempt",
    isLarge: true,
    attack: () => ({ metadata: raw(Buffer.alloc(largestFrame - 4)) }),
    says: /null where the version allows none/,
  },
  {
    name: "2147483646 brokers",
    attack: () => ({ metadata: raw(metadataHead, uvarint(int32Max), Buffer.alloc(1_000)) }),
    says: /brokers at offset \d+: 2147483646 items announced, 1000 bytes left/,
  },
  {
    name: "as many of the smallest topics as a frame can have",
    isLarge: true,
    attack: () => ({ metadata: raw(metadataHead, noBrokers, cluster, items(4_000_000, "00".repeat(26), null)) }),
    says: /topics at offset \d+: the frame would become more than 1000000 items/,
  },
  {
    name: "a million brokers",
    isLarge: true,
    attack: () => ({
      metadata: raw(
        metadataHead,
        items(1_000_000, "00000000 02 68 00000001 00 00", 0),
        cluster,
        Buffer.of(1),
        metadataEnd,
      ),
    }),
    says: /brokers at offset \d+: the frame would become more than 1000000 items/,
  },
  {
    name: "half a million brokers",
    isLarge: true,
    attack: () => ({
      metadata: raw(
        metadataHead,
        items(550_000, "00000000 02 68 00000001 00 00", 0),
        cluster,
        Buffer.of(1),
        metadataEnd,
      ),
    }),
    says: /names 550000 brokers/,
  },
  {
    name: "a million partitions",
    isLarge: true,
    attack: () => ({
      metadata: raw(
        ...[metadataHead, noBrokers, cluster, topicHead],
        items(1_000_000, `${partitionHead} ${threeReplicas} ${threeReplicas} 01 00`, 2),
      ),
    }),
    says: /partitions.* the frame would become more than 1000000 items/,
  },
  {
    name: "a hundred megabytes of numbers",
    isLarge: true,
    attack: () => ({
      metadata: raw(
        ...[
          metadataHead,
          noBrokers,
          cluster,
          topicHead,
          Buffer.of(2),
          Buffer.from(partitionHead.replaceAll(" ", ""), "hex"),
        ],
        items(25_000_000, "00000001", null),
      ),
    }),
    says: /replicaNodes at offset \d+: the frame would become more than 1000000 items/,
  },
  {
    name: "a hundred megabytes of text, each two bytes in memory for one on the wire",
    isLarge: true,
    attack: () => {
      const host = Buffer.alloc(32_767, "a");
      host.write("漢");
      const template = Buffer.concat([int32(1), uvarint(host.length + 1), host, int32(1), Buffer.alloc(2)]);
      return { metadata: raw(metadataHead, items(3_000, template.toString("hex"), 0)) };
    },
    says: /brokers\[\d+\]\.host at offset \d+: the frame would become more than 1000000 items/,
  },
  {
    name: "a hundred megabytes of tags",
    isLarge: true,
    attack: () => {
      const count = 15_000_000;
      const tags = Buffer.alloc(8 + count * 6);
      let at = uvarint(count).copy(tags);
      // Each is a tag in five bytes, and a size of 0.
      for (let index = 0; index < count; index++, at += 6) {
        const tag = 0x1000_0000 + index;
        for (let byte = 0; byte < 4; byte++) tags.writeUInt8(((tag >>> (byte * 7)) & 0x7f) | 0x80, at + byte);
        tags.writeUInt8(tag >>> 28, at + 4);
      }
      // Metadata itself says that it will not be told: the tags stand behind all that is read.
      return { metadata: raw(metadataHead, noBrokers, cluster, Buffer.of(1), Buffer.of(0, 0), tags.subarray(0, at)) };
    },
    says: /names no broker that could be connected to/,
  },
];

const inFetch: readonly Row[] = [
  ...codecs.map((codec) => ({
    name: `a batch that ${codec} makes a gibibyte`,
    attack: async () => ({ fetch: fetching(await bomb(codec)) }),
    work: "consumer" as const,
    says: new RegExp(`orders-0@0.* ${codec} data of more than 67108864 bytes .*maxDecompressedBytes.*seek to 1 `),
  })),
  {
    name: "a batch that announces more records than can be",
    attack: () => ({ fetch: fetching(batchOf("none", Buffer.alloc(10_000), int32Max)) }),
    work: "consumer",
    says: /count 2147483647 for 2147483647 offsets and 10000 bytes/,
  },
  {
    name: "a record with half a million headers",
    attack: () => {
      const headers = Buffer.concat([varint(500_000), Buffer.alloc(1_000_000)]);
      return { fetch: fetching(batchOf("none", record(Buffer.alloc(0), headers), 1)) };
    },
    work: "consumer",
    says: /500000 headers, 100000 at most/,
  },
  {
    name: "a batch of 2 GiB of which there is only the beginning, however much is asked for",
    attack: () => {
      const batch = batchOf("none", Buffer.alloc(1_000), 1);
      batch.writeInt32BE(int32Max, 8);
      return { fetch: fetching(batch) };
    },
    work: "consumer",
    says: /has 2147483659 bytes: raise receiveMessageMaxBytes/,
  },
  {
    name: "a batch of which there is only the beginning, however much is asked for",
    attack: () => ({ fetch: fetching(batchOf("none", Buffer.alloc(1_000), 1).subarray(0, 500)) }),
    work: "consumer",
    says: /5 answers in a row held no batch that leads on/,
  },
];

const inProduce: readonly Row[] = [
  {
    name: "2147483646 answers",
    attack: () => ({ produce: raw(Buffer.of(0), uvarint(int32Max), Buffer.alloc(1_000)) }),
    work: "producer",
    says: /responses at offset \d+: 2147483646 items announced, 1000 bytes left/,
  },
];

const texts = (error: Report["error"]): string => (error === null ? "" : `${error.message}\n${texts(error.cause)}`);

/** Everything that holds whatever the attack. */
function expectUnharmed(report: Report): void {
  expect(report.uncaught).toEqual([]);
  expect(report.peakBytes).toBeLessThan(limitBytes);
}

const attacked = async ({ attack, work = "admin", isLarge = false }: Omit<Row, "name" | "says">): Promise<Report> =>
  run(work, await hostileBroker(await attack()), isLarge ? 5_000 : 2_000);

describe("a client of which V8 gets 200 MB, and a peer that sends", { timeout: 90_000 }, () => {
  beforeAll(compileClient, 120_000);

  describe.each([
    ["in place of its versions", inHandshake],
    ["in place of metadata", inMetadata],
    ["in place of records", inFetch],
    ["in place of the answer to what was produced", inProduce],
  ])("%s", (_, rows) => {
    test.each(rows)("$name: the client ends with an error that says so, below 300 MB", async (row) => {
      const report = await attacked(row);
      expect(report.error?.isTyped).toBe(true);
      expect(texts(report.error)).toMatch(row.says);
      expectUnharmed(report);
    });
  });

  test("as many partitions as are taken: the client works, below 300 MB", async () => {
    const topic = Buffer.concat([topicHead, largestTopic(), topicEnd]);
    const metadata: Attack["metadata"] = (request, connection) => {
      const brokers = oneBroker(connection.socket.localPort ?? 0);
      return raw(metadataHead, brokers, cluster, topic, metadataEnd)(request, connection);
    };
    const report = await attacked({ isLarge: true, attack: () => ({ metadata }) });
    expect(report.error).toBeNull();
    expectUnharmed(report);
  });

  test.each(codecs)("a batch in %s that is as large as it may be is read", async (codec) => {
    const batches = await heavyBatches(codec, 64 * 1_048_576 - 20, 1);
    const report = await attacked({ attack: () => ({ fetch: fetching(batches) }), work: "consumer" });
    expect(report.error).toBeNull();
    expect(report.records).toBe(2);
    expectUnharmed(report);
  });

  test.each(codecs)(
    "batches in %s of an eighth of that size, one behind the other, are read poll by poll",
    async (codec) => {
      const batches = await heavyBatches(codec, 8 * 1_048_576 - 20, 60);
      const report = await attacked({ attack: () => ({ fetch: fetching(batches) }), work: "consumer" });
      expect(report.error).toBeNull();
      expect(report.records).toBe(61);
      expect(report.largestPollBytes).toBeLessThanOrEqual(16 * 1_048_576);
      expectUnharmed(report);
    },
  );
});
