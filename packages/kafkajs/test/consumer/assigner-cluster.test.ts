import type { PartitionSnapshot } from "odradek";
import { expect, test } from "vitest";
import { AssignerCluster } from "../../src/consumer/assigner-cluster.ts";

const partition = (number: number, leaderId: number | null): PartitionSnapshot => ({
  topic: "t",
  partition: number,
  errorCode: leaderId === null ? 5 : 0,
  leaderId,
  leaderEpoch: 1,
  replicaIds: [1, 2],
  inSyncReplicaIds: [1],
  offlineReplicaIds: [2],
});

test("knows nothing before anything is learned, and then what partitions there are", () => {
  const cluster = new AssignerCluster();
  expect(cluster.findTopicPartitionMetadata("t")).toEqual([]);
  const partitions = [partition(0, 1), partition(1, null), partition(2, 1)];
  cluster.learn(new Map([["t", { name: "t", id: "x", isInternal: false, partitions }]]));
  expect(cluster.findTopicPartitionMetadata("t")[1]).toEqual({
    partitionErrorCode: 5,
    partitionId: 1,
    leader: -1,
    replicas: [1, 2],
    isr: [1],
    offlineReplicas: [2],
  });
  expect(cluster.findTopicPartitionMetadata("other")).toEqual([]);
  expect(cluster.findLeaderForPartitions("t", [0, 1, 2])).toEqual({ "1": [0, 2] });
});
