import { codeOf, crc32c, type ProducerState } from "@odradek/protocol";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { Produce } from "@odradek/protocol/messages/produce";
import { expect } from "vitest";
import { batchOf, type RawKafka, type RawTopic } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";

export interface ProduceOptions {
  readonly acks?: number;
  readonly transactionalId?: string | null;
  readonly broker?: number;
  readonly version?: number;
  readonly partition?: number;
}

/** What one partition answers. */
export async function produce(
  cluster: RawKafka,
  topic: RawTopic,
  records: Buffer | null,
  options: ProduceOptions = {},
) {
  const { acks = -1, transactionalId = null, version = 13, partition = 0 } = options;
  const broker = options.broker ?? (await cluster.leaderOf(topic.name, partition));
  const topicData = [{ name: topic.name, topicId: topic.id, partitionData: [{ index: partition, records }] }];
  const request = { transactionalId, acks, timeoutMs: 10_000, topicData };
  const { responses } = await cluster.ask(Produce, version, request, broker);
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return answer;
}

async function newProducer(cluster: RawKafka): Promise<(epoch: number, sequence: number) => ProducerState> {
  const { producerId } = await cluster.ask(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1_000 });
  return (producerEpoch, baseSequence) => ({ producerId, producerEpoch, baseSequence, isTransactional: false });
}

const refusal = (name: Parameters<typeof codeOf>[0]) => ({ errorCode: codeOf(name), baseOffset: -1n });

export const producing: readonly Case[] = [
  kafka("batches get the next offsets, one for each record", async (cluster) => {
    const topic = await cluster.topic();
    const first = await produce(cluster, topic, batchOf(["a", "b", "c"]));
    expect(first).toMatchObject({ errorCode: 0, baseOffset: 0n, logAppendTimeMs: -1n, logStartOffset: 0n });
    expect(await produce(cluster, topic, batchOf(["d"]), { acks: 1 })).toMatchObject({ errorCode: 0, baseOffset: 3n });
  }),

  kafka("with acks 0 there is no answer, and the records are there", async (cluster) => {
    const topic = await cluster.topic();
    const leader = await cluster.leaderOf(topic.name, 0);
    const partitionData = [{ index: 0, records: batchOf(["a"]) }];
    const request = { acks: 0, timeoutMs: 1_000, topicData: [{ topicId: topic.id, partitionData }] };
    await cluster.tell(Produce, 13, request, leader);
    expect(await produce(cluster, topic, batchOf(["b"]))).toMatchObject({ baseOffset: 1n });
  }),

  kafka("a batch that was damaged on its way is refused", async (cluster) => {
    const topic = await cluster.topic();
    const damaged = batchOf(["a"]);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 2) ^ 1, damaged.length - 2);
    expect(await produce(cluster, topic, damaged)).toMatchObject(refusal("CORRUPT_MESSAGE"));
  }),

  kafka("a partition takes exactly one batch", async (cluster) => {
    const topic = await cluster.topic();
    const two = Buffer.concat([batchOf(["a"]), batchOf(["b"])]);
    expect(await produce(cluster, topic, two)).toMatchObject(refusal("INVALID_RECORD"));
    expect(await produce(cluster, topic, Buffer.alloc(0))).toMatchObject(refusal("INVALID_RECORD"));
  }),

  kafka("a batch begins at offset 0, and has a sequence where it has a producer", async (cluster) => {
    const topic = await cluster.topic();
    const elsewhere = batchOf(["a"]);
    elsewhere.writeBigInt64BE(7n, 0);
    expect(await produce(cluster, topic, elsewhere)).toMatchObject(refusal("INVALID_RECORD"));
    const producer = await newProducer(cluster);
    const unnumbered = batchOf(["a"], { producer: producer(0, -1) });
    expect(await produce(cluster, topic, unnumbered)).toMatchObject(refusal("INVALID_RECORD"));
    const miscounted = batchOf(["a", "b"]);
    miscounted.writeInt32BE(0, 57);
    miscounted.writeUInt32BE(crc32c(miscounted, 21, miscounted.length), 17);
    expect(await produce(cluster, topic, miscounted)).toMatchObject(refusal("INVALID_RECORD"));
  }),

  kafka("acks are -1, 0 or 1", async (cluster) => {
    const topic = await cluster.topic();
    expect(await produce(cluster, topic, batchOf(["a"]), { acks: 2 })).toMatchObject(refusal("INVALID_REQUIRED_ACKS"));
  }),

  kafka("a batch above max.message.bytes is refused", async (cluster) => {
    const topic = await cluster.topic(1, { "max.message.bytes": "1000" });
    const large = batchOf(["x".repeat(1_000)]);
    expect(await produce(cluster, topic, large)).toMatchObject(refusal("MESSAGE_TOO_LARGE"));
  }),

  kafka("who does not lead the partition says who does", async (cluster) => {
    const topic = await cluster.topic(1, {}, 1);
    const leader = await cluster.leaderOf(topic.name, 0);
    const broker = await cluster.otherThanLeader(topic.name, 0);
    const answer = await produce(cluster, topic, batchOf(["a"]), { broker });
    expect(answer).toMatchObject(refusal("NOT_LEADER_OR_FOLLOWER"));
    expect(answer.currentLeader.leaderId).toBe(leader);
  }),

  kafka("topics and partitions that are not there are told apart by how they were named", async (cluster) => {
    const topic = await cluster.topic();
    const unknown = { name: `${topic.name}-not`, id: "dGhpcyBpcyBub3QgaXQhIQ" };
    const broker = await cluster.leaderOf(topic.name, 0);
    const byId = await produce(cluster, unknown, batchOf(["a"]), { broker });
    expect(byId).toMatchObject(refusal("UNKNOWN_TOPIC_ID"));
    const byName = await produce(cluster, unknown, batchOf(["a"]), { broker, version: 12 });
    expect(byName).toMatchObject(refusal("UNKNOWN_TOPIC_OR_PARTITION"));
    const partition = await produce(cluster, topic, batchOf(["a"]), { broker, partition: 9 });
    expect(partition).toMatchObject(refusal("UNKNOWN_TOPIC_OR_PARTITION"));
  }),

  kafka("a compacted topic wants keys, and says which records lack them", async (cluster) => {
    const topic = await cluster.topic(1, { "cleanup.policy": "compact" });
    expect(await produce(cluster, topic, batchOf(["a"], { key: "k" }))).toMatchObject({ errorCode: 0 });
    const answer = await produce(cluster, topic, batchOf(["b", "c"]));
    expect(answer).toMatchObject(refusal("INVALID_RECORD"));
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
    expect(answer.recordErrors[0]?.batchIndexErrorMessage).toContain(
      "Compacted topic cannot accept message without key",
    );
  }),

  kafka("with LogAppendTime the broker's time is told and kept", async (cluster) => {
    const topic = await cluster.topic(1, { "message.timestamp.type": "LogAppendTime" });
    const { errorCode, logAppendTimeMs } = await produce(cluster, topic, batchOf(["a"], { timestamp: 5 }));
    expect(errorCode).toBe(0);
    expect(logAppendTimeMs).toBeGreaterThan(1_700_000_000_000n);
    const leader = await cluster.leaderOf(topic.name, 0);
    const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 10_000 }];
    const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: topic.name, partitions }] };
    const { responses } = await cluster.ask(Fetch, 12, request, leader);
    const records = responses[0]?.partitions[0]?.records;
    expect(records?.readBigInt64BE(35)).toBe(logAppendTimeMs);
  }),

  kafka("an idempotent batch that comes twice is answered with where it is", async (cluster) => {
    const topic = await cluster.topic();
    const producer = await newProducer(cluster);
    const send = (epoch: number, sequence: number, values = ["a", "b"]) =>
      produce(cluster, topic, batchOf(values, { producer: producer(epoch, sequence) }));
    expect(await send(0, 0)).toMatchObject({ errorCode: 0, baseOffset: 0n });
    expect(await send(0, 2)).toMatchObject({ errorCode: 0, baseOffset: 2n });
    expect(await send(0, 0)).toMatchObject({ errorCode: 0, baseOffset: 0n });
    expect(await send(0, 2)).toMatchObject({ errorCode: 0, baseOffset: 2n });
    // Of another size it is not the same batch.
    expect(await send(0, 2, ["a"])).toMatchObject(refusal("OUT_OF_ORDER_SEQUENCE_NUMBER"));
  }),

  kafka("sequences without a gap, from 0 in each epoch", async (cluster) => {
    const topic = await cluster.topic();
    const producer = await newProducer(cluster);
    const send = (epoch: number, sequence: number) =>
      produce(cluster, topic, batchOf(["a"], { producer: producer(epoch, sequence) }));
    expect(await send(0, 0)).toMatchObject({ errorCode: 0 });
    expect(await send(0, 2)).toMatchObject(refusal("OUT_OF_ORDER_SEQUENCE_NUMBER"));
    expect(await send(1, 1)).toMatchObject(refusal("OUT_OF_ORDER_SEQUENCE_NUMBER"));
    expect(await send(1, 0)).toMatchObject({ errorCode: 0, baseOffset: 1n });
    expect(await send(0, 1)).toMatchObject(refusal("INVALID_PRODUCER_EPOCH"));
  }),

  kafka("five batches of a producer are remembered, and no more", async (cluster) => {
    const topic = await cluster.topic();
    const producer = await newProducer(cluster);
    const send = (sequence: number) => produce(cluster, topic, batchOf(["a"], { producer: producer(0, sequence) }));
    for (let sequence = 0; sequence < 6; sequence++) await send(sequence);
    expect(await send(1)).toMatchObject({ errorCode: 0, baseOffset: 1n });
    expect(await send(0)).toMatchObject(refusal("OUT_OF_ORDER_SEQUENCE_NUMBER"));
  }),

  kafka("a producer that the partition does not know may begin anywhere", async (cluster) => {
    const topic = await cluster.topic();
    const producer = await newProducer(cluster);
    const answer = await produce(cluster, topic, batchOf(["a"], { producer: producer(0, 7) }));
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: 0n });
  }),
];
