import { OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError, type KafkaError } from "@odradek/protocol";
import { DescribeTransactions } from "@odradek/protocol/messages/describe-transactions";
import { ListTransactions } from "@odradek/protocol/messages/list-transactions";
import { WriteTxnMarkers } from "@odradek/protocol/messages/write-txn-markers";
import { checkedText, checkedTexts, isInt16, isInt32, isInt64, readPartition } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { brokerIds } from "./asking/cluster-metadata.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toBroker, toCoordinator, toLeader } from "./asking/routing.ts";
import { fenceProducers } from "./producers.ts";
import type { Results } from "./results.ts";

/** Source: Kafka's `TransactionState`. */
export type TransactionState =
  | "Ongoing"
  | "PrepareAbort"
  | "PrepareCommit"
  | "CompleteAbort"
  | "CompleteCommit"
  | "Empty"
  | "PrepareEpochFence"
  | "Unknown";

const states: readonly TransactionState[] = [
  "Ongoing",
  "PrepareAbort",
  "PrepareCommit",
  "CompleteAbort",
  "CompleteCommit",
  "Empty",
  "PrepareEpochFence",
];

const stateOf = (text: string): TransactionState => states.find((state) => state === text) ?? "Unknown";

export interface ListTransactionsOptions extends AdminCallOptions {
  /** Only transactions in one of these states. @default in any state */
  readonly states?: readonly TransactionState[];
  /** Only those of these producers. @default of any producer */
  readonly producerIds?: readonly (bigint | number)[];
  /** Only those that run for longer than this, ms (KIP-994, Kafka 3.8). @default all of them */
  readonly durationMs?: number;
  /** Only those whose id matches this regular expression of RE2 (KIP-1152, Kafka 4.1). @default all of them */
  readonly transactionalIdPattern?: string;
}

export interface TransactionListing {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly state: TransactionState;
}

/** Source: Kafka's `TransactionDescription`. */
export interface TransactionDescription extends TransactionListing {
  /** The broker that coordinates it. */
  readonly coordinatorId: number;
  readonly producerEpoch: number;
  readonly transactionTimeoutMs: number;
  /** When it was begun, ms since the epoch; `null` while none is open. */
  readonly transactionStartTimeMs: number | null;
  /** Partitions of the open transaction; while it is ending, those that still lack their marker. */
  readonly topicPartitions: readonly TopicPartition[];
}

/** A transaction that hangs, as `describeProducers` shows it. Source: Kafka's `AbortTransactionSpec`. */
export interface HangingTransaction extends TopicPartition {
  readonly producerId: bigint | number;
  readonly producerEpoch: number;
  /** `null` where no coordinator has ended a transaction there yet. */
  readonly coordinatorEpoch: number | null;
}

/** See `KafkaAdmin.listTransactions`. */
export async function listTransactions(
  context: AdminContext,
  options: ListTransactionsOptions,
): Promise<Results<readonly TransactionListing[], number>> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const stateFilters = reader.items("states", [], isState, `one of ${states.join(", ")}`);
  const producerIds = reader.items("producerIds", [], isInt64, "the id of a producer");
  const durationMs = reader.value("durationMs", null, isMsOrNull, "a whole number of at least 0");
  const pattern = reader.string("transactionalIdPattern", null);
  reader.finish();
  const ids = await askOne(call, "the brokers of the cluster", () => brokerIds(call));
  const oldest = pattern !== null ? patternSince : durationMs !== null ? durationSince : 0;
  const body = (version: number) => ({
    stateFilters: [...stateFilters],
    producerIdFilters: producerIds.map(BigInt),
    ...(version < durationSince || durationMs === null ? {} : { durationFilter: BigInt(durationMs) }),
    ...(version < patternSince || pattern === null ? {} : { transactionalIdPattern: pattern }),
  });
  return askAll(call, {
    keys: ids,
    textOf: String,
    routing: toBroker((id) => id),
    ask: async (_, whom) => {
      const { errorCode, transactionStates } = await call.request(ListTransactions, body, whom, { oldest });
      if (errorCode !== 0) throw new BrokerError(errorCode, `listing transactions of broker ${whom}`);
      const listings = transactionStates.map(({ transactionalId, producerId, transactionState }) => ({
        transactionalId,
        producerId,
        state: stateOf(transactionState),
      }));
      return new Map([[String(whom), listings]]);
    },
  });
}

const durationSince = 1;
const patternSince = 2;

const isState = (value: unknown): value is TransactionState => states.some((state) => state === value);
const isMsOrNull = (value: unknown): value is number | null =>
  value === null || (isInt64(value) && typeof value === "number" && value >= 0);

/** See `KafkaAdmin.describeTransactions`. */
export async function describeTransactions(
  context: AdminContext,
  given: readonly string[],
  options: AdminCallOptions,
): Promise<Results<TransactionDescription>> {
  const keys = checkedTexts("transactionalIds", given, "a transactional id");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys,
    textOf: String,
    routing: toCoordinator("transaction", (id) => id),
    ask: async (transactionalIds, whom) => {
      const { transactionStates } = await call.request(DescribeTransactions, { transactionalIds }, whom);
      return new Map(
        transactionStates.map((told): [string, TransactionDescription | KafkaError] => {
          const { transactionalId, errorCode, transactionStartTimeMs } = told;
          const about = `describing the transaction of ${transactionalId}`;
          if (errorCode !== 0) return [transactionalId, new BrokerError(errorCode, about)];
          const description = {
            transactionalId,
            producerId: told.producerId,
            state: stateOf(told.transactionState),
            coordinatorId: Number(whom),
            producerEpoch: told.producerEpoch,
            transactionTimeoutMs: told.transactionTimeoutMs,
            transactionStartTimeMs: transactionStartTimeMs < 0n ? null : Number(transactionStartTimeMs),
            topicPartitions: told.topics.flatMap(({ topic, partitions }) =>
              partitions.map((partition) => ({ topic, partition })),
            ),
          };
          return [transactionalId, description];
        }),
      );
    },
  });
}

/** See `KafkaAdmin.abortTransaction`. */
export async function abortTransaction(
  context: AdminContext,
  given: HangingTransaction,
  options: AdminCallOptions,
): Promise<void> {
  const { at, producerId, producerEpoch, coordinatorEpoch } = checkedTransaction(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const marker = {
    producerId,
    producerEpoch,
    transactionResult: false,
    topics: [{ name: at.topic, partitionIndexes: [at.partition] }],
    coordinatorEpoch,
  };
  const results = await askAll(call, {
    keys: [at],
    textOf: partitionText,
    routing: toLeader(),
    ask: async (_, whom) => {
      const { markers } = await call.request(WriteTxnMarkers, { markers: [marker] }, whom);
      const about = `aborting the transaction of producer ${producerId} in ${partitionText(at)}`;
      return new Map(
        markers
          .flatMap(({ topics }) => topics)
          .flatMap(({ name: topic, partitions }) =>
            partitions.map(({ partitionIndex: partition, errorCode }): [string, TopicPartition | KafkaError] => [
              partitionText({ topic, partition }),
              errorCode === 0 ? at : new BrokerError(errorCode, about),
            ]),
          ),
      );
    },
  });
  results.orThrow();
}

function checkedTransaction(given: HangingTransaction) {
  const reader = new OptionReader(given, "transaction");
  const checked = {
    at: readPartition(reader),
    producerId: BigInt(reader.required("producerId", isInt64, "a whole number")),
    producerEpoch: reader.required("producerEpoch", isInt16, "a whole number from 0 to 32767"),
    // What a transaction is ended with that never had a coordinator.
    coordinatorEpoch: reader.value("coordinatorEpoch", 0, isInt32, "a whole number of at least 0, or null"),
  };
  reader.finish();
  return checked;
}

/** See `KafkaAdmin.forceTerminateTransaction`. */
export async function forceTerminateTransaction(
  context: AdminContext,
  transactionalId: string,
  options: AdminCallOptions,
): Promise<void> {
  const id = checkedText("transactionalId", transactionalId, "a transactional id");
  (await fenceProducers(context, [id], options)).orThrow();
}
