import { OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { DescribeProducers } from "@odradek/protocol/messages/describe-producers";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { checkedPartitions, checkedTexts, isInt32 } from "./asking/arguments.ts";
import { byPartition, topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { type Answers, askAll, askParts } from "./asking/fan-out.ts";
import { toBroker, toCoordinator, toLeader } from "./asking/routing.ts";
import type { Results } from "./results.ts";

export interface DescribeProducersOptions extends AdminCallOptions {
  /** The replica that is asked; a broker without one says `NOT_LEADER_OR_FOLLOWER`. @default the leader of each partition */
  readonly brokerId?: number;
}

/** A producer that a partition remembers. Source: Kafka's `ProducerState`. */
export interface ProducerState {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Of its last batch; `null` before the first. */
  readonly lastSequence: number | null;
  /** Of its last batch, ms since the epoch; `null` before the first. */
  readonly lastTimestamp: number | null;
  /** Of the coordinator that last ended a transaction here; `null` where none has. */
  readonly coordinatorEpoch: number | null;
  /** Where its open transaction begins; `null` while none is open. */
  readonly currentTransactionStartOffset: bigint | null;
}

export interface PartitionProducers extends TopicPartition {
  readonly activeProducers: readonly ProducerState[];
}

/** A transactional id whose producers were fenced. */
export interface FencedProducer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  /** Higher than that of whoever used the id before. */
  readonly producerEpoch: number;
}

/** See `KafkaAdmin.describeProducers`. */
export async function describeProducers(
  context: AdminContext,
  given: readonly TopicPartition[],
  options: DescribeProducersOptions,
): Promise<Results<PartitionProducers, TopicPartition>> {
  const partitions = checkedPartitions("partitions", given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const brokerId = reader.value("brokerId", null, isIdOrNull, "the id of a broker");
  reader.finish();
  return askAll<TopicPartition, PartitionProducers>(call, {
    keys: partitions,
    textOf: partitionText,
    routing: brokerId === null ? toLeader() : toBroker(() => brokerId),
    // A broker that was named is asked whether it leads or not, and nobody else instead.
    isFinal: ({ code }) => brokerId !== null && code === "NOT_LEADER_OR_FOLLOWER",
    ask: async (some, whom) => {
      const topics = topicsOf(some, (name, all) => ({
        name,
        partitionIndexes: all.map(({ partition }) => partition),
      }));
      const response = await call.request(DescribeProducers, { topics }, whom);
      return byPartition(
        response.topics,
        ({ name }) => name,
        ({ partitions: all }) => all,
        (at, { errorCode, errorMessage, activeProducers }) =>
          errorCode === 0
            ? { ...at, activeProducers: activeProducers.map(toState) }
            : new BrokerError(errorCode, `producers of ${partitionText(at)}`, errorMessage),
      );
    },
  });
}

const isIdOrNull = (value: unknown): value is number | null => value === null || isInt32(value);

interface ProducerAnswer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: bigint;
  readonly coordinatorEpoch: number;
  readonly currentTxnStartOffset: bigint;
}

const toState = (producer: ProducerAnswer): ProducerState => ({
  producerId: producer.producerId,
  producerEpoch: producer.producerEpoch,
  lastSequence: producer.lastSequence < 0 ? null : producer.lastSequence,
  lastTimestamp: producer.lastTimestamp < 0n ? null : Number(producer.lastTimestamp),
  coordinatorEpoch: producer.coordinatorEpoch < 0 ? null : producer.coordinatorEpoch,
  currentTransactionStartOffset: producer.currentTxnStartOffset < 0n ? null : producer.currentTxnStartOffset,
});

/** See `KafkaAdmin.fenceProducers`. */
export async function fenceProducers(
  context: AdminContext,
  given: readonly string[],
  options: AdminCallOptions,
): Promise<Results<FencedProducer>> {
  const transactionalIds = checkedTexts("transactionalIds", given, "a transactional id");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys: transactionalIds,
    textOf: String,
    routing: toCoordinator("transaction", (id) => id),
    ask: async (ids, whom) => {
      const fence = async (transactionalId: string): Promise<Answers<FencedProducer>> => {
        // No transaction is begun with it, yet the coordinator gives its own write to the log no more time (KAFKA-16570).
        const transactionTimeoutMs = Math.max(1, call.brokerTimeoutMs);
        const response = await call.request(InitProducerId, { transactionalId, transactionTimeoutMs }, whom);
        const { errorCode, producerId, producerEpoch } = response;
        const about = `fencing the producers of ${transactionalId}`;
        const fenced = { transactionalId, producerId, producerEpoch };
        return new Map([[transactionalId, errorCode === 0 ? fenced : new BrokerError(errorCode, about)]]);
      };
      return askParts(
        call,
        ids.map((id) => ({ texts: () => [id], ask: () => fence(id) })),
      );
    },
  });
}
