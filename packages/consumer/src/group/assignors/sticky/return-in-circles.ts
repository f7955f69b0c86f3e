import { groupedBy } from "../grouping.ts";
import type { StickyMember, StickyPartition } from "./sticky-group.ts";

/**
 * Finds members that gave partitions away in a circle, a to b, b to c, c to a, and has each of them keep what it had: all have as
 * many as before, and nothing had to move.
 *
 * @param kept who had which partition to begin with
 * @returns whether there was a circle
 */
export function returnInCircles(kept: ReadonlyMap<StickyPartition, StickyMember>): boolean {
  const moved = [...kept].filter(([{ reader }, from]) => reader !== from);
  const taken = groupedBy(moved, ([{ reader }]) => reader);

  let hasReturned = false;
  // From a member to one that it took from, and so on: back to one on the way is a circle, a dead end is in none.
  for (const start of new Set(kept.values())) {
    const way: { readonly partition: StickyPartition; readonly by: StickyMember; readonly from: StickyMember }[] = [];
    const depths = new Map([[start, 0]]);
    let member = start;
    for (;;) {
      const step = taken.get(member)?.pop();
      if (step === undefined) {
        depths.delete(member);
        const back = way.pop();
        if (back === undefined) break;
        member = back.by;
        continue;
      }
      const [partition, from] = step;
      way.push({ partition, by: member, from });
      member = from;
      const depth = depths.get(from);
      if (depth === undefined) {
        depths.set(from, way.length);
        continue;
      }
      hasReturned = true;
      for (const circle of way.splice(depth)) {
        circle.partition.giveTo(circle.from);
        if (circle.by !== from) depths.delete(circle.by);
      }
    }
  }
  return hasReturned;
}
