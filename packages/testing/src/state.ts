/** A value that may only move along the arrows of its table. */
export class State<S extends string> {
  #now: S;
  readonly #arrows: Readonly<Record<S, readonly S[]>>;

  constructor(initial: NoInfer<S>, arrows: Readonly<Record<S, readonly NoInfer<S>[]>>) {
    this.#now = initial;
    this.#arrows = arrows;
  }

  get now(): S {
    return this.#now;
  }

  is(...states: readonly S[]): boolean {
    return states.includes(this.#now);
  }

  /** @throws Error where there is no arrow: a defect of this library */
  to(next: S): void {
    if (!this.#arrows[this.#now].includes(next)) throw new Error(`illegal move from ${this.#now} to ${next}`);
    this.#now = next;
  }
}
