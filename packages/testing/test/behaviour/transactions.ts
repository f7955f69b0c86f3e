import { codeOf, type ProducerState } from "@odradek/protocol";
import { AddOffsetsToTxn } from "@odradek/protocol/messages/add-offsets-to-txn";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { DescribeTransactions } from "@odradek/protocol/messages/describe-transactions";
import { EndTxn } from "@odradek/protocol/messages/end-txn";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { TxnOffsetCommit } from "@odradek/protocol/messages/txn-offset-commit";
import { expect } from "vitest";
import { baseOffsets, fetch, listOffset } from "./fetching.ts";
import { produce } from "./producing.ts";
import { type BatchOptions, batchOf, newName, type RawKafka, type RawTopic, transient } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";

const transactionKey = 1;
const firstV2 = 12;

/** What is sent in a transaction. */
type KeyedRecord = Pick<BatchOptions, "key" | "timestamp"> & { readonly value: string };
const unkeyed: KeyedRecord = { value: "a" };

interface Producer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A transactional producer, request by request. */
export class Transactional {
  readonly id: string;
  readonly #cluster: RawKafka;
  readonly #coordinator: number;

  private constructor(cluster: RawKafka, id: string, coordinator: number) {
    this.#cluster = cluster;
    this.id = id;
    this.#coordinator = coordinator;
  }

  static async of(cluster: RawKafka): Promise<Transactional> {
    const id = newName();
    return new Transactional(cluster, id, await cluster.coordinatorOf(id, transactionKey));
  }

  /** Once, whatever comes of it. */
  initOnce(known: Producer | null = null, transactionTimeoutMs = 60_000) {
    const { producerId, producerEpoch } = known ?? { producerId: -1n, producerEpoch: -1 };
    const request = { transactionalId: this.id, transactionTimeoutMs, producerId, producerEpoch };
    return this.#cluster.ask(InitProducerId, 5, request, this.#coordinator);
  }

  init(known: Producer | null = null) {
    return this.#settled(() => this.initOnce(known));
  }

  end(producer: Producer, committed: boolean, version = 5) {
    const request = { transactionalId: this.id, ...producer, committed };
    return this.#settled(() => this.#cluster.ask(EndTxn, version, request, this.#coordinator));
  }

  /** Produces; where the markers of the transaction before are still on their way, again. */
  send(topic: RawTopic, producer: Producer, baseSequence: number, version = firstV2, record: KeyedRecord = unkeyed) {
    const state: ProducerState = { ...producer, baseSequence, isTransactional: true };
    const options = { version, transactionalId: this.id };
    const { value, ...rest } = record;
    return this.#settled(() => produce(this.#cluster, topic, batchOf([value], { ...rest, producer: state }), options));
  }

  async addPartition(topic: RawTopic, { producerId, producerEpoch }: Producer) {
    const answer = await this.#cluster.eventually(
      () =>
        this.#cluster.ask(
          AddPartitionsToTxn,
          3,
          {
            v3AndBelowTransactionalId: this.id,
            v3AndBelowProducerId: producerId,
            v3AndBelowProducerEpoch: producerEpoch,
            v3AndBelowTopics: [{ name: topic.name, partitions: [0] }],
          },
          this.#coordinator,
        ),
      ({ resultsByTopicV3AndBelow: [result] }) =>
        !transient.has(result?.resultsByPartition[0]?.partitionErrorCode ?? 0),
    );
    return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode;
  }

  addOffsets(producer: Producer, groupId: string) {
    const request = { transactionalId: this.id, ...producer, groupId };
    return this.#settled(() => this.#cluster.ask(AddOffsetsToTxn, 4, request, this.#coordinator));
  }

  async state() {
    const request = { transactionalIds: [this.id] };
    return (await this.#cluster.ask(DescribeTransactions, 0, request, this.#coordinator)).transactionStates[0];
  }

  #settled<T extends { readonly errorCode: number }>(ask: () => Promise<T>): Promise<T> {
    return this.#cluster.eventually(ask, ({ errorCode }) => !transient.has(errorCode));
  }
}

/** Waits until the markers of a transaction are in the log: a coordinator answers before it has written them. */
export const stable = (cluster: RawKafka, topic: RawTopic) =>
  cluster.eventually(
    () => fetch(cluster, topic, 0n, { isolationLevel: 1 }),
    ({ lastStableOffset, highWatermark }) => lastStableOffset === highWatermark,
  );

async function commitOffset(
  cluster: RawKafka,
  transaction: { transactionalId: string; groupId: string } & Producer,
  topic: RawTopic,
  version = 5,
) {
  const partitions = [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: "note" }];
  const coordinator = await cluster.coordinatorOf(transaction.groupId);
  const request = { ...transaction, topics: [{ name: topic.name, partitions }] };
  const answer = await cluster.eventually(
    () => cluster.ask(TxnOffsetCommit, version, request, coordinator),
    ({ topics }) => !transient.has(topics[0]?.partitions[0]?.errorCode ?? 0),
  );
  return answer.topics[0]?.partitions[0]?.errorCode;
}

async function fetchOffset(cluster: RawKafka, groupId: string, topic: RawTopic, requireStable: boolean) {
  const coordinator = await cluster.coordinatorOf(groupId);
  const groups = [{ groupId, topics: [{ name: topic.name, partitionIndexes: [0] }] }];
  const answer = await cluster.ask(OffsetFetch, 8, { groups, requireStable }, coordinator);
  return answer.groups[0]?.topics[0]?.partitions[0];
}

const code = codeOf;

export const transactions: readonly Case[] = [
  kafka("records of an open transaction are hidden from read_committed", async (cluster) => {
    const topic = await cluster.topic();
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    expect(producer).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(await transactional.send(topic, producer, 0)).toMatchObject({ errorCode: 0, baseOffset: 0n });
    expect(await transactional.state()).toMatchObject({ transactionState: "Ongoing", topics: [{ partitions: [0] }] });
    const committed = await fetch(cluster, topic, 0n, { isolationLevel: 1 });
    expect(committed).toMatchObject({ errorCode: 0, highWatermark: 1n, lastStableOffset: 0n, abortedTransactions: [] });
    expect(baseOffsets(committed.records)).toEqual([]);
    const uncommitted = await fetch(cluster, topic, 0n);
    expect(uncommitted).toMatchObject({ lastStableOffset: 0n, abortedTransactions: null });
    expect(baseOffsets(uncommitted.records)).toEqual([0n]);
    expect(await listOffset(cluster, topic, -1n, 1)).toMatchObject({ offset: 0n });
    expect(await listOffset(cluster, topic, -1n)).toMatchObject({ offset: 1n });
    expect(await transactional.end(producer, true)).toMatchObject({ errorCode: 0 });
    const after = await stable(cluster, topic);
    expect(after).toMatchObject({ highWatermark: 2n, lastStableOffset: 2n });
    expect(baseOffsets(after.records)).toEqual([0n, 1n]);
  }),

  kafka("every transaction ends with a new epoch", async (cluster) => {
    const topic = await cluster.topic();
    const transactional = await Transactional.of(cluster);
    const first = await transactional.init();
    await transactional.send(topic, first, 0);
    const second = await transactional.end(first, true);
    expect(second).toMatchObject({ errorCode: 0, producerId: first.producerId, producerEpoch: 1 });
    // The answer may have been lost.
    expect(await transactional.end(first, true)).toMatchObject({ errorCode: 0, producerEpoch: 1 });
    expect(await transactional.end(first, false)).toMatchObject({ errorCode: code("INVALID_TXN_STATE") });
    await stable(cluster, topic);
    expect(await transactional.send(topic, first, 1)).toMatchObject({ errorCode: code("INVALID_PRODUCER_EPOCH") });
    expect(await transactional.send(topic, second, 0)).toMatchObject({ errorCode: 0, baseOffset: 2n });
    expect(await transactional.end(second, false)).toMatchObject({ errorCode: 0, producerEpoch: 2 });
  }),

  kafka("aborted transactions are listed for who reads them", async (cluster) => {
    const topic = await cluster.topic();
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    await produce(cluster, topic, batchOf(["before"]));
    await transactional.send(topic, producer, 0);
    const next = await transactional.end(producer, false);
    await stable(cluster, topic);
    await transactional.send(topic, next, 0);
    await transactional.end(next, true);
    const answer = await stable(cluster, topic);
    expect(baseOffsets(answer.records)).toEqual([0n, 1n, 2n, 3n, 4n]);
    expect(answer.abortedTransactions).toEqual([{ producerId: producer.producerId, firstOffset: 1n }]);
    expect(await fetch(cluster, topic, 3n, { isolationLevel: 1 })).toMatchObject({ abortedTransactions: [] });
  }),

  kafka("a transaction without a write can be aborted, and not committed", async (cluster) => {
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    expect(await transactional.end(producer, true)).toMatchObject({ errorCode: code("INVALID_TXN_STATE") });
    expect(await transactional.end(producer, false)).toMatchObject({ errorCode: 0, producerEpoch: 1 });
  }),

  kafka("who starts under the same id fences who was there", async (cluster) => {
    const topic = await cluster.topic();
    const transactional = await Transactional.of(cluster);
    const old = await transactional.init();
    await transactional.send(topic, old, 0);
    expect(await transactional.initOnce()).toMatchObject({ errorCode: code("CONCURRENT_TRANSACTIONS") });
    const next = await transactional.init();
    // One epoch ended what was open, the next is the new producer's.
    expect(next).toMatchObject({ errorCode: 0, producerId: old.producerId, producerEpoch: 2 });
    expect(await transactional.end(old, true)).toMatchObject({ errorCode: code("PRODUCER_FENCED") });
    expect(await transactional.send(topic, old, 1)).toMatchObject({ errorCode: code("INVALID_PRODUCER_EPOCH") });
    expect(await transactional.initOnce(old)).toMatchObject({ errorCode: code("PRODUCER_FENCED") });
    const answer = await stable(cluster, topic);
    expect(answer.abortedTransactions).toEqual([{ producerId: old.producerId, firstOffset: 0n }]);
  }),

  kafka("a producer may have its own epoch raised, again if the answer was lost", async (cluster) => {
    const transactional = await Transactional.of(cluster);
    const first = await transactional.init();
    const second = await transactional.init(first);
    expect(second).toMatchObject({ errorCode: 0, producerId: first.producerId, producerEpoch: 1 });
    expect(await transactional.init(first)).toMatchObject({ errorCode: 0, producerEpoch: 1 });
    expect(await transactional.init(second)).toMatchObject({ errorCode: 0, producerEpoch: 2 });
    expect(await transactional.init(first)).toMatchObject({ errorCode: code("PRODUCER_FENCED") });
  }),

  kafka("older clients name their partitions first, and keep their epoch", async (cluster) => {
    const topic = await cluster.topic();
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    expect(await transactional.send(topic, producer, 0, 11)).toMatchObject({
      errorCode: code("TRANSACTION_ABORTABLE"),
    });
    expect(await transactional.send(topic, producer, 0, 10)).toMatchObject({ errorCode: code("INVALID_TXN_STATE") });
    expect(await transactional.addPartition(topic, producer)).toBe(0);
    expect(await transactional.send(topic, producer, 0, 11)).toMatchObject({ errorCode: 0, baseOffset: 0n });
    expect(await transactional.end(producer, true, 4)).toMatchObject({ errorCode: 0 });
    await stable(cluster, topic);
    expect(await transactional.addPartition(topic, producer)).toBe(0);
    expect(await transactional.send(topic, producer, 1, 11)).toMatchObject({ errorCode: 0, baseOffset: 2n });
    expect(await transactional.end(producer, false, 4)).toMatchObject({ errorCode: 0 });
    expect(await transactional.end(producer, false, 4)).toMatchObject({ errorCode: 0 });
    expect(await transactional.end(producer, true, 4)).toMatchObject({ errorCode: code("INVALID_TXN_STATE") });
    expect((await stable(cluster, topic)).highWatermark).toBe(4n);
  }),

  kafka("ids, epochs and timeouts that make no sense are refused", async (cluster) => {
    const topic = await cluster.topic();
    const transactional = await Transactional.of(cluster);
    const nobody = { producerId: 9_999_999n, producerEpoch: 0 };
    expect(await transactional.end(nobody, true)).toMatchObject({ errorCode: code("INVALID_PRODUCER_ID_MAPPING") });
    expect(await transactional.initOnce(null, 900_001)).toMatchObject({
      errorCode: code("INVALID_TRANSACTION_TIMEOUT"),
    });
    const producer = await transactional.init();
    expect(await transactional.addPartition(topic, nobody)).toBe(code("INVALID_PRODUCER_ID_MAPPING"));
    const zombie = { ...producer, producerEpoch: 7 };
    expect(await transactional.addPartition(topic, zombie)).toBe(code("PRODUCER_FENCED"));
    const unknown = { name: `${topic.name}-not`, id: topic.id };
    expect(await transactional.addPartition(unknown, producer)).toBe(code("UNKNOWN_TOPIC_OR_PARTITION"));
  }),

  kafka("offsets in a transaction count once it is committed", async (cluster) => {
    const topic = await cluster.topic();
    const groupId = newName();
    const transactional = await Transactional.of(cluster);
    const producer = await transactional.init();
    const transaction = { transactionalId: transactional.id, groupId };
    const { producerId, producerEpoch } = producer;
    expect(await commitOffset(cluster, { ...transaction, producerId, producerEpoch }, topic)).toBe(0);
    expect(await fetchOffset(cluster, groupId, topic, false)).toMatchObject({ errorCode: 0, committedOffset: -1n });
    const unstable = { errorCode: code("UNSTABLE_OFFSET_COMMIT"), committedOffset: -1n };
    expect(await fetchOffset(cluster, groupId, topic, true)).toMatchObject(unstable);
    expect(await transactional.end(producer, true)).toMatchObject({ errorCode: 0 });
    const after = await cluster.eventually(
      () => fetchOffset(cluster, groupId, topic, true),
      (answer) => answer?.errorCode === 0,
    );
    expect(after).toMatchObject({ errorCode: 0, committedOffset: 5n, metadata: "note" });
  }),

  kafka("offsets in an aborted transaction never counted", async (cluster) => {
    const topic = await cluster.topic();
    const groupId = newName();
    const transactional = await Transactional.of(cluster);
    const { producerId, producerEpoch } = await transactional.init();
    const producer = { producerId, producerEpoch };
    const transaction = { transactionalId: transactional.id, groupId, ...producer };
    expect(await commitOffset(cluster, transaction, topic, 4)).toBe(code("TRANSACTION_ABORTABLE"));
    expect(await transactional.addOffsets(producer, groupId)).toMatchObject({ errorCode: 0 });
    expect(await commitOffset(cluster, transaction, topic, 4)).toBe(0);
    expect(await transactional.end(producer, false, 4)).toMatchObject({ errorCode: 0 });
    const after = await cluster.eventually(
      () => fetchOffset(cluster, groupId, topic, true),
      (answer) => answer?.errorCode === 0,
    );
    expect(after).toMatchObject({ errorCode: 0, committedOffset: -1n });
    // A member that the group does not have may not commit for it.
    const member = { ...transaction, generationId: 3, memberId: "nobody" };
    expect(await commitOffset(cluster, member, topic)).toBe(code("UNKNOWN_MEMBER_ID"));
  }),
];
