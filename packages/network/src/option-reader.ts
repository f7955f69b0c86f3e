import { OptionsError } from "./errors.ts";

/** What a user gave, before any of it is believed. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/**
 * Reads options one by one, each with its default and its limits, and refuses what nobody asked for: a misspelt
 * option that is silently ignored is an incident later.
 */
export class OptionReader {
  readonly #given: GivenOptions;
  readonly #read = new Set<string>();

  constructor(given: unknown) {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw new OptionsError("options", given, "an object");
    }
    this.#given = { ...given };
  }

  /** Whether the user said something of it, which some cross-checks depend on. `null` says as little as `undefined`. */
  has(name: string): boolean {
    return (this.#given[name] ?? null) !== null;
  }

  /** A whole number; `min` and `max` are included. */
  integer(name: string, fallback: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(name) ?? fallback;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      const allowed = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new OptionsError(name, value, `a whole number ${allowed}`);
    }
    return value;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#take(name) ?? fallback;
    if (typeof value !== "boolean") throw new OptionsError(name, value, "true or false");
    return value;
  }

  string(name: string, fallback: string): string;
  string(name: string, fallback: null): string | null;
  string(name: string, fallback: string | null): string | null {
    const value = this.#take(name) ?? fallback;
    if (value !== null && (typeof value !== "string" || value === "")) {
      throw new OptionsError(name, value, "a text that is not empty");
    }
    return value;
  }

  /** One of a few texts or numbers. */
  oneOf<const T extends string | number>(name: string, fallback: T, allowed: readonly T[]): T {
    const value = this.#take(name) ?? fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new OptionsError(name, value, `one of ${allowed.map(String).join(", ")}`);
    return found;
  }

  /** Something that `isValid` recognises, such as an object with certain methods. */
  value<T>(name: string, fallback: T, isValid: (value: unknown) => value is T, allowed: string): T {
    const value = this.#take(name) ?? fallback;
    if (!isValid(value)) throw new OptionsError(name, value, allowed);
    return value;
  }

  /** The same for something that has no default. */
  required<T>(name: string, isValid: (value: unknown) => value is T, allowed: string): T {
    const value = this.#take(name);
    if (!isValid(value)) throw new OptionsError(name, value, allowed);
    return value;
  }

  /**
   * Ends the reading.
   *
   * @throws OptionsError for an option that does not exist, with those that do. Its value is not shown: it may be a
   *   secret in the wrong place
   */
  finish(): void {
    for (const name of Object.keys(this.#given)) {
      if (this.has(name) && !this.#read.has(name)) {
        throw new OptionsError(name, name, `one of the names ${[...this.#read].sort().join(", ")}`);
      }
    }
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#given[name];
  }
}
