import type { TopicSnapshot } from "@odradek/network";
import type { ConsumerPartitionAssignor } from "./partition-assignor.ts";

/** One member of a group, and what it says of itself. */
export interface RawMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

/** What one member is to read, as bytes that each of the members can read as Kafka's `ConsumerProtocolAssignment`. */
export interface RawAssignment {
  readonly memberId: string;
  readonly assignment: Uint8Array;
}

/**
 * An assignor that writes by itself what members say of themselves and what they are given: for groups with members of other clients,
 * which have bytes of their own there. What it gives is passed on as it is; a member leaves out what it did not subscribe to.
 */
export interface RawPartitionAssignor {
  /** What members know it by; all members of a group must mean the same by it. */
  readonly name: string;
  /** @default ["eager"], the only one: these bytes say nothing of what members hold */
  readonly protocols?: readonly ["eager"];
  /** What this member says of itself as it joins. @param topics those that it subscribed to */
  metadata(topics: readonly string[]): Uint8Array;
  /** The topics that a member subscribed to, by what it says of itself: the leader asks the cluster about these, and watches them. */
  topicsOf(metadata: Buffer): readonly string[];
  /**
   * Decides for all members, where this one is the leader. The group waits for it.
   *
   * @param topics the ones that members subscribed to; those that do not exist are missing
   * @param members in the order of their ids
   * @returns the assignment of each member; one that is missing gets nothing
   */
  assignRaw(
    topics: ReadonlyMap<string, TopicSnapshot>,
    members: readonly RawMember[],
  ): readonly RawAssignment[] | Promise<readonly RawAssignment[]>;
}

/** Whatever decides for a group. */
export type AnyPartitionAssignor = ConsumerPartitionAssignor | RawPartitionAssignor;

export const isRaw = (assignor: AnyPartitionAssignor): assignor is RawPartitionAssignor => "assignRaw" in assignor;
