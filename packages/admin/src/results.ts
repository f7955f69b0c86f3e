import type { KafkaError } from "@odradek/protocol";

/** What became of one of the things that a call was asked for. */
export type Result<T, K = string> =
  | { readonly key: K; readonly value: T; readonly error: null }
  | { readonly key: K; readonly value: null; readonly error: KafkaError };

/**
 * What became of each thing that a call was asked for, in the order of asking. That some failed does not take away
 * what came of the others.
 *
 * Keys are what was asked for: the name of a topic, the id of a group or a broker, a partition, a resource.
 */
export class Results<T, K = string> implements Iterable<Result<T, K>> {
  readonly #results: readonly Result<T, K>[];
  readonly #textOf: (key: K) => string;
  /** Made when it is first needed: many calls only ever go through all of them. */
  #byText: ReadonlyMap<string, Result<T, K>> | null = null;

  /** @param textOf what makes two keys the same */
  constructor(results: readonly Result<T, K>[], textOf: (key: K) => string = String) {
    this.#results = results;
    this.#textOf = textOf;
  }

  get size(): number {
    return this.#results.length;
  }

  /** @returns the result of that key, `undefined` where it was not asked for */
  get(key: K): Result<T, K> | undefined {
    this.#byText ??= new Map(this.#results.map((result) => [this.#textOf(result.key), result]));
    return this.#byText.get(this.#textOf(key));
  }

  /** For who wants all or nothing. @throws the error of the first that failed */
  orThrow(): T[] {
    return this.#results.map((result) => {
      if (result.error !== null) throw result.error;
      return result.value;
    });
  }

  [Symbol.iterator](): Iterator<Result<T, K>> {
    return this.#results[Symbol.iterator]();
  }
}
