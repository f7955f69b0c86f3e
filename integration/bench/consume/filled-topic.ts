import { BrokerError, defaultRecordBatchesOptions, RecordBatches } from "@odradek/protocol";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import type { Broker, KafkaCluster } from "../../cluster/kafka-cluster.ts";
import { until } from "../../cluster/readiness.ts";
import { ask, Wire } from "../../cluster/wire.ts";
import { TurnTopic } from "../produce/topic.ts";
import { type Batch, batchesOf } from "./batches.ts";
import type { Content } from "./workloads.ts";

/** Connections to each broker, each of which waits for one answer at a time. */
const lanes = 4;
/** Topics go by name: their ids would have to be asked for. */
const withNames = { newest: 12 };

/** A topic with one replica, which everybody reads. Requests of our own fill it, so that its batches are what they are to be. */
export class FilledTopic implements AsyncDisposable {
  readonly name: string;
  readonly records: number;
  /** Of all keys and values. */
  readonly payloadBytes: number;
  readonly #topic: TurnTopic;

  private constructor(topic: TurnTopic, records: number, payloadBytes: number) {
    this.name = topic.name;
    this.records = records;
    this.payloadBytes = payloadBytes;
    this.#topic = topic;
  }

  /** @throws Error where the logs have other batches than those that were sent */
  static async create(cluster: KafkaCluster, content: Content): Promise<FilledTopic> {
    const batches = await batchesOf(content);
    const topic = await TurnTopic.create(cluster, content.partitions, 1);
    try {
      // That all brokers know who leads does not mean that the leaders do.
      await until(`the partitions of ${topic.name} have leaders that lead`, () =>
        topic.recordCount().then(() => true, String),
      );
      const rounds = roundsOf(batches, content);
      const sent = await fill(cluster, topic.name, rounds);
      const records = sum(sent, (batch) => batch.records);
      const arrived = await topic.recordCount();
      if (arrived !== records) throw new Error(`${records} records were sent to ${topic.name}, which has ${arrived}`);
      return new FilledTopic(
        topic,
        records,
        sum(sent, (batch) => batch.payloadBytes),
      );
    } catch (error) {
      await topic[Symbol.asyncDispose]();
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#topic[Symbol.asyncDispose]();
  }
}

/** What is sent at a time: a batch for each partition, by its index. */
type Round = readonly Batch[];

function roundsOf(batches: readonly Batch[], { records, partitions }: Content): Round[] {
  const rounds: Round[] = [];
  let next = 0;
  for (let planned = 0; planned < records; ) {
    const round = Array.from({ length: partitions }, () => {
      const batch = batches[next++ % batches.length];
      if (batch === undefined) throw new Error("there are no batches");
      return batch;
    });
    rounds.push(round);
    planned += sum(round, (batch) => batch.records);
  }
  return rounds;
}

/** @returns all that was sent */
async function fill({ brokers }: KafkaCluster, topic: string, rounds: readonly Round[]): Promise<Batch[]> {
  const [first] = brokers;
  if (first === undefined) throw new Error("the cluster has no brokers");
  const { topics } = await ask(first, Metadata, { topics: [{ name: topic }], allowAutoTopicCreation: false });
  await Promise.all(
    brokers.map(async (broker) => {
      const led = topics[0]?.partitions.filter(({ leaderId }) => leaderId === broker.id) ?? [];
      const indexes = led.map(({ partitionIndex }) => partitionIndex);
      if (indexes.length === 0) return;
      const waiting = rounds.values();
      await Promise.all(Array.from({ length: lanes }, () => send(broker, topic, indexes, waiting)));
      await Promise.all(indexes.map((index) => check(broker, topic, index, rounds)));
    }),
  );
  return rounds.flat();
}

async function send(
  broker: Broker,
  topic: string,
  partitions: readonly number[],
  waiting: IterableIterator<Round>,
): Promise<void> {
  using wire = await Wire.open(broker);
  for (const round of waiting) {
    const partitionData = partitions.map((index) => ({ index, records: round[index]?.bytes ?? null }));
    const body = { acks: 1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] };
    const { responses } = await wire.ask(Produce, body, withNames);
    for (const { index, errorCode } of responses.flatMap(({ partitionResponses }) => partitionResponses)) {
      if (errorCode !== 0) throw new BrokerError(errorCode, `filling ${topic}-${index}`);
    }
  }
}

/** Looks at the first of its batches: a broker that writes them anew would make others of them. */
async function check(broker: Broker, topic: string, partition: number, rounds: readonly Round[]): Promise<void> {
  const body = {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: 0n, partitionMaxBytes: 262_144 }] }],
    forgottenTopicsData: [],
  };
  const { responses } = await ask(broker, Fetch, body, withNames);
  const records = responses[0]?.partitions[0]?.records ?? Buffer.alloc(0);
  const found = [...new RecordBatches(records, defaultRecordBatchesOptions)];
  const sent = new Set(rounds.map((round) => textOf(round[partition]?.bytes.length, round[partition]?.records)));
  const other = found.find(({ sizeInBytes, count }) => !sent.has(textOf(sizeInBytes, count)));
  if (found.length > 0 && other === undefined) return;
  const what = other === undefined ? "nothing" : textOf(other.sizeInBytes, other.count);
  throw new Error(`${topic}-${partition} has ${what} where there were sent: ${[...sent].join("; ")}`);
}

const textOf = (bytes: number | undefined, records: number | null | undefined): string =>
  `${records} records in ${bytes} bytes`;

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0);
