import { groupedBy } from "../grouping.ts";
import { Proposal } from "./proposal.ts";
import { returnInCircles } from "./return-in-circles.ts";
import type { StickyGroup, StickyMember, StickyPartition } from "./sticky-group.ts";
import { type Subscribers, subscribersByTopic } from "./subscribers.ts";

/**
 * The case in which members subscribed to different topics. Members keep what they have; what is left goes to the least loaded of
 * those who may read it. Then partitions move, those that were nobody's first, as long as one can move to a member with at least
 * two fewer.
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
  do balance.level(() => true);
  while (returnInCircles(kept));
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
    const choice = ({ topic }: StickyPartition): number => this.#subscribers.get(topic)?.count ?? 0;
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

  /**
   * Moves partitions, the most loaded members giving first, until no move makes loads more even. Each makes the sum of their
   * squares smaller, so that there is an end to it.
   */
  level(isMovable: (partition: StickyPartition) => boolean): void {
    const movable = this.#partitions.filter(isMovable);
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
    const queues = new Set([...member.topics].map((topic) => this.#subscribers.get(topic)));
    for (const queue of queues) queue?.lowered(member);
    return true;
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
