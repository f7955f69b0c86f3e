import type { StickyMember } from "./sticky-group.ts";

export interface RingSeat {
  readonly place: number;
  readonly member: StickyMember;
}

/** Members in a circle, to be found by their racks. */
export class RackRing {
  readonly #byRack = new Map<string, RingSeat[]>();

  /** Takes places in ascending order only. */
  add(seat: RingSeat): void {
    const { rack } = seat.member;
    if (rack === null) return;
    const seats = this.#byRack.get(rack);
    if (seats === undefined) this.#byRack.set(rack, [seat]);
    else seats.push(seat);
  }

  remove({ place, member }: RingSeat): void {
    const seats = member.rack === null ? undefined : this.#byRack.get(member.rack);
    seats?.splice(firstFrom(seats, place), 1);
  }

  /** The first member in one of the racks, going round from a place. */
  next(racks: readonly string[], from: number): RingSeat | undefined {
    let ahead: RingSeat | undefined;
    let behind: RingSeat | undefined;
    for (const rack of racks) {
      const seats = this.#byRack.get(rack) ?? [];
      ahead = nearer(ahead, seats[firstFrom(seats, from)]);
      behind = nearer(behind, seats[0]);
    }
    return ahead ?? behind;
  }
}

const nearer = (a: RingSeat | undefined, b: RingSeat | undefined): RingSeat | undefined =>
  a === undefined || (b !== undefined && b.place < a.place) ? b : a;

/** The index of the first seat at or behind a place. */
function firstFrom(seats: readonly RingSeat[], place: number): number {
  let low = 0;
  let high = seats.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seats[middle]?.place ?? place) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
