/**
 * A value that may only move along the arrows it was built with. It says where something is; what belongs to that
 * place lives in fields beside it, and no boolean repeats it.
 */
export class State<S extends string> {
  #now: S;
  readonly #moves: Readonly<Record<S, readonly S[]>>;

  constructor(initial: NoInfer<S>, moves: Readonly<Record<S, readonly NoInfer<S>[]>>) {
    this.#now = initial;
    this.#moves = moves;
  }

  get now(): S {
    return this.#now;
  }

  is(...states: readonly S[]): boolean {
    return states.includes(this.#now);
  }

  /** @throws Error where there is no arrow: a defect of this library, not of its user */
  to(next: S): void {
    const allowed = this.#moves[this.#now];
    if (!allowed.includes(next)) {
      throw new Error(`illegal move from ${this.#now} to ${next}; allowed: ${allowed.join(", ") || "none"}`);
    }
    this.#now = next;
  }
}
