import type { TopicPartition } from "@odradek/network";

/** How members give up partitions: `eager` all of them before they join anew, `cooperative` only those that go to others (KIP-429). */
export type RebalanceProtocol = "eager" | "cooperative";

/** What one member of a group says of itself as it joins. Source: Kafka's `ConsumerPartitionAssignor.Subscription`. */
export interface MemberSubscription {
  readonly memberId: string;
  /** Of a static member, else `null`. */
  readonly groupInstanceId: string | null;
  /** In the order of their names. */
  readonly topics: readonly string[];
  /** What it holds as it joins. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** The generation in which it was given those; -1 where it does not say. */
  readonly generationId: number;
  readonly rackId: string | null;
  /** What the assignor of that member had to say, `null` for nothing. */
  readonly userData: Uint8Array | null;
}

/** One partition that is there to be assigned. */
export interface AssignablePartition extends TopicPartition {
  /** The racks that its replicas are in; empty where that is not known. */
  readonly racks: readonly string[];
}

/** The partitions of each topic that members subscribed to, by number. Topics that do not exist are missing. */
export type AssignableTopics = ReadonlyMap<string, readonly AssignablePartition[]>;

/** What one member is to read. */
export interface MemberAssignment {
  readonly memberId: string;
  readonly partitions: readonly TopicPartition[];
  /** For the assignor of that member alone. @default null */
  readonly userData?: Uint8Array | null;
}

/** What this member was last given. */
export interface LastAssignment {
  readonly partitions: readonly TopicPartition[];
  readonly generationId: number;
  readonly userData: Uint8Array | null;
}

/**
 * Decides which member of a group reads what. The members agree on one that all of them have; the coordinator makes one of them
 * the leader, and `assign` runs there. It keeps no state, so that consumers may share it.
 * Source: Kafka's `ConsumerPartitionAssignor`.
 */
export interface ConsumerPartitionAssignor {
  /** What members know it by; all members of a group must mean the same by it. */
  readonly name: string;
  /** @default ["eager"] */
  readonly protocols?: readonly RebalanceProtocol[];
  /**
   * Assigns every partition to at most one member, of those that subscribed to its topic.
   *
   * @param members in the order of their ids
   * @returns the assignment of each member; one that is missing gets nothing
   */
  assign(topics: AssignableTopics, members: readonly MemberSubscription[]): readonly MemberAssignment[];
  /** What this member tells `assign` where that needs to know more. @param last `null` before the first assignment */
  userData?(last: LastAssignment | null): Uint8Array | null;
}

/** The best protocol that all of them have; `null` where there is none. */
export function commonProtocol(
  assignors: readonly Pick<ConsumerPartitionAssignor, "name" | "protocols">[],
): RebalanceProtocol | null {
  const have = (protocol: RebalanceProtocol) =>
    assignors.every(({ protocols = ["eager"] }) => protocols.includes(protocol));
  if (have("cooperative")) return "cooperative";
  return have("eager") ? "eager" : null;
}
