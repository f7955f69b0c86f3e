/** How many partitions of a topic each of its subscribers takes: as many as the others, the first few one more. */
export class RangeQuotas {
  readonly #share: number;
  /** Subscribers that may yet take one more than their share. */
  #extras: number;
  readonly #taken: number[];

  constructor(partitions: number, subscribers: number) {
    this.#share = Math.floor(partitions / subscribers);
    this.#extras = partitions % subscribers;
    this.#taken = new Array<number>(subscribers).fill(0);
  }

  /** Whether the subscriber at this place may take another. Once it may not, it never may again. */
  hasRoom(place: number): boolean {
    const taken = this.#taken[place] ?? 0;
    return taken < this.#share || (taken === this.#share && this.#extras > 0);
  }

  take(place: number): void {
    const taken = (this.#taken[place] ?? 0) + 1;
    this.#taken[place] = taken;
    if (taken > this.#share) this.#extras--;
  }
}
