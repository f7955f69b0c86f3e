import type { StickyMember } from "./sticky-group.ts";

/**
 * Members with the least loaded first, at equal loads by id. A heap in which members sit at the load that they once had: one
 * whose load grew sinks to its place when it comes up, one whose load fell has to be put in once more.
 */
export class LoadQueue {
  /** Of all members, by place. */
  readonly #members: readonly StickyMember[];
  /** Load and place of a member in one number, least first. */
  readonly #heap: number[];

  constructor(queued: readonly StickyMember[], members: readonly StickyMember[]) {
    this.#members = members;
    this.#heap = queued.map((member) => this.#entryOf(member)).sort((a, b) => a - b);
  }

  least(): StickyMember | undefined {
    for (;;) {
      const [entry] = this.#heap;
      if (entry === undefined) return undefined;
      const member = this.#members[entry % this.#members.length];
      if (member === undefined) return undefined;
      const current = this.#entryOf(member);
      if (current === entry) return member;
      this.#sink(current);
    }
  }

  /** The load of this member fell. */
  lowered(member: StickyMember): void {
    const entry = this.#entryOf(member);
    let at = this.#heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = this.#heap[above] ?? -Infinity;
      if (parent <= entry) break;
      this.#heap[at] = parent;
      at = above;
    }
    this.#heap[at] = entry;
  }

  /** Puts an entry in the place of the first, and from there to where it belongs. */
  #sink(entry: number): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if ((heap[below + 1] ?? Infinity) < (heap[below] ?? Infinity)) below++;
      const child = heap[below] ?? Infinity;
      if (child >= entry) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = entry;
  }

  #entryOf({ load, place }: StickyMember): number {
    return load * this.#members.length + place;
  }
}
