import type { AssignablePartition, MemberSubscription } from "../partition-assignor.ts";

/** The rack of a member; an empty one says nothing. */
export const rackOf = ({ rackId }: MemberSubscription): string | null => (rackId === "" ? null : rackId);

/**
 * Whether it matters which member reads what: some partition has a replica in the rack of a member, and not every partition has
 * one in every rack. Source: KIP-881.
 */
export function isRackAware(memberRacks: Iterable<string | null>, partitions: readonly AssignablePartition[]): boolean {
  const wanted = new Set(memberRacks);
  wanted.delete(null);
  if (wanted.size === 0) return false;
  const all = new Set(partitions.flatMap(({ racks }) => racks));
  return (
    [...wanted].some((rack) => rack !== null && all.has(rack)) &&
    partitions.some((partition) => isPartial(partition, all))
  );
}

const isPartial = ({ racks }: AssignablePartition, all: ReadonlySet<string>): boolean => new Set(racks).size < all.size;
