import { zeroUuid } from "@odradek/protocol";
import type { ProduceResponse } from "@odradek/protocol/messages/produce";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import { ProduceAnswers, produceBounds, produceRequest } from "../src/produce-request.ts";
import { ProducerBatch } from "../src/producer-batch.ts";
import { clusterOf } from "./cluster.ts";

const id = "AAAAAAAAAAAAAAAAAAAAAQ";
const options = { transactionalId: null, settings: { acks: -1, requestTimeoutMs: 30_000 } } as const;
const buffer = Buffer.alloc(100);

const memory = new BufferPool(1_000, 100, new ManualClock());

const batchOf = (topic: string, partition: number): ProducerBatch =>
  new ProducerBatch({
    topic,
    partition,
    buffer,
    batchSize: 100,
    compression: null,
    settings: null,
    memory,
    createdAtMs: 0,
    serial: 0,
  });

const built = (topic: string, partition: number) => ({ batch: batchOf(topic, partition), records: buffer });

/** A cluster that knows the ids of these topics. */
function clusterWithIds(ids: Readonly<Record<string, string>>) {
  const cluster = clusterOf(Object.fromEntries(Object.keys(ids).map((name) => [name, [1]])));
  const topics = [...cluster.topics.values()].map((topic) => ({ ...topic, id: ids[topic.name] ?? zeroUuid }));
  return { ...cluster, topics: new Map(topics.map((topic) => [topic.name, topic])) };
}

/** An answer that gives each partition its own number as offset. */
function answerOf(topic: { readonly name: string; readonly topicId: string }, partitions: readonly number[]) {
  const partitionResponses = partitions.map((index) => ({
    index,
    errorCode: 0,
    baseOffset: BigInt(index),
    logAppendTimeMs: -1n,
    logStartOffset: 0n,
    recordErrors: [],
    errorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
  }));
  return { ...topic, partitionResponses };
}

const responseOf = (...responses: readonly ReturnType<typeof answerOf>[]): ProduceResponse => ({
  responses: [...responses],
  throttleTimeMs: 0,
  nodeEndpoints: [],
});

describe("a Produce request", () => {
  test("has each topic once, with all of its partitions", () => {
    const cluster = clusterWithIds({ orders: id, invoices: zeroUuid });
    const request = produceRequest([built("orders", 0), built("invoices", 0), built("orders", 2)], cluster, options);
    expect(request).toEqual({
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        {
          name: "orders",
          topicId: id,
          partitionData: [
            { index: 0, records: buffer },
            { index: 2, records: buffer },
          ],
        },
        { name: "invoices", topicId: zeroUuid, partitionData: [{ index: 0, records: buffer }] },
      ],
    });
  });

  test("goes by name where the id of a topic is not known", () => {
    const cluster = clusterWithIds({ orders: id, invoices: zeroUuid });
    const bounds = (...topics: string[]) =>
      produceBounds(
        produceRequest(
          topics.map((topic) => built(topic, 0)),
          cluster,
          options,
        ),
      );
    expect(bounds("orders")).toEqual({});
    expect(bounds("orders", "invoices")).toEqual({ newest: 12 });
    expect(bounds("gone")).toEqual({ newest: 12 });
  });
});

describe("the answers", () => {
  const request = produceRequest([built("orders", 0), built("orders", 1)], clusterWithIds({ orders: id }), options);

  test("are found by the name of the topic", () => {
    const answers = new ProduceAnswers(request, responseOf(answerOf({ name: "orders", topicId: zeroUuid }, [1, 0])));
    expect(answers.of(batchOf("orders", 1))?.baseOffset).toBe(1n);
  });

  test("are found by the id of the topic", () => {
    const answers = new ProduceAnswers(request, responseOf(answerOf({ name: "", topicId: id }, [0, 1])));
    expect(answers.of(batchOf("orders", 1))?.baseOffset).toBe(1n);
  });

  test("are missing where the broker left a partition out, or named another topic", () => {
    const other = answerOf({ name: "", topicId: "AAAAAAAAAAAAAAAAAAAAAg" }, [0, 1]);
    const answers = new ProduceAnswers(request, responseOf(other, answerOf({ name: "", topicId: id }, [0])));
    expect(answers.of(batchOf("orders", 0))?.baseOffset).toBe(0n);
    expect(answers.of(batchOf("orders", 1))).toBeUndefined();
  });
});
