import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  LastAssignment,
  MemberAssignment,
  MemberSubscription,
} from "../partition-assignor.ts";
import { distribute } from "./sticky/distribution.ts";
import { decodePreviousAssignment, encodePreviousAssignment } from "./sticky/previous-assignment.ts";
import { StickyGroup } from "./sticky/sticky-group.ts";

/**
 * Balances as well as subscriptions allow, and moves as few partitions as that takes. Each member tells the leader what it was
 * last given, in its user data.
 *
 * For groups that cannot rebalance cooperatively, because of members that know only eager rebalances: still all members give up
 * all partitions before each, and get most of them back. Else take `cooperativeStickyAssignor`. Where members have a `rackId`,
 * they get partitions with a replica in their rack as far as the balance allows (KIP-881).
 * Source: KIP-54, KIP-341, Kafka's `StickyAssignor`.
 */
export const stickyAssignor: ConsumerPartitionAssignor = Object.freeze({ name: "sticky", assign, userData });

function assign(topics: AssignableTopics, members: readonly MemberSubscription[]): readonly MemberAssignment[] {
  const group = new StickyGroup(topics, members, (member) => decodePreviousAssignment(member.userData));
  distribute(group);
  return group.assignments();
}

function userData(last: LastAssignment | null): Uint8Array | null {
  return last === null ? null : encodePreviousAssignment(last);
}
