/** Names of numbers that stand for them on the wire. */
export class Codes<N extends string> {
  readonly names: readonly N[];
  readonly #codes: ReadonlyMap<string, number>;
  readonly #byCode: ReadonlyMap<number, N>;
  readonly #unknown: N;

  /** @param unknown what a number is called that we do not know: a broker may be newer than we are */
  constructor(codes: Readonly<Record<N, number>>, unknown: N) {
    const entries: [string, number][] = Object.entries<number>(codes);
    this.names = entries.map(([name]) => name).filter((name): name is N => name in codes);
    this.#codes = new Map(entries);
    this.#byCode = new Map(this.names.map((name) => [codes[name], name]));
    this.#unknown = unknown;
  }

  codeOf(name: N): number {
    const code = this.#codes.get(name);
    if (code === undefined) throw new Error(`${name} has no code`);
    return code;
  }

  nameOf(code: number): N {
    return this.#byCode.get(code) ?? this.#unknown;
  }

  /** Whether a caller may name it: what we do not know ourselves, nobody can ask for. */
  readonly isName = (value: unknown): value is N =>
    typeof value === "string" && value !== "UNKNOWN" && this.#codes.has(value);
}
