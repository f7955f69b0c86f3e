/** Who a member is in its group: a value that is replaced whenever any of it changes, so that an answer to another can be told. */
export interface MemberIdentity {
  /** "" until the coordinator has given one. */
  readonly memberId: string;
  /** Counts the rebalances of the group; -1 of one that has no place in it. */
  readonly generationId: number;
  /** Of a static member (KIP-345), else `null`. */
  readonly groupInstanceId: string | null;
}

/** Nobody in the group. Commits of a consumer that chose its partitions itself come from there. */
export const outsider = (groupInstanceId: string | null): MemberIdentity =>
  Object.freeze({ memberId: "", generationId: -1, groupInstanceId });

/** The same member without its place, which it asks for anew. */
export const displaced = ({ memberId, groupInstanceId }: MemberIdentity): MemberIdentity =>
  Object.freeze({ memberId, generationId: -1, groupInstanceId });

/** Whether it has a place in the group. */
export const hasPlace = ({ generationId }: MemberIdentity): boolean => generationId >= 0;
