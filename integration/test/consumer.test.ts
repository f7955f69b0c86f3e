import { execFile } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Deadline, leaderOf, NetworkClient, OptionReader, resolveClientOptions, systemClock } from "@odradek/network";
import { BrokerError, noProducerState, RecordBatchBuilder } from "@odradek/protocol";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { EndTxn } from "@odradek/protocol/messages/end-txn";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { Produce } from "@odradek/protocol/messages/produce";
import {
  ClosedError,
  type ConsumerInterceptor,
  type ConsumerOptions,
  KafkaConsumer,
  KafkaProducer,
  type ProducerOptions,
  RecordDeserializationError,
  string,
  TimeoutError,
  WakeupError,
} from "odradek";
import { describe, expect, test } from "vitest";
import { newName } from "./opened.ts";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));

interface Written {
  readonly partition?: number;
  readonly value: string;
  readonly timestamp?: number;
}

async function write(topic: string, records: readonly Written[], options: Partial<ProducerOptions> = {}) {
  const producer = new KafkaProducer({ bootstrapServers, ...options });
  opened.push(producer);
  await producer.sendBatch(records.map((record) => ({ topic, partition: 0, ...record })));
}

/** Writes transactions to partition 0 of a topic, request by request. */
class TransactionalWriter {
  readonly #network: NetworkClient;
  readonly #topic: string;
  readonly #transactionalId: string;
  #coordinatorId = -1;
  #producer = { producerId: -1n, producerEpoch: -1 };
  #baseSequence = 0;

  constructor(topic: string) {
    const options = resolveClientOptions(new OptionReader({ bootstrapServers }));
    this.#network = new NetworkClient("producer", { ...options, maxInFlightRequestsPerConnection: 5 }, systemClock);
    this.#topic = topic;
    this.#transactionalId = topic;
    this.#network.metadata.retain([topic]);
    opened.push({ [Symbol.asyncDispose]: () => this.#network.close() });
  }

  async begin(): Promise<void> {
    const transactionalId = this.#transactionalId;
    this.#coordinatorId = await answered(async () => {
      const body = { key: transactionalId, keyType: 1 };
      const found = await this.#network.request(FindCoordinator, body, this.#to("any", 3));
      return [found.errorCode, found.nodeId];
    });
    this.#producer = await answered(async () => {
      const body = { transactionalId, transactionTimeoutMs: 60_000 };
      const given = await this.#network.request(InitProducerId, body, this.#to(this.#coordinatorId));
      return [given.errorCode, { producerId: given.producerId, producerEpoch: given.producerEpoch }];
    });
    this.#baseSequence = 0;
  }

  async write(...values: readonly string[]): Promise<void> {
    const { producerId, producerEpoch } = this.#producer;
    await answered(async () => {
      const body = {
        v3AndBelowTransactionalId: this.#transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: this.#topic, partitions: [0] }],
      };
      const added = await this.#network.request(AddPartitionsToTxn, body, this.#to(this.#coordinatorId, 3));
      return [added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1, null];
    });
    const builder = new RecordBatchBuilder(Buffer.alloc(65_536));
    for (const value of values) builder.append(Date.now(), null, value);
    const state = { ...noProducerState, ...this.#producer, baseSequence: this.#baseSequence, isTransactional: true };
    const records = builder.close(state);
    this.#baseSequence += values.length;
    const deadline = new Deadline(systemClock, 30_000);
    const leader = await this.#network.awaitMetadata(deadline, "the leader", () =>
      leaderOf(this.#network.metadata.snapshot, this.#topic, 0),
    );
    await answered(async () => {
      const topicData = [{ name: this.#topic, partitionData: [{ index: 0, records }] }];
      const body = { transactionalId: this.#transactionalId, acks: -1, timeoutMs: 30_000, topicData };
      const produced = await this.#network.request(Produce, body, this.#to(leader.id, 11));
      return [produced.responses[0]?.partitionResponses[0]?.errorCode ?? -1, null];
    });
  }

  async end(outcome: "commit" | "abort"): Promise<void> {
    await answered(async () => {
      const body = { transactionalId: this.#transactionalId, ...this.#producer, committed: outcome === "commit" };
      return [(await this.#network.request(EndTxn, body, this.#to(this.#coordinatorId, 4))).errorCode, null];
    });
  }

  #to(to: number | "any", newest?: number) {
    return { to, deadline: new Deadline(systemClock, 30_000), bounds: newest === undefined ? {} : { newest } };
  }
}

/** Asks until the answer is not an error that passes: a coordinator takes a moment to be there. */
async function answered<T>(ask: () => Promise<readonly [errorCode: number, answer: T]>): Promise<T> {
  for (let attempts = 0; attempts < 100; attempts++) {
    const [errorCode, answer] = await ask();
    if (errorCode === 0) return answer;
    const error = new BrokerError(errorCode, "the transaction");
    if (!error.retriable) throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the coordinator does not come");
}

/** As many records of one partition, with the values `0`, `1`, and so on. */
const numbered = (count: number): Written[] => Array.from({ length: count }, (_, index) => ({ value: `${index}` }));

function consumerOf(topic: string, partitions = 1, options: Partial<ConsumerOptions<string, string>> = {}) {
  const consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    keyDeserializer: string,
    valueDeserializer: string,
    ...options,
  });
  opened.push(consumer);
  consumer.assign(partitionsOf(topic, partitions));
  return consumer;
}

/** Polls until there are `count` records; gives them as `partition:value`. */
async function read(consumer: KafkaConsumer<string, string>, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count) {
    const records = await consumer.poll(60_000);
    if (records.isEmpty) throw new Error(`only ${got.length} of ${count} records came`);
    for (const { partition, value } of records) got.push(`${partition}:${value}`);
  }
  return got;
}

const values = async (consumer: KafkaConsumer<string, string>, count: number): Promise<string[]> =>
  (await read(consumer, count)).map((text) => text.slice(text.indexOf(":") + 1));

describe("KafkaConsumer", () => {
  test("reads every record of six partitions once, and in order within its partition", async () => {
    const topic = await newTopic(6);
    const written = Array.from({ length: 12_000 }, (_, index) => ({ partition: index % 6, value: `${index}` }));
    await write(topic, written);
    const got = await read(consumerOf(topic, 6), written.length);
    expect(got).toHaveLength(written.length);
    for (let partition = 0; partition < 6; partition++) {
      const ofPartition = (texts: readonly string[]) => texts.filter((text) => text.startsWith(`${partition}:`));
      expect(ofPartition(got)).toEqual(ofPartition(written.map((record) => `${record.partition}:${record.value}`)));
    }
  });

  test("gives what a record is: key, headers, time, offset and place", async () => {
    const topic = await newTopic();
    const producer = new KafkaProducer({ bootstrapServers });
    opened.push(producer);
    const headers = [
      { key: "trace", value: "abc" },
      { key: "none", value: null },
    ];
    await producer.send({ topic, key: "k", value: "v", headers, timestamp: recordTimeMs });
    await producer.send({ topic, key: null, value: null });
    const consumer = consumerOf(topic);
    const got = [...(await consumer.poll(60_000))];
    if (got.length < 2) got.push(...(await consumer.poll(60_000)));
    expect(got[0]).toMatchObject({
      topic,
      partition: 0,
      offset: 0n,
      key: "k",
      value: "v",
      timestamp: recordTimeMs,
      timestampType: "createTime",
      leaderEpoch: 0,
      serializedKeySize: 1,
      serializedValueSize: 1,
    });
    expect(got[0]?.headers).toEqual([
      { key: "trace", value: Buffer.from("abc") },
      { key: "none", value: null },
    ]);
    expect(got[1]).toMatchObject({ offset: 1n, key: null, value: null });
  });

  test("gives the broker's time where the topic wants that", async () => {
    const topic = await newTopic(1, { "message.timestamp.type": "LogAppendTime" });
    const before = Date.now() - 60_000;
    await write(topic, [{ value: "v", timestamp: 5 }]);
    const [record] = await consumerOf(topic).poll(60_000);
    expect(record?.timestampType).toBe("logAppendTime");
    expect(record?.timestamp).toBeGreaterThan(before);
  });

  test("begins at the end unless told otherwise, and reads what comes then", async () => {
    const topic = await newTopic();
    await write(topic, numbered(5));
    const consumer = consumerOf(topic, 1, { autoOffsetReset: "latest" });
    expect(await consumer.position({ topic, partition: 0 })).toBe(5n);
    await write(topic, [{ value: "new" }]);
    expect(await values(consumer, 1)).toEqual(["new"]);
  });

  test("begins with the first record that is young enough", async () => {
    const topic = await newTopic();
    const nowMs = Date.now();
    await write(topic, [
      { value: "old", timestamp: nowMs - 7_200_000 },
      { value: "young", timestamp: nowMs - 60_000 },
    ]);
    expect(await values(consumerOf(topic, 1, { autoOffsetReset: "by_duration:PT1H" }), 1)).toEqual(["young"]);
    const none = consumerOf(topic, 1, { autoOffsetReset: "by_duration:PT1S" });
    expect(await none.position({ topic, partition: 0 })).toBe(2n);
  });

  test("goes where it is sent: to an offset, to the beginning, to the end", async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    await write(topic, numbered(100));
    const consumer = consumerOf(topic, 1, { maxPollRecords: 10 });
    consumer.seek(partition, 42);
    expect((await values(consumer, 10))[0]).toBe("42");
    expect(await consumer.position(partition)).toBe(52n);
    consumer.seek(partition, 7n);
    expect((await values(consumer, 10))[0]).toBe("7");
    consumer.seekToBeginning([partition]);
    expect(await consumer.position(partition)).toBe(0n);
    expect((await values(consumer, 10))[0]).toBe("0");
    consumer.seekToEnd();
    expect(await consumer.position(partition)).toBe(100n);
    expect((await consumer.poll(100)).count).toBe(0);
    expect(consumer.currentLag(partition)).toBe(0n);
  });

  test("goes to the end of the policy when the log has nothing at its position", async () => {
    const topic = await newTopic();
    await write(topic, numbered(3));
    const consumer = consumerOf(topic);
    consumer.seek({ topic, partition: 0 }, 1_000);
    expect(await values(consumer, 3)).toEqual(["0", "1", "2"]);
    const strict = consumerOf(topic, 1, { autoOffsetReset: "none" });
    await expect(strict.poll(60_000)).rejects.toMatchObject({ code: "NO_OFFSET" });
    strict.seek({ topic, partition: 0 }, 1_000);
    await expect(strict.poll(60_000)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  });

  test("keeps what it has fetched of a paused partition, and reads the others meanwhile", async () => {
    const topic = await newTopic(2);
    await write(
      topic,
      [0, 1].flatMap((partition) => numbered(100).map((record) => ({ ...record, partition }))),
    );
    const consumer = consumerOf(topic, 2, { maxPollRecords: 10 });
    const first = await read(consumer, 10);
    const paused = Number(first[0]?.split(":")[0]);
    consumer.pause([{ topic, partition: paused }]);
    expect(consumer.paused()).toEqual([{ topic, partition: paused }]);
    const others = await read(consumer, 100);
    expect(new Set(others.map((text) => text.split(":")[0]))).toEqual(new Set([`${1 - paused}`]));
    expect((await consumer.poll(100)).count).toBe(0);
    consumer.resume([{ topic, partition: paused }]);
    // What was kept is there without asking a broker: a poll that does not wait finds it.
    const kept = [...(await consumer.poll(0))].map(({ partition, value }) => `${partition}:${value}`);
    expect(kept[0]).toBe(`${paused}:10`);
    expect(await read(consumer, 80)).toHaveLength(80);
  });

  test("keeps the position of a partition that stays assigned", async () => {
    const topic = await newTopic(2);
    await write(
      topic,
      [0, 1].flatMap((partition) => numbered(5).map((record) => ({ ...record, partition }))),
    );
    const consumer = consumerOf(topic, 1, { maxPollRecords: 3 });
    expect(await read(consumer, 3)).toEqual(["0:0", "0:1", "0:2"]);
    consumer.assign(partitionsOf(topic, 2));
    expect(consumer.assignment()).toEqual(partitionsOf(topic, 2));
    expect((await read(consumer, 7)).sort()).toEqual(["0:3", "0:4", "1:0", "1:1", "1:2", "1:3", "1:4"]);
  });

  test.each(["gzip", "snappy", "lz4", "zstd"] as const)("reads batches compressed with %s", async (compressionType) => {
    const topic = await newTopic();
    const long = numbered(2_000).map(({ value }) => ({ value: `${value}${" and so on".repeat(20)}` }));
    await write(topic, long, { compressionType, lingerMs: 20 });
    expect(await values(consumerOf(topic), long.length)).toEqual(long.map(({ value }) => value));
  });

  test("reads a record that is larger than every limit", async () => {
    const topic = await newTopic(1, { "max.message.bytes": "8000000" });
    const large = "x".repeat(3_000_000);
    const records = [{ value: "before" }, { value: large }, { value: "after" }];
    const sizes = { maxRequestSize: 8_000_000, bufferMemory: 16_000_000 };
    for (const record of records) await write(topic, [record], sizes);
    const limits = { maxPartitionFetchBytes: 1_000, fetchMaxBytes: 1_000 };
    expect(await values(consumerOf(topic, 1, limits), 3)).toEqual(["before", large, "after"]);
  });

  test("sees with read_committed what was committed, and nothing of a transaction that is open", async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    const writer = new TransactionalWriter(topic);
    for (const [value, outcome] of [
      ["one", "commit"],
      ["two", "abort"],
      ["three", "commit"],
    ] as const) {
      await writer.begin();
      await writer.write(`${value} a`, `${value} b`);
      await writer.end(outcome);
    }
    await write(topic, [{ value: "plain" }]);
    await writer.begin();
    await writer.write("open");
    const committed = consumerOf(topic, 1, { isolationLevel: "read_committed" });
    expect(await values(committed, 5)).toEqual(["one a", "one b", "three a", "three b", "plain"]);
    expect((await committed.poll(300)).count).toBe(0);
    const [end] = await committed.endOffsets([partition]);
    expect(end?.offset).toBe(await committed.position(partition));
    const uncommitted = consumerOf(topic);
    const everything = ["one a", "one b", "two a", "two b", "three a", "three b", "plain", "open"];
    expect(await values(uncommitted, 8)).toEqual(everything);
    await writer.end("commit");
    expect(await values(committed, 1)).toEqual(["open"]);
  });

  test("tells the ends of logs, and offsets by time", async () => {
    const topic = await newTopic(2);
    const startMs = recordTimeMs;
    await write(
      topic,
      numbered(10).map((record, index) => ({ ...record, timestamp: startMs + index * 1_000 })),
    );
    const consumer = consumerOf(topic);
    const both = partitionsOf(topic, 2);
    expect(await consumer.beginningOffsets(both)).toEqual(both.map((partition) => ({ ...partition, offset: 0n })));
    expect(await consumer.endOffsets(both)).toMatchObject([{ offset: 10n }, { offset: 0n }]);
    const at = (timestamp: number, partition = 0) => ({ topic, partition, timestamp });
    expect(await consumer.offsetsForTimes([at(startMs + 2_500), at(startMs, 1)])).toMatchObject([
      { topic, partition: 0, offset: 3n, timestamp: startMs + 3_000 },
      { topic, partition: 1, offset: null, timestamp: null },
    ]);
    expect(await consumer.offsetsForTimes([at(startMs + 60_000)])).toMatchObject([{ offset: null }]);
  });

  test("tells the partitions of a topic and who leads them", async () => {
    const topic = await newTopic(3);
    const consumer = new KafkaConsumer({ bootstrapServers, allowAutoCreateTopics: false });
    opened.push(consumer);
    const partitions = await consumer.partitionsFor(topic);
    expect(partitions.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    for (const { leaderId, replicaIds } of partitions) expect(replicaIds).toContain(leaderId);
    await expect(consumer.partitionsFor(`${topic}-nowhere`, { timeoutMs: 300 })).rejects.toThrow(TimeoutError);
  });

  test("lists all topics, Kafka's own included", async () => {
    const topic = await newTopic(3);
    const consumer = new KafkaConsumer({ bootstrapServers, groupId: newName() });
    opened.push(consumer);
    // Has the topic of committed offsets made, where no group was there before.
    await consumer.committed([{ topic, partition: 0 }]);
    const topics = await consumer.listTopics();
    expect(topics.map((listed) => listed.topic)).toEqual(topics.map((listed) => listed.topic).sort());
    const found = topics.find((listed) => listed.topic === topic);
    expect(found).toMatchObject({
      isInternal: false,
      partitions: [0, 1, 2].map((partition) => ({ topic, partition })),
    });
    expect(topics).toContainEqual(expect.objectContaining({ topic: "__consumer_offsets", isInternal: true }));
  });

  test("awaits deserializers, asks interceptors, and tells them of commits of every kind", async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    await write(topic, numbered(6));
    const told: string[] = [];
    const interceptors: ConsumerInterceptor<string, number>[] = [
      {
        onConsume: (records) => records.filter((record) => record.offset % 2n === 0n),
        onCommit: (offsets) => told.push(`commit ${offsets.map(({ offset }) => offset)}`),
        close: () => told.push("close"),
      },
    ];
    const consumer = new KafkaConsumer({
      bootstrapServers,
      groupId: newName(),
      autoOffsetReset: "earliest",
      maxPollRecords: 2,
      // So that it commits by itself at the end only.
      autoCommitIntervalMs: 60_000,
      keyDeserializer: string,
      valueDeserializer: async (bytes: Buffer) => {
        if (bytes.toString() === "2") throw new Error("no such schema");
        return Number(bytes);
      },
      interceptors,
    });
    opened.push(consumer);
    consumer.assign([partition]);
    const records = await consumer.poll(60_000);
    expect([...records].map(({ value }) => value)).toEqual([0]);
    await consumer.commitSync(records.nextOffsets());
    const [poison] = await consumer.poll(60_000);
    expect(() => poison?.value).toThrow(RecordDeserializationError);
    await new Promise<void>((resolve, reject) => {
      consumer.commitAsync([{ ...partition, offset: 3 }], (error) => (error === null ? resolve() : reject(error)));
    });
    const [last] = await consumer.poll(60_000);
    expect([last?.offset, last?.value]).toEqual([4n, 4]);
    await consumer.close();
    expect(told).toEqual(["commit 2", "commit 3", "commit 6", "close"]);
  });

  test("commits at its end nothing of what a deserializer holds still, and ends", async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    await write(topic, numbered(6));
    let holds = () => {};
    const isHeld = new Promise<void>((resolve) => {
      holds = resolve;
    });
    const consumer = new KafkaConsumer({
      bootstrapServers,
      groupId: newName(),
      autoOffsetReset: "earliest",
      maxPollRecords: 2,
      valueDeserializer: async (bytes: Buffer) => {
        if (bytes.toString() === "3") {
          holds();
          await new Promise(() => {});
        }
        return bytes.toString();
      },
    });
    opened.push(consumer);
    consumer.subscribe([topic]);
    let records = await consumer.poll(60_000);
    while (records.isEmpty) records = await consumer.poll(60_000);
    expect([...records].map(({ value }) => value)).toEqual(["0", "1"]);
    const refused = expect(consumer.poll(60_000)).rejects.toThrow(ClosedError);
    await isHeld;
    const { groupId } = consumer.groupMetadata();
    await consumer.close();
    await refused;
    const outsider = new KafkaConsumer({ bootstrapServers, groupId });
    opened.push(outsider);
    expect(await outsider.committed([partition])).toMatchObject([{ ...partition, offset: 2n }]);
  });

  test("gives nothing when its time is over, and not much later", async () => {
    const topic = await newTopic();
    // Whoever waits for the broker in place of the clock waits for so long.
    const fetchMaxWaitMs = 20_000;
    const consumer = consumerOf(topic, 1, { fetchMaxWaitMs });
    await consumer.position({ topic, partition: 0 });
    const startMs = performance.now();
    expect((await consumer.poll(300)).isEmpty).toBe(true);
    const tookMs = performance.now() - startMs;
    expect(tookMs).toBeGreaterThanOrEqual(299);
    expect(tookMs).toBeLessThan(fetchMaxWaitMs - 1_000);
  });

  test("is woken up", async () => {
    const topic = await newTopic();
    const consumer = consumerOf(topic);
    const poll = consumer.poll(60_000);
    setTimeout(() => consumer.wakeup(), 100);
    await expect(poll).rejects.toThrow(WakeupError);
    await write(topic, numbered(1));
    expect(await values(consumer, 1)).toEqual(["0"]);
  });

  test("closes at once while a fetch waits at the broker", async () => {
    const topic = await newTopic();
    const [fetchMaxWaitMs, clientId] = [20_000, newName()];
    const consumer = consumerOf(topic, 1, { fetchMaxWaitMs, clientId });
    await consumer.position({ topic, partition: 0 });
    const isFetching = new Promise<void>((resolve) => {
      const listen = (message: unknown) => {
        const { api, clientId: whose }: { readonly api?: unknown; readonly clientId?: unknown } = Object(message);
        if (api !== "Fetch" || whose !== clientId) return;
        unsubscribe("odradek:request", listen);
        resolve();
      };
      subscribe("odradek:request", listen);
    });
    const poll = consumer.poll(60_000);
    const refused = expect(poll).rejects.toThrow(ClosedError);
    await isFetching;
    const startMs = performance.now();
    await consumer.close();
    expect(performance.now() - startMs).toBeLessThan(fetchMaxWaitMs - 1_000);
    await refused;
  });

  test("hands out record after record as an async iterator", async () => {
    const topic = await newTopic(2);
    await write(
      topic,
      [0, 1].flatMap((partition) => numbered(700).map((record) => ({ ...record, partition }))),
    );
    const consumer = consumerOf(topic, 2);
    let count = 0;
    for await (const record of consumer) {
      expect(record.offset).toBe(BigInt(record.value ?? -1));
      count += 1;
      if (count === 1_400) void consumer.close();
    }
    expect(count).toBe(1_400);
  });

  test("lets the process end after close", async () => {
    const topic = await newTopic();
    await write(topic, numbered(3));
    const program = `
      const { KafkaConsumer } = require("odradek");
      const consumer = new KafkaConsumer({ bootstrapServers: ${JSON.stringify(bootstrapServers)}, autoOffsetReset: "earliest" });
      consumer.assign([{ topic: ${JSON.stringify(topic)}, partition: 0 }]);
      (async () => {
        let count = 0;
        while (count < 3) count += (await consumer.poll(60_000)).count;
        const waiting = consumer.poll(60_000).catch(({ code }) => console.log(count, code));
        await consumer.endOffsets(consumer.assignment());
        await consumer.close();
        await waiting;
      })();`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      // A process that does not end by itself is ended, and fails.
      timeout: 60_000,
    });
    expect(stdout).toBe("3 CLOSED\n");
  });
});
