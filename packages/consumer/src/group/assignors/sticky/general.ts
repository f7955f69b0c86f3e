import { groupedBy } from "../grouping.ts";
import { moveAlongChains } from "./chains.ts";
import { Proposal } from "./proposal.ts";
import { returnInCircles } from "./return-in-circles.ts";
import type { StickyGroup, StickyMember, StickyPartition } from "./sticky-group.ts";
import { type Subscribers, subscribersByTopic } from "./subscribers.ts";

/**
 * The case in which members subscribed to different topics. Members keep what they have; what is left goes to the least loaded of
 * those who may read it. Then partitions move, those that were nobody's first, until loads are as even as subscriptions allow.
 */
export function assignGenerally(group: StickyGroup): void {
  const staying = propose(group, () => true);
  if (group.members.every(({ rack }) => rack === null)) return;
  const nearing = propose(group, (partition, owner) => partition.isNear(owner));
  if (!nearing.isBetterThan(staying)) staying.apply();
}

/** @param isKept which of its partitions an owner keeps, as far as the balance allows */
function propose(
  { members, partitions }: StickyGroup,
  isKept: (partition: StickyPartition, owner: StickyMember) => boolean,
): Proposal {
  for (const partition of partitions) partition.giveTo(null);
  const kept = new Map<StickyPartition, StickyMember>();
  for (const partition of partitions) {
    const { owner, topic } = partition;
    if (owner === null || !owner.topics.has(topic) || !isKept(partition, owner)) continue;
    partition.giveTo(owner);
    kept.set(partition, owner);
  }
  const balance = new Balance(members, partitions);
  balance.placeOpen();
  balance.level((partition) => !kept.has(partition));
  balance.level(() => true);
  returnInCircles(kept);
  return new Proposal(members, partitions);
}

class Balance {
  readonly #members: readonly StickyMember[];
  readonly #subscribers: ReadonlyMap<string, Subscribers>;
  /** First those that the fewest members may read: they have the least choice. */
  readonly #partitions: readonly StickyPartition[];

  constructor(members: readonly StickyMember[], partitions: readonly StickyPartition[]) {
    this.#members = members;
    this.#subscribers = subscribersByTopic(members);
    const choice = ({ topic }: StickyPartition): number => this.#subscribers.get(topic)?.members.length ?? 0;
    this.#partitions = [...partitions].sort((a, b) => choice(a) - choice(b));
  }

  /** Gives each partition that nobody has to the least loaded member, where possible to one nearby. */
  placeOpen(): void {
    const open = this.#partitions.filter(({ reader }) => reader === null);
    for (const partition of open)
      partition.giveTo(this.#subscribers.get(partition.topic)?.leastNear(partition) ?? null);
    const far = open.filter(({ reader }) => reader === null);
    for (const partition of far) partition.giveTo(this.#subscribers.get(partition.topic)?.least() ?? null);
  }

  /** Moves partitions until no move, and no chain of moves, makes loads more even. */
  level(isMovable: (partition: StickyPartition) => boolean): void {
    const movable = this.#partitions.filter(isMovable);
    this.#moveOneByOne(movable);
    const relieved = moveAlongChains(this.#members, movable, ({ topic }) => this.#subscribers.get(topic));
    for (const member of new Set(relieved)) this.#lowered(member);
  }

  /** The most loaded members give first. Each move makes the sum of the squares of loads smaller, so that there is an end to it. */
  #moveOneByOne(movable: readonly StickyPartition[]): void {
    let hasMoved = true;
    while (hasMoved) {
      hasMoved = false;
      const read = groupedBy(movable, ({ reader }) => reader);
      for (const member of [...this.#members].sort((a, b) => b.load - a.load)) {
        if (this.#relieve(member, read.get(member) ?? [])) hasMoved = true;
      }
    }
  }

  #relieve(member: StickyMember, partitions: readonly StickyPartition[]): boolean {
    const { load } = member;
    for (const partition of partitions) {
      const target = this.#lighter(partition, member.load - 1);
      if (target !== undefined) partition.giveTo(target);
    }
    if (member.load === load) return false;
    this.#lowered(member);
    return true;
  }

  #lowered(member: StickyMember): void {
    for (const queue of new Set([...member.topics].map((topic) => this.#subscribers.get(topic))))
      queue?.lowered(member);
  }

  /** Who has less than `load`: rather the one whose it was before, or one nearby. */
  #lighter(partition: StickyPartition, load: number): StickyMember | undefined {
    const { formerOwner, topic } = partition;
    if (formerOwner !== null && formerOwner.load < load && formerOwner.topics.has(topic)) return formerOwner;
    const subscribers = this.#subscribers.get(topic);
    return [subscribers?.leastNear(partition), subscribers?.least()].find(
      (each) => each !== undefined && each.load < load,
    );
  }
}
