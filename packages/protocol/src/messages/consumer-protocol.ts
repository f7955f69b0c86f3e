import { array, blob, bytes, int32, string } from "../schema.ts";

/**
 * What a consumer says about itself in JoinGroup's `protocols[].metadata`; the group's leader reads it to assign.
 * Versions: 1 owned partitions, for cooperative rebalances, 2 the generation in which it owned them, 3 rack.
 * A later version only ever adds fields at the end, so one that is newer than we know is read as the newest we know.
 * Source: ConsumerProtocolSubscription.json
 */
export const ConsumerProtocolSubscription = blob({
  name: "ConsumerProtocolSubscription",
  versions: [0, 3],
  fields: {
    topics: array(string),
    /** For the assignor alone; "sticky" keeps its previous assignment here. */
    userData: bytes.nullable().default(null),
    /** What the member holds as it joins. */
    ownedPartitions: array({ topic: string, partitions: array(int32) })
      .since(1)
      .ignorable(),
    /** Generation of `ownedPartitions`: the newest claim to a partition counts. -1 unknown. */
    generationId: int32.since(2).default(-1).ignorable(),
    /** Null when the consumer has no rack. */
    rackId: string.since(3).nullable().default(null).ignorable(),
  },
});

/**
 * What the leader gives to one member, in SyncGroup's `assignment`. All versions look the same.
 * Source: ConsumerProtocolAssignment.json
 */
export const ConsumerProtocolAssignment = blob({
  name: "ConsumerProtocolAssignment",
  versions: [0, 3],
  fields: {
    assignedPartitions: array({ topic: string, partitions: array(int32) }),
    /** For the assignor alone. */
    userData: bytes.nullable().default(null),
  },
});
