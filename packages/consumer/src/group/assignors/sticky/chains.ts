import { groupedBy } from "../grouping.ts";
import type { StickyMember, StickyPartition } from "./sticky-group.ts";

/** Those who may read a partition: the same value for all partitions that the same members may read. */
export interface Readers {
  readonly members: readonly StickyMember[];
}

/**
 * Finds chains of members in which each could hand a partition on to the next, and the first has at least two more than the last;
 * has them do so, until there is none. Then no other assignment of these partitions has more even loads.
 *
 * @returns the members that have fewer than before
 */
export function moveAlongChains(
  members: readonly StickyMember[],
  movable: readonly StickyPartition[],
  readersOf: (partition: StickyPartition) => Readers | undefined,
): StickyMember[] {
  const relieved: StickyMember[] = [];
  for (let before = -1; before < relieved.length; ) {
    before = relieved.length;
    const read = groupedBy(movable, ({ reader }) => reader);
    const exhausted = new Set<StickyMember | Readers>();
    // The most loaded first: what does not lead from one of them to a lighter member does not lead from others either.
    for (const member of [...members].sort((a, b) => b.load - a.load)) {
      const chain = chainFrom(member, read, readersOf, exhausted);
      if (chain.length === 0) continue;
      for (const { partition, to } of chain) {
        read.set(
          partition.reader,
          (read.get(partition.reader) ?? []).filter((each) => each !== partition),
        );
        partition.giveTo(to);
        read.set(to, [...(read.get(to) ?? []), partition]);
      }
      relieved.push(member);
    }
  }
  return relieved;
}

interface Link {
  readonly partition: StickyPartition;
  readonly to: StickyMember;
}

/** The shortest chain from a member to one with two fewer, its end first. Where there is none, all that was tried is exhausted. */
function chainFrom(
  start: StickyMember,
  read: ReadonlyMap<StickyMember | null, readonly StickyPartition[]>,
  readersOf: (partition: StickyPartition) => Readers | undefined,
  exhausted: Set<StickyMember | Readers>,
): Link[] {
  if (exhausted.has(start)) return [];
  const reached = new Map<StickyMember, Link | null>([[start, null]]);
  const tried = new Set<Readers>();
  // The map grows while it is gone through.
  for (const member of reached.keys()) {
    for (const partition of read.get(member) ?? []) {
      const readers = readersOf(partition);
      if (readers === undefined || tried.has(readers) || exhausted.has(readers)) continue;
      tried.add(readers);
      for (const to of readers.members) {
        if (reached.has(to) || exhausted.has(to)) continue;
        const link: Link = { partition, to };
        reached.set(to, link);
        if (to.load + 1 < start.load) return linksBack(link, reached);
      }
    }
  }
  for (const each of [...reached.keys(), ...tried]) exhausted.add(each);
  return [];
}

function linksBack(last: Link, reached: ReadonlyMap<StickyMember, Link | null>): Link[] {
  const links: Link[] = [];
  for (let link: Link | null = last; link !== null; ) {
    links.push(link);
    const { reader }: StickyPartition = link.partition;
    link = reader === null ? null : (reached.get(reader) ?? null);
  }
  return links;
}
