import { OptionsError } from "./errors.ts";

/** What a user gave, before any of it is believed. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/**
 * Reads options one by one, each with its default and its limits, and refuses what nobody asked for: a misspelt
 * option that is silently ignored is an incident later.
 */
export class OptionReader {
  readonly #given: GivenOptions;
  /** A list and no set: there are few, and readers are made by the thousand where calls are about many things. */
  readonly #read: string[] = [];

  /** Opens the names in errors, such as `topics[3].` */
  readonly #path: string;

  /** @param path where the options stand, where they are not the argument itself */
  constructor(given: unknown, path = "") {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw new OptionsError(path || "options", given, "an object");
    }
    this.#path = path === "" ? "" : `${path}.`;
    this.#given = { ...given };
  }

  /** Whether the user said something of it, which some cross-checks depend on. `null` says as little as `undefined`. */
  has(name: string): boolean {
    return (this.#take(name) ?? null) !== null;
  }

  /** A whole number; `min` and `max` are included. */
  integer(name: string, fallback: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(name) ?? fallback;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      const allowed = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw this.#refusal(name, value, `a whole number ${allowed}`);
    }
    return value;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#take(name) ?? fallback;
    if (typeof value !== "boolean") throw this.#refusal(name, value, "true or false");
    return value;
  }

  string(name: string, fallback: string): string;
  string(name: string, fallback: null): string | null;
  string(name: string, fallback: string | null): string | null {
    const value = this.#take(name) ?? fallback;
    if (value !== null && (typeof value !== "string" || value === "")) {
      throw this.#refusal(name, value, "a text that is not empty");
    }
    return value;
  }

  /** One of a few texts or numbers. */
  oneOf<const T extends string | number>(name: string, fallback: T, allowed: readonly T[]): T {
    const value = this.#take(name) ?? fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw this.#refusal(name, value, `one of ${allowed.map(String).join(", ")}`);
    return found;
  }

  /** Something that `isValid` recognises, such as an object with certain methods. */
  value<T>(name: string, fallback: T, isValid: (value: unknown) => value is T, allowed: string): T {
    const value = this.#take(name) ?? fallback;
    if (!isValid(value)) throw this.#refusal(name, value, allowed);
    return value;
  }

  /** The same for something that has no default. */
  required<T>(name: string, isValid: (value: unknown) => value is T, allowed: string): T {
    const value = this.#take(name);
    if (!isValid(value)) throw this.#refusal(name, value, allowed);
    return value;
  }

  /** A list of what `isItem` recognises; the first that it does not is named. */
  items<T>(name: string, fallback: readonly T[], isItem: (value: unknown) => value is T, allowed: string): readonly T[];
  items<T>(name: string, fallback: null, isItem: (value: unknown) => value is T, allowed: string): readonly T[] | null;
  items<T>(
    name: string,
    fallback: readonly T[] | null,
    isItem: (value: unknown) => value is T,
    allowed: string,
  ): readonly T[] | null {
    const value = this.#take(name) ?? fallback;
    if (value === null) return null;
    if (!Array.isArray(value)) throw this.#refusal(name, value, "an array");
    return value.map((item: unknown, index) => {
      if (!isItem(item)) throw this.#refusal(`${name}[${index}]`, item, allowed);
      return item;
    });
  }

  /** An object that holds nothing but what `isItem` recognises, by whatever names; the first that it does not is named. Without a fallback it has to be given. */
  record<T>(
    name: string,
    fallback: Readonly<Record<string, T>> | null,
    isItem: (value: unknown) => value is T,
    allowed: string,
  ): Readonly<Record<string, T>> {
    const value = this.#take(name) ?? fallback ?? undefined;
    if (typeof value !== "object" || Array.isArray(value)) throw this.#refusal(name, value, "an object");
    return Object.fromEntries(
      Object.entries(value).map(([key, item]: [string, unknown]) => {
        if (!isItem(item)) throw this.#refusal(`${name}.${key}`, item, allowed);
        return [key, item];
      }),
    );
  }

  /**
   * Ends the reading.
   *
   * @throws OptionsError for an option that does not exist, with those that do. Its value is not shown: it may be a
   *   secret in the wrong place
   */
  finish(): void {
    for (const name of Object.keys(this.#given)) {
      if ((this.#given[name] ?? null) !== null && !this.#read.includes(name)) {
        throw this.#refusal(name, name, `one of the names ${[...new Set(this.#read)].sort().join(", ")}`);
      }
    }
  }

  #refusal(name: string, value: unknown, allowed: string): OptionsError {
    return new OptionsError(this.#path + name, value, allowed);
  }

  #take(name: string): unknown {
    this.#read.push(name);
    return this.#given[name];
  }
}
