import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  LastAssignment,
  MemberAssignment,
  MemberSubscription,
  RebalanceProtocol,
} from "../partition-assignor.ts";
import { distribute } from "./sticky/distribution.ts";
import { StickyGroup } from "./sticky/sticky-group.ts";

const protocols: readonly RebalanceProtocol[] = Object.freeze(["cooperative", "eager"]);

/**
 * Balances as `stickyAssignor` does, in rebalances that stop nothing but what moves: a partition that changes hands is given to
 * nobody at first, the member that has it gives it up and joins anew, and the next round gives it to its new reader. All others are
 * read on without a pause.
 *
 * The one to choose for a new group. A group with an eager assignor changes over in two rolling restarts: in the first, members
 * have both assignors, in the second this one alone.
 * Source: KIP-429, Kafka's `CooperativeStickyAssignor`.
 */
export const cooperativeStickyAssignor: ConsumerPartitionAssignor = Object.freeze({
  name: "cooperative-sticky",
  protocols,
  assign,
  userData,
});

function assign(topics: AssignableTopics, members: readonly MemberSubscription[]): readonly MemberAssignment[] {
  const group = new StickyGroup(topics, members, (member) => ({
    partitions: member.ownedPartitions,
    generationId: generationOf(member),
  }));
  distribute(group);
  return group.assignments(({ changesHands }) => changesHands);
}

const noGeneration = -1;

/** Subscriptions before version 2 have no generation: for those it is in the user data. */
function generationOf({ generationId, userData }: MemberSubscription): number {
  if (generationId >= 0 || userData === null || userData.length < 4) return generationId;
  return new DataView(userData.buffer, userData.byteOffset, userData.byteLength).getInt32(0);
}

function userData(last: LastAssignment | null): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(last?.generationId ?? noGeneration);
  return bytes;
}
