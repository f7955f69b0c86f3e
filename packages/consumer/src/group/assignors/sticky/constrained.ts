import { RackRing } from "./rack-ring.ts";
import type { StickyGroup, StickyMember, StickyPartition } from "./sticky-group.ts";

/**
 * The case in which all members subscribed to the same topics. Then each gets the same number of partitions, the quota, and some
 * of them one more: members keep what they have up to that, and what is left goes to those who lack some. Nothing
 * is ever taken away for balance that could have stayed.
 */
export function assignConstrained({ members, partitions }: StickyGroup): void {
  const quotas = new Quotas(members, partitions.length);
  keepOwned(members, partitions, quotas);
  const open = partitions.filter(({ reader }) => reader === null);
  const filling = new Filling(members, quotas);
  filling.giveInTurn(filling.giveBack(filling.giveWithinRacks(byFewestNear(open, members))));
}

class Quotas {
  readonly quota: number;
  /** How many members may yet get one more than the quota. */
  extras: number;

  constructor(members: readonly StickyMember[], partitions: number) {
    this.quota = Math.floor(partitions / members.length);
    this.extras = partitions % members.length;
  }
}

/** Low numbers are kept rather than high ones: who gives up half of what it has keeps as much of each topic. */
function keepOwned(members: readonly StickyMember[], partitions: readonly StickyPartition[], quotas: Quotas): void {
  const owned = new Map(members.map((member) => [member, [] as StickyPartition[]] as const));
  for (const partition of [...partitions].sort((a, b) => a.partition - b.partition)) {
    const { owner } = partition;
    if (owner !== null && partition.isNear(owner)) owned.get(owner)?.push(partition);
  }
  for (const [member, candidates] of owned) {
    const hasExtra = candidates.length > quotas.quota && quotas.extras > 0;
    if (hasExtra) quotas.extras--;
    for (const partition of candidates.slice(0, quotas.quota + (hasExtra ? 1 : 0))) partition.giveTo(member);
  }
}

/** Those first that the fewest members have nearby. */
function byFewestNear(partitions: readonly StickyPartition[], members: readonly StickyMember[]): StickyPartition[] {
  const byRack = new Map<string, number>();
  for (const { rack } of members) if (rack !== null) byRack.set(rack, (byRack.get(rack) ?? 0) + 1);
  const near = ({ racks }: StickyPartition): number => racks.reduce((sum, rack) => sum + (byRack.get(rack) ?? 0), 0);
  const counts = new Map(partitions.map((partition) => [partition, near(partition)] as const));
  return [...partitions].sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
}

/** Gives partitions to members that lack some. */
class Filling {
  readonly #quotas: Quotas;
  readonly #below: readonly StickyMember[];
  /** In the order in which they came to have it. */
  readonly #atQuota: StickyMember[];

  constructor(members: readonly StickyMember[], quotas: Quotas) {
    this.#quotas = quotas;
    this.#below = members.filter(({ load }) => load < quotas.quota);
    this.#atQuota = members.filter(({ load }) => load === quotas.quota);
  }

  /** Each partition to the next member that has it nearby. @returns those that nobody could take */
  giveWithinRacks(partitions: readonly StickyPartition[]): StickyPartition[] {
    const { quota } = this.#quotas;
    const below = new RackRing();
    const atQuota = new RackRing();
    for (const [place, member] of this.#below.entries()) below.add({ place, member });
    for (const [place, member] of this.#atQuota.entries()) atQuota.add({ place, member });
    let turn = 0;
    return partitions.filter((partition) => {
      const lacking = below.next(partition.racks, turn);
      const seat = lacking ?? (this.#quotas.extras > 0 ? atQuota.next(partition.racks, 0) : undefined);
      if (seat === undefined) return true;
      const { member } = seat;
      partition.giveTo(member);
      if (lacking === undefined) {
        atQuota.remove(seat);
        this.#quotas.extras--;
        return false;
      }
      turn = seat.place + 1;
      if (member.load < quota) return false;
      below.remove(seat);
      atQuota.add({ place: this.#atQuota.push(member) - 1, member });
      return false;
    });
  }

  /** Each partition to its owner, though that has it not nearby: so has everybody else who lacks some. @returns the others */
  giveBack(partitions: readonly StickyPartition[]): StickyPartition[] {
    return partitions.filter((partition) => {
      const { owner } = partition;
      if (owner === null || owner.load > this.#quotas.quota) return true;
      if (owner.load === this.#quotas.quota) {
        if (this.#quotas.extras === 0) return true;
        this.#quotas.extras--;
      }
      partition.giveTo(owner);
      if (owner.load === this.#quotas.quota) this.#atQuota.push(owner);
      return false;
    });
  }

  /** Each partition to the next member in turn. */
  giveInTurn(partitions: readonly StickyPartition[]): void {
    const turns = this.#turns();
    for (const partition of partitions) {
      const turn = turns.next();
      if (turn.done === true) return;
      partition.giveTo(turn.value);
    }
  }

  /** Members below the quota, round after round, and then those that may have one more. */
  *#turns(): Generator<StickyMember, undefined> {
    const { quota } = this.#quotas;
    let round = this.#below.filter(({ load }) => load < quota);
    while (round.length > 0) {
      for (const member of round) {
        yield member;
        if (member.load === quota) this.#atQuota.push(member);
      }
      round = round.filter(({ load }) => load < quota);
    }
    for (const member of this.#atQuota) if (member.load === quota) yield member;
  }
}
