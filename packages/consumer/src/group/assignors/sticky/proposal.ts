import type { StickyMember, StickyPartition } from "./sticky-group.ts";

/** Who would read what, as it stood when this was made. */
export class Proposal {
  readonly #readers: ReadonlyMap<StickyPartition, StickyMember | null>;
  /** Smaller where loads are more even. */
  readonly #unevenness: number;
  /** Partitions that somebody reads from afar. */
  readonly #far: number;

  constructor(members: readonly StickyMember[], partitions: readonly StickyPartition[]) {
    this.#readers = new Map(partitions.map((partition) => [partition, partition.reader]));
    this.#unevenness = members.reduce((sum, { load }) => sum + load * load, 0);
    this.#far = partitions.filter(
      (partition) => partition.reader !== null && !partition.isNear(partition.reader),
    ).length;
  }

  /** Balance before racks. */
  isBetterThan(other: Proposal): boolean {
    if (this.#unevenness !== other.#unevenness) return this.#unevenness < other.#unevenness;
    return this.#far < other.#far;
  }

  apply(): void {
    for (const [partition, reader] of this.#readers) partition.giveTo(reader);
  }
}
