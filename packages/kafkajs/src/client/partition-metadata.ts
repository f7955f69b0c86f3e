import type { PartitionSnapshot } from "odradek";
import type { PartitionMetadata } from "../partitioners/partitioner.ts";

/** A partition as partitioners and assigners see it. */
export const partitionMetadataOf = (snapshot: PartitionSnapshot): PartitionMetadata => ({
  partitionErrorCode: snapshot.errorCode,
  partitionId: snapshot.partition,
  leader: snapshot.leaderId ?? -1,
  replicas: [...snapshot.replicaIds],
  isr: [...snapshot.inSyncReplicaIds],
  offlineReplicas: [...snapshot.offlineReplicaIds],
});
