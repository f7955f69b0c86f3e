import { OptionsError } from "../errors.ts";
import type { OptionReader } from "../option-reader.ts";

/**
 * Reads an option that no error may show, whatever is wrong with it.
 *
 * @param path where the reader's options stand, such as `sasl`
 * @throws OptionsError that says of which kind the value is, and not more
 */
export function secretOption<T>(
  reader: OptionReader,
  path: string,
  name: string,
  isValid: (value: unknown) => value is T,
  allowed: string,
): T {
  const value = reader.value<unknown>(name, undefined, isAnything, "anything");
  if (!isValid(value)) throw new OptionsError(`${path}.${name}`, withheld(value), allowed);
  return value;
}

/** What stands for a value in an error: that it is missing may be said, and of which kind it is. */
export const withheld = (value: unknown): unknown =>
  (value ?? null) === null || typeof value === "object" || typeof value === "function" ? value : `<${typeof value}>`;

/** What mechanisms can carry: NUL ends a field, and halves of characters have no bytes. */
export const isCredential = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && !/[\0\p{Surrogate}]/u.test(value);

export const credentialAllowed = "a text that is not empty and has no NUL";

/** For what is looked at by somebody else. */
export const isAnything = (_value: unknown): _value is unknown => true;
