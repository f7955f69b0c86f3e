import { OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { ListPartitionReassignments } from "@odradek/protocol/messages/list-partition-reassignments";
import { checkedKeys, checkedPartitions, isReplicas, readPartition } from "./asking/arguments.ts";
import { byPartition, topicsOf } from "./asking/by-topic.ts";
import { type AdminContext, OperationCall, type OperationOptions } from "./asking/call.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toController } from "./asking/routing.ts";
import type { Results } from "./results.ts";

/** Where the replicas of a partition are to be. Source: Kafka's `NewPartitionReassignment`. */
export interface NewPartitionReassignment extends TopicPartition {
  /** Broker ids, the preferred leader first; `null`, which has to be stated, calls off a move that is under way. */
  readonly replicaIds: readonly number[] | null;
}

/** A partition whose replicas are on the move. Source: Kafka's `PartitionReassignment`. */
export interface PartitionReassignment extends TopicPartition {
  /** Ids of all brokers that hold it right now, those that come and those that go included. */
  readonly replicaIds: readonly number[];
  readonly addingReplicaIds: readonly number[];
  readonly removingReplicaIds: readonly number[];
}

export interface AlterReassignmentsOptions extends OperationOptions {
  /** Whether there may be more replicas, or fewer, than before; `false` needs Kafka 4.1 (KIP-860). @default true */
  readonly allowReplicationFactorChange?: boolean;
}

/** See `KafkaAdmin.alterPartitionReassignments`. */
export async function alterPartitionReassignments(
  context: AdminContext,
  given: readonly NewPartitionReassignment[],
  options: AlterReassignmentsOptions,
): Promise<Results<TopicPartition, TopicPartition>> {
  const reassignments = checkedKeys("reassignments", given, checkedReassignment, partitionText);
  const reader = new OptionReader(options);
  const call = new OperationCall(context, reader);
  const allowReplicationFactorChange = reader.boolean("allowReplicationFactorChange", true);
  reader.finish();
  const targets = new Map(reassignments.map((one) => [partitionText(one), one.replicaIds]));
  return askAll<TopicPartition, TopicPartition>(call, {
    keys: reassignments.map(({ topic, partition }): TopicPartition => ({ topic, partition })),
    textOf: partitionText,
    routing: toController(),
    doneBefore: new Set(["NO_REASSIGNMENT_IN_PROGRESS"]),
    ask: async (partitions, whom) => {
      const body = {
        timeoutMs: call.operationTimeoutMs,
        allowReplicationFactorChange,
        topics: topicsOf(partitions, (name, all) => ({
          name,
          partitions: all.map((at) => ({
            partitionIndex: at.partition,
            replicas: targets.get(partitionText(at)) ?? null,
          })),
        })),
      };
      const bounds = allowReplicationFactorChange ? {} : { oldest: factorChangeSince };
      const response = await call.request(AlterPartitionReassignments, body, whom, bounds);
      if (response.errorCode !== 0) {
        throw new BrokerError(response.errorCode, "AlterPartitionReassignments", response.errorMessage);
      }
      return byPartition(response.responses, nameOf, partitionsOf, (at, { errorCode, errorMessage }) =>
        errorCode === 0 ? at : new BrokerError(errorCode, `moving replicas of ${partitionText(at)}`, errorMessage),
      );
    },
  });
}

/** The first version in which the number of replicas may be kept. */
const factorChangeSince = 1;

const nameOf = ({ name }: { readonly name: string }): string => name;
const partitionsOf = <P>({ partitions }: { readonly partitions: readonly P[] }): readonly P[] => partitions;

function checkedReassignment(given: NewPartitionReassignment, path: string): NewPartitionReassignment {
  const reader = new OptionReader(given, path);
  const checked = {
    ...readPartition(reader),
    replicaIds: reader.required("replicaIds", isReplicasOrNull, "an array of broker ids, or null to call off a move"),
  };
  reader.finish();
  return checked;
}

const isReplicasOrNull = (value: unknown): value is readonly number[] | null => value === null || isReplicas(value);

/** See `KafkaAdmin.listPartitionReassignments`. */
export async function listPartitionReassignments(
  context: AdminContext,
  given: readonly TopicPartition[] | null,
  options: OperationOptions,
): Promise<PartitionReassignment[]> {
  const partitions = given === null ? null : checkedPartitions("partitions", given);
  const reader = new OptionReader(options);
  const call = new OperationCall(context, reader);
  reader.finish();
  const topics =
    partitions === null
      ? null
      : topicsOf(partitions, (name, all) => ({ name, partitionIndexes: all.map(({ partition }) => partition) }));
  const ask = async () => {
    const body = { timeoutMs: call.operationTimeoutMs, topics };
    const response = await call.request(ListPartitionReassignments, body, "controller");
    if (response.errorCode === 0) return response;
    throw new BrokerError(response.errorCode, "ListPartitionReassignments", response.errorMessage);
  };
  const { topics: moving } = await askOne(call, "ListPartitionReassignments", ask, {
    routing: toController(),
  });
  return moving.flatMap(({ name: topic, partitions: all }) =>
    all.map(({ partitionIndex: partition, replicas, addingReplicas, removingReplicas }) => ({
      topic,
      partition,
      replicaIds: replicas,
      addingReplicaIds: addingReplicas,
      removingReplicaIds: removingReplicas,
    })),
  );
}
