import { codeOf } from "@odradek/protocol";
import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { handler, type RequestContext } from "../request-context.ts";

/** Replicas share their logs, so that a partition has moved as soon as it was told to. */
export const alterPartitionReassignments = handler({
  api: AlterPartitionReassignments,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, responses: [] }),
  handle: ({ topics, allowReplicationFactorChange }, context) => ({
    throttleTimeMs: 0,
    allowReplicationFactorChange,
    errorCode: 0,
    errorMessage: null,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas }) => ({
        partitionIndex,
        ...moved(name, partitionIndex, replicas, allowReplicationFactorChange, context),
      })),
    })),
  }),
});

const refused = (name: Parameters<typeof codeOf>[0], errorMessage: string | null) => ({
  errorCode: codeOf(name),
  errorMessage,
});

function moved(
  topic: string,
  index: number,
  replicas: readonly number[] | null,
  mayChangeFactor: boolean,
  { cluster }: RequestContext,
): { errorCode: number; errorMessage: string | null } {
  const partition = cluster.topics.partition(topic, index);
  if (partition === undefined) return refused("UNKNOWN_TOPIC_OR_PARTITION", null);
  if (replicas === null) return refused("NO_REASSIGNMENT_IN_PROGRESS", null);
  if (replicas.length === 0) {
    const reason = "The manual partition assignment includes an empty replica list.";
    return refused("INVALID_REPLICA_ASSIGNMENT", reason);
  }
  if (new Set(replicas).size !== replicas.length) {
    const reason = `The manual partition assignment includes the broker ${replicas.find((id, at) => replicas.indexOf(id) !== at)} more than once.`;
    return refused("INVALID_REPLICA_ASSIGNMENT", reason);
  }
  const unknown = replicas.find((id) => cluster.broker(id) === undefined);
  if (unknown !== undefined) {
    const reason = `The manual partition assignment includes broker ${unknown}, but no such broker is registered.`;
    return refused("INVALID_REPLICA_ASSIGNMENT", reason);
  }
  if (!mayChangeFactor && replicas.length !== partition.replicas.length) {
    const reason = `The replication factor is changed from ${partition.replicas.length} to ${replicas.length}`;
    return refused("INVALID_REPLICATION_FACTOR", reason);
  }
  partition.reassign(replicas, (id) => cluster.isAlive(id));
  return { errorCode: 0, errorMessage: null };
}
