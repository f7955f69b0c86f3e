/** What was read, going by the offsets of the last records. */
export class Offsets {
  /** By partition, as the client has them: to turn each into a number would be work that some have and others not. */
  readonly #last: (bigint | string | undefined)[] = [];

  read(partition: number, offset: bigint | string): void {
    this.#last[partition] = offset;
  }

  /** How many records there are up to the last ones: as many as came, if each came once. */
  get count(): number {
    return this.#last.reduce((sum: number, offset) => (offset === undefined ? sum : sum + Number(offset) + 1), 0);
  }

  /** @throws Error where `records` are not as many */
  check(records: number): void {
    if (this.count !== records) {
      throw new Error(`${records} records came, where the offsets of the last ones make ${this.count}`);
    }
  }
}
