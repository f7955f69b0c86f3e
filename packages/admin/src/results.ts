import type { KafkaError } from "@odradek/protocol";

/** What became of one of the things that a call was asked for. */
export type Result<T> =
  | { readonly key: string; readonly value: T; readonly error: null }
  | { readonly key: string; readonly value: null; readonly error: KafkaError };

/**
 * What became of each thing that a call was asked for, in the order of asking. That some failed does not take away
 * what came of the others.
 */
export class Results<T> implements Iterable<Result<T>> {
  readonly #results: readonly Result<T>[];

  constructor(results: readonly Result<T>[]) {
    this.#results = results;
  }

  get size(): number {
    return this.#results.length;
  }

  /** @returns the result of that key, `undefined` where it was not asked for */
  get(key: string): Result<T> | undefined {
    return this.#results.find((result) => result.key === key);
  }

  /** For who wants all or nothing. @throws the error of the first that failed */
  orThrow(): T[] {
    return this.#results.map((result) => {
      if (result.error !== null) throw result.error;
      return result.value;
    });
  }

  [Symbol.iterator](): Iterator<Result<T>> {
    return this.#results[Symbol.iterator]();
  }
}
