import { KafkaError } from "../errors.ts";

/**
 * A library that is loaded when it is first needed, and kept.
 *
 * @param name the package, as one installs it
 * @param load the `require` of it, written out so that bundlers see it
 * @returns a function that gives the library, or throws a KafkaError that says what to install
 */
export function lazily<T>(name: string, load: () => T): () => T {
  let library: T | undefined;
  return () => {
    if (library !== undefined) return library;
    try {
      library = load();
      return library;
    } catch (cause) {
      throw new KafkaError(
        `the package ${name} cannot be loaded: install it with "npm install ${name}", or give the client a codec of your own`,
        { code: "UNSUPPORTED_COMPRESSION_TYPE", cause },
      );
    }
  };
}
