/** What decides the place of a member among the others. */
interface Identity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/**
 * Static members first, by instance id, then the others by member id: the coordinator makes up member ids anew when clients
 * restart, instance ids stay. Source: Kafka's `AbstractPartitionAssignor.MemberInfo`.
 */
export function byInstanceThenMemberId(a: Identity, b: Identity): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null)
    return compareText(a.groupInstanceId, b.groupInstanceId);
  if (a.groupInstanceId !== null) return -1;
  if (b.groupInstanceId !== null) return 1;
  return compareText(a.memberId, b.memberId);
}

export const byMemberId = (a: Identity, b: Identity): number => compareText(a.memberId, b.memberId);

/** By UTF-16 units, as Java compares: whoever leads the group, the order is the same. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
