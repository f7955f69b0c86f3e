/** That a member holds a partition, as it says itself. */
export interface Claim<M> {
  readonly member: M;
  readonly generationId: number;
}

/**
 * Whose the partition is: who claims it in the newest generation. A claim of an older one is of a member that missed a
 * rebalance. Where two claim it in the same generation neither can be believed, and it is nobody's.
 */
export function ownerOf<M>(claims: readonly Claim<M>[]): M | null {
  return newest(claims).owner;
}

/** Who comes next, of those that missed a rebalance. */
export function formerOwner<M>(claims: readonly Claim<M>[]): M | null {
  const { generationId } = newest(claims);
  return newest(claims.filter((claim) => claim.generationId < generationId)).owner;
}

function newest<M>(claims: readonly Claim<M>[]): { readonly generationId: number; readonly owner: M | null } {
  const generationId = claims.reduce((highest, claim) => Math.max(highest, claim.generationId), -Infinity);
  const [first, ...others] = claims.filter((claim) => claim.generationId === generationId);
  // A member may name a partition twice.
  const isSole = first !== undefined && others.every(({ member }) => member === first.member);
  return { generationId, owner: isSole ? first.member : null };
}
