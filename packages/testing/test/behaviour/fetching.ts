import { codeOf } from "@odradek/protocol";
import { DeleteRecords } from "@odradek/protocol/messages/delete-records";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { OffsetForLeaderEpoch } from "@odradek/protocol/messages/offset-for-leader-epoch";
import { expect } from "vitest";
import { produce } from "./producing.ts";
import { batchOf, type RawKafka, type RawTopic } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";

interface FetchOptions {
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly isolationLevel?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
}

/** What one partition answers. */
export async function fetch(cluster: RawKafka, topic: RawTopic, fetchOffset: bigint, options: FetchOptions = {}) {
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1_000_000, partitionMaxBytes = 1_000_000 } = options;
  const { isolationLevel = 0, currentLeaderEpoch = -1, lastFetchedEpoch = -1 } = options;
  const leader = await cluster.leaderOf(topic.name, 0);
  const partition = { partition: 0, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch };
  const request = {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel,
    topics: [{ topicId: topic.id, partitions: [partition] }],
  };
  const { responses } = await cluster.ask(Fetch, 16, request, leader, "fetch");
  const answer = responses[0]?.partitions[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return answer;
}

/** Base offsets of the whole batches in a Fetch answer. */
export function baseOffsets(records: Buffer | null): bigint[] {
  const offsets: bigint[] = [];
  let rest = records ?? Buffer.alloc(0);
  while (rest.length >= 12 && rest.length >= rest.readInt32BE(8) + 12) {
    offsets.push(rest.readBigInt64BE(0));
    rest = rest.subarray(rest.readInt32BE(8) + 12);
  }
  return offsets;
}

export async function listOffset(cluster: RawKafka, topic: RawTopic, timestamp: bigint, isolationLevel = 0) {
  const leader = await cluster.leaderOf(topic.name, 0);
  const request = {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp }] }],
  };
  const { topics } = await cluster.ask(ListOffsets, 8, request, leader);
  const answer = topics[0]?.partitions[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return answer;
}

export const fetching: readonly Case[] = [
  kafka("batches come whole, from the one that has the offset", async (cluster) => {
    const topic = await cluster.topic();
    for (const values of [["a", "b"], ["c"], ["d", "e"]]) await produce(cluster, topic, batchOf(values));
    const answer = await fetch(cluster, topic, 1n);
    expect(answer).toMatchObject({ errorCode: 0, highWatermark: 5n, lastStableOffset: 5n, logStartOffset: 0n });
    expect(baseOffsets(answer.records)).toEqual([0n, 2n, 3n]);
    expect(baseOffsets((await fetch(cluster, topic, 5n)).records)).toEqual([]);
  }),

  kafka("offsets outside of the log are out of range", async (cluster) => {
    const topic = await cluster.topic();
    await produce(cluster, topic, batchOf(["a"]));
    const outOfRange = { errorCode: codeOf("OFFSET_OUT_OF_RANGE"), highWatermark: -1n, logStartOffset: -1n };
    expect(await fetch(cluster, topic, 2n)).toMatchObject(outOfRange);
    expect(await fetch(cluster, topic, -1n)).toMatchObject(outOfRange);
  }),

  kafka("the first batch comes whole, however small the limit", async (cluster) => {
    const topic = await cluster.topic();
    for (let n = 0; n < 3; n++) await produce(cluster, topic, batchOf(["x".repeat(500)]));
    expect(baseOffsets((await fetch(cluster, topic, 0n, { maxBytes: 10 })).records)).toEqual([0n]);
    expect(baseOffsets((await fetch(cluster, topic, 0n, { partitionMaxBytes: 10 })).records)).toEqual([0n]);
  }),

  kafka("a fetch waits for records", async (cluster) => {
    const topic = await cluster.topic();
    const waiting = fetch(cluster, topic, 0n, { maxWaitMs: 20_000 });
    await produce(cluster, topic, batchOf(["a"]));
    expect(baseOffsets((await waiting).records)).toEqual([0n]);
  }),

  kafka("a fetch is answered empty when its time is up", async (cluster) => {
    const topic = await cluster.topic();
    await produce(cluster, topic, batchOf(["a"]));
    const answer = await fetch(cluster, topic, 1n, { maxWaitMs: 50 });
    expect(answer).toMatchObject({ errorCode: 0, highWatermark: 1n });
    expect(answer.records?.length ?? 0).toBe(0);
    // There is something, and not as much as was asked for.
    expect(baseOffsets((await fetch(cluster, topic, 0n, { maxWaitMs: 50, minBytes: 100_000 })).records)).toEqual([0n]);
  }),

  kafka("a fetch does not wait for more than may be in its answer", async (cluster) => {
    const topic = await cluster.topic();
    await produce(cluster, topic, batchOf(["a"]));
    const waiting = fetch(cluster, topic, 0n, { maxWaitMs: 60_000, minBytes: 100_000, maxBytes: 10 });
    expect(baseOffsets((await waiting).records)).toEqual([0n]);
  }),

  kafka("places in a log can be asked for since the version that has them", async (cluster) => {
    const topic = await cluster.topic();
    const leader = await cluster.leaderOf(topic.name, 0);
    const ask = async (version: number, timestamp: bigint) => {
      const topics = [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp }] }];
      const answer = await cluster.ask(ListOffsets, version, { replicaId: -1, isolationLevel: 0, topics }, leader);
      return answer.topics[0]?.partitions[0]?.errorCode;
    };
    const unsupported = codeOf("UNSUPPORTED_VERSION");
    expect(await Promise.all([ask(6, -3n), ask(7, -3n), ask(7, -4n), ask(8, -4n), ask(9, -7n)])).toEqual([
      ...[unsupported, 0, unsupported, 0, unsupported],
    ]);
  }),

  kafka("leader epochs that are too old or too new are refused", async (cluster) => {
    const topic = await cluster.topic();
    await produce(cluster, topic, batchOf(["a"]));
    const { errorCode } = await fetch(cluster, topic, 0n, { currentLeaderEpoch: 99 });
    expect(errorCode).toBe(codeOf("UNKNOWN_LEADER_EPOCH"));
    expect(await fetch(cluster, topic, 0n, { currentLeaderEpoch: 0 })).toMatchObject({ errorCode: 0 });
  }),

  kafka("a session tells of what changed", async (cluster) => {
    const topic = await cluster.topic();
    const leader = await cluster.leaderOf(topic.name, 0);
    const ask = (
      session: { sessionId: number; sessionEpoch: number },
      partitions: readonly bigint[],
      forgotten: readonly number[] = [],
    ) =>
      cluster.ask(
        Fetch,
        16,
        {
          ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, ...session },
          topics: partitions.map((fetchOffset) => ({
            topicId: topic.id,
            partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }],
          })),
          forgottenTopicsData: forgotten.map((partition) => ({ topicId: topic.id, partitions: [partition] })),
        },
        leader,
      );
    const opened = await ask({ sessionId: 0, sessionEpoch: 0 }, [0n]);
    expect(opened).toMatchObject({ errorCode: 0 });
    expect(opened.sessionId).toBeGreaterThan(0);
    expect(opened.responses).toHaveLength(1);
    const { sessionId } = opened;
    const quiet = await ask({ sessionId, sessionEpoch: 1 }, []);
    expect(quiet).toMatchObject({ errorCode: 0, sessionId, responses: [] });
    await produce(cluster, topic, batchOf(["a"]));
    const news = await ask({ sessionId, sessionEpoch: 2 }, []);
    expect(baseOffsets(news.responses[0]?.partitions[0]?.records ?? null)).toEqual([0n]);
    const late = await ask({ sessionId, sessionEpoch: 2 }, []);
    expect(late.errorCode).toBe(codeOf("INVALID_FETCH_SESSION_EPOCH"));
    const unknown = await ask({ sessionId: sessionId + 12_345, sessionEpoch: 1 }, []);
    expect(unknown.errorCode).toBe(codeOf("FETCH_SESSION_ID_NOT_FOUND"));
    const emptied = await ask({ sessionId, sessionEpoch: 3 }, [], [0]);
    expect(emptied).toMatchObject({ errorCode: 0, sessionId: 0, responses: [] });
  }),

  kafka("offsets are found by time, record by record", async (cluster) => {
    const topic = await cluster.topic();
    await produce(cluster, topic, batchOf(["a", "b", "c"], { timestamp: 1_000 }));
    await produce(cluster, topic, batchOf(["d", "e"], { timestamp: 500 }));
    expect(await listOffset(cluster, topic, 1_010n)).toMatchObject({ errorCode: 0, offset: 1n, timestamp: 1_010n });
    expect(await listOffset(cluster, topic, 0n)).toMatchObject({ errorCode: 0, offset: 0n, timestamp: 1_000n });
    expect(await listOffset(cluster, topic, 1_021n)).toMatchObject({ errorCode: 0, offset: -1n, timestamp: -1n });
    expect(await listOffset(cluster, topic, -1n)).toMatchObject({ offset: 5n, timestamp: -1n, leaderEpoch: 0 });
    expect(await listOffset(cluster, topic, -2n)).toMatchObject({ offset: 0n, timestamp: -1n, leaderEpoch: 0 });
    expect(await listOffset(cluster, topic, -3n)).toMatchObject({ offset: 2n, timestamp: 1_020n });
  }),

  kafka("an empty log has no record of any time", async (cluster) => {
    const topic = await cluster.topic();
    expect(await listOffset(cluster, topic, 0n)).toMatchObject({ errorCode: 0, offset: -1n, timestamp: -1n });
    expect(await listOffset(cluster, topic, -3n)).toMatchObject({ errorCode: 0, offset: -1n, timestamp: -1n });
    expect(await listOffset(cluster, topic, -2n)).toMatchObject({ errorCode: 0, offset: 0n });
  }),

  kafka("the end of an epoch is where the log ends", async (cluster) => {
    const topic = await cluster.topic();
    await produce(cluster, topic, batchOf(["a", "b"]));
    const leader = await cluster.leaderOf(topic.name, 0);
    const ask = async (leaderEpoch: number) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }];
      const request = { replicaId: -1, topics: [{ topic: topic.name, partitions }] };
      return (await cluster.ask(OffsetForLeaderEpoch, 4, request, leader)).topics[0]?.partitions[0];
    };
    expect(await ask(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2n });
    expect(await ask(7)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1n });
  }),

  kafka("deleted records are gone", async (cluster) => {
    const topic = await cluster.topic();
    for (const values of [["a", "b"], ["c"]]) await produce(cluster, topic, batchOf(values));
    const leader = await cluster.leaderOf(topic.name, 0);
    const remove = async (offset: bigint) => {
      const topics = [{ name: topic.name, partitions: [{ partitionIndex: 0, offset }] }];
      const answer = await cluster.ask(DeleteRecords, 2, { topics, timeoutMs: 10_000 }, leader);
      return answer.topics[0]?.partitions[0];
    };
    expect(await remove(1n)).toMatchObject({ errorCode: 0, lowWatermark: 1n });
    expect(await fetch(cluster, topic, 0n)).toMatchObject({ errorCode: codeOf("OFFSET_OUT_OF_RANGE") });
    expect(baseOffsets((await fetch(cluster, topic, 1n)).records)).toEqual([0n, 2n]);
    expect(await listOffset(cluster, topic, -2n)).toMatchObject({ offset: 1n });
    expect(await remove(9n)).toMatchObject({ errorCode: codeOf("OFFSET_OUT_OF_RANGE"), lowWatermark: -1n });
    expect(await remove(-1n)).toMatchObject({ errorCode: 0, lowWatermark: 3n });
  }),
];
