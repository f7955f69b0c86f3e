import { codeOf, defaultRecordBatchesOptions, RecordBatches } from "@odradek/protocol";
import { DescribeGroups } from "@odradek/protocol/messages/describe-groups";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { expect } from "vitest";
import { fetch, listOffset } from "./fetching.ts";
import { produce } from "./producing.ts";
import { batchOf, newName, type RawKafka, type RawTopic, transient } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";
import { stable, Transactional } from "./transactions.ts";

/** Compacted as soon as a segment is closed, which a record of a later time does. */
const compacted = { "cleanup.policy": "compact", "segment.ms": "60000", "min.cleanable.dirty.ratio": "0.001" };
const earliest = -2n;
const hourMs = 3_600_000;

/** Writes records one by one, each of a time in which the segment of the one before is closed, or in the same. */
class Writer {
  readonly #cluster: RawKafka;
  readonly #topic: RawTopic;
  /** A marker, which has the broker's time, is to be in the same segment. */
  timestamp = Date.now();

  constructor(cluster: RawKafka, topic: RawTopic) {
    this.#cluster = cluster;
    this.#topic = topic;
  }

  async write(key: string, value: string | null): Promise<void> {
    const { errorCode } = await produce(
      this.#cluster,
      this.#topic,
      batchOf([value], { key, timestamp: this.timestamp }),
    );
    expect(errorCode).toBe(0);
  }

  /** What is written from now on is in another segment. */
  later(): void {
    this.timestamp += 120_000;
  }
}

/** What can be read, as `offset key=value`, and where it ended: one answer goes to the end of a segment at most. */
async function contents(cluster: RawKafka, topic: RawTopic): Promise<{ records: string[]; nextOffset: bigint }> {
  const read: string[] = [];
  for (let nextOffset = 0n; ; ) {
    const { records } = await fetch(cluster, topic, nextOffset);
    const batches = [...new RecordBatches(records ?? Buffer.alloc(0), defaultRecordBatchesOptions)];
    if (batches.length === 0) return { records: read, nextOffset };
    nextOffset = batches.at(-1)?.nextOffset ?? nextOffset;
    for (const batch of batches.filter(({ isControl }) => !isControl)) {
      for (const { offset, key, value } of batch) read.push(`${offset} ${key}=${value}`);
    }
  }
}

async function becomes(cluster: RawKafka, topic: RawTopic, records: readonly string[]): Promise<void> {
  const found = await cluster.eventually(
    () => contents(cluster, topic),
    (now) => now.records.length <= records.length,
  );
  expect(found.records).toEqual(records);
}

export const cleaning: readonly Case[] = [
  kafka("of the records of a key the last is left where it was, once its segment is closed", async (cluster) => {
    const topic = await cluster.topic(1, compacted);
    const writer = new Writer(cluster, topic);
    for (const value of ["1", "2"]) for (const key of ["a", "b"]) await writer.write(key, value);
    writer.later();
    for (const value of ["3", "4"]) await writer.write("c", value);
    await becomes(cluster, topic, ["2 a=2", "3 b=2", "4 c=3", "5 c=4"]);
    // Nothing was deleted: who begins at the front reads what is left.
    expect(await listOffset(cluster, topic, earliest)).toMatchObject({ errorCode: 0, offset: 0n });
  }),

  kafka("a batch keeps its place while records in it go", async (cluster) => {
    const topic = await cluster.topic(1, compacted);
    const writer = new Writer(cluster, topic);
    await produce(cluster, topic, batchOf(["1", "2", "3"], { key: "a", timestamp: writer.timestamp }));
    writer.later();
    await writer.write("b", "1");
    await becomes(cluster, topic, ["2 a=3", "3 b=1"]);
    const { records } = await fetch(cluster, topic, 1n);
    const [first] = new RecordBatches(records ?? Buffer.alloc(0), defaultRecordBatchesOptions);
    expect(first).toMatchObject({ baseOffset: 0n, lastOffset: 2n, count: 1 });
  }),

  kafka("a record without a value is left to be seen, and goes in a later cleaning", async (cluster) => {
    const topic = await cluster.topic(1, { ...compacted, "delete.retention.ms": "0" });
    const writer = new Writer(cluster, topic);
    await writer.write("a", "1");
    await writer.write("a", null);
    writer.later();
    await writer.write("b", "1");
    await becomes(cluster, topic, ["1 a=null", "2 b=1"]);
    writer.later();
    await writer.write("c", "1");
    await becomes(cluster, topic, ["2 b=1", "3 c=1"]);
  }),

  kafka("a log goes on behind what was cleaned, also when nothing is left there", async (cluster) => {
    const topic = await cluster.topic(1, { ...compacted, "delete.retention.ms": "0" });
    const writer = new Writer(cluster, topic);
    await writer.write("a", "1");
    await writer.write("a", null);
    writer.later();
    await writer.write("b", null);
    await becomes(cluster, topic, ["1 a=null", "2 b=null"]);
    writer.later();
    await writer.write("c", "1");
    await becomes(cluster, topic, ["2 b=null", "3 c=1"]);
    expect((await contents(cluster, topic)).nextOffset).toBe(4n);
  }),

  kafka("what was aborted replaces nothing, and goes", async (cluster) => {
    const topic = await cluster.topic(1, compacted);
    const writer = new Writer(cluster, topic);
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    await writer.write("a", "1");
    await writer.write("b", "1");
    const sent = { key: "a", value: "aborted", timestamp: writer.timestamp };
    expect(await transactional.send(topic, producer, 0, 12, sent)).toMatchObject({ errorCode: 0 });
    expect(await transactional.end(producer, false)).toMatchObject({ errorCode: 0 });
    await stable(cluster, topic);
    await writer.write("b", "2");
    writer.later();
    await writer.write("c", "1");
    await becomes(cluster, topic, ["0 a=1", "4 b=2", "5 c=1"]);
  }),

  kafka("nothing behind the begin of an open transaction is compacted", async (cluster) => {
    const topic = await cluster.topic(1, compacted);
    const writer = new Writer(cluster, topic);
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    for (const value of ["1", "2"]) await writer.write("a", value);
    writer.later();
    const sent = { key: "b", value: "open", timestamp: writer.timestamp };
    expect(await transactional.send(topic, producer, 0, 12, sent)).toMatchObject({ errorCode: 0 });
    for (const value of ["1", "2"]) await writer.write("c", value);
    writer.later();
    await writer.write("d", "1");
    await becomes(cluster, topic, ["1 a=2", "2 b=open", "3 c=1", "4 c=2", "5 d=1"]);
    expect(await transactional.end(producer, true)).toMatchObject({ errorCode: 0 });
    await stable(cluster, topic);
    writer.later();
    await writer.write("e", "1");
    await becomes(cluster, topic, ["1 a=2", "2 b=open", "4 c=2", "5 d=1", "7 e=1"]);
  }),

  kafka("records that are too old go, and the log starts behind them", async (cluster) => {
    const topic = await cluster.topic(1, { "retention.ms": `${hourMs}`, "segment.ms": "60000" });
    const kept = await cluster.topic(1, { "retention.ms": `${hourMs}`, "cleanup.policy": "compact" });
    const writers = [topic, kept].map((each) => new Writer(cluster, each));
    for (const writer of writers) {
      writer.timestamp -= 2 * hourMs;
      for (const value of ["1", "2"]) await writer.write("a", value);
      writer.timestamp = Date.now();
      await writer.write("a", "3");
    }
    await becomes(cluster, topic, []);
    const outOfRange = { errorCode: codeOf("OFFSET_OUT_OF_RANGE") };
    expect(await fetch(cluster, topic, 0n)).toMatchObject(outOfRange);
    expect(await fetch(cluster, topic, 1n)).toMatchObject(outOfRange);
    expect(await listOffset(cluster, topic, earliest)).toMatchObject({ errorCode: 0, offset: 2n });
    expect(await fetch(cluster, topic, 2n)).toMatchObject({ errorCode: 0, logStartOffset: 2n, highWatermark: 3n });
    // A topic that is compacted alone keeps them.
    expect(await listOffset(cluster, kept, earliest)).toMatchObject({ errorCode: 0, offset: 0n });
  }),

  kafka("a segment goes as a whole: what is old stays with what is not", async (cluster) => {
    const mixed = await cluster.topic(1, { "retention.ms": `${hourMs}` });
    const topic = await cluster.topic(1, { "retention.ms": `${hourMs}` });
    const [recent, old] = [new Writer(cluster, mixed), new Writer(cluster, topic)];
    // What is not old comes first: there is no moment in which all is.
    await recent.write("a", "1");
    for (const writer of [recent, old]) {
      writer.timestamp = Date.now() - 2 * hourMs;
      await writer.write("a", "2");
    }
    const start = await cluster.eventually(
      () => listOffset(cluster, topic, earliest),
      ({ offset }) => offset === 1n,
    );
    // All of it, with the segment that was written to.
    expect(start).toMatchObject({ offset: 1n });
    expect(await fetch(cluster, topic, 1n)).toMatchObject({ errorCode: 0, logStartOffset: 1n, highWatermark: 1n });
    expect(await listOffset(cluster, mixed, earliest)).toMatchObject({ errorCode: 0, offset: 0n });
  }),

  kafka("offsets that were committed for a time are gone after it, and the group with them", async (cluster) => {
    const topic = await cluster.topic();
    const groupId = newName();
    const coordinator = await cluster.coordinatorOf(groupId);
    const commit = (retentionTimeMs: bigint) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 7n, committedMetadata: "" }];
      const request = { groupId, memberId: "", retentionTimeMs, topics: [{ name: topic.name, partitions }] };
      return cluster.ask(OffsetCommit, 4, request, coordinator);
    };
    await cluster.eventually(
      () => commit(-1n),
      ({ topics: [answer] }) => !transient.has(answer?.partitions[0]?.errorCode ?? 0),
    );
    const committed = async () => {
      const request = { groupId, topics: [{ name: topic.name, partitionIndexes: [0] }] };
      const { topics } = await cluster.ask(OffsetFetch, 5, request, coordinator);
      return topics[0]?.partitions[0]?.committedOffset;
    };
    expect(await committed()).toBe(7n);
    await commit(100n);
    const gone = await cluster.eventually(committed, (offset) => offset === -1n);
    expect(gone).toBe(-1n);
    const described = await cluster.ask(DescribeGroups, 6, { groups: [groupId] }, coordinator);
    expect(described.groups[0]).toMatchObject({ errorCode: codeOf("GROUP_ID_NOT_FOUND"), groupState: "Dead" });
  }),
];
