import { type Deserializer, isPending, type SerdeContext } from "@odradek/network";

type Outcome<T> = { readonly value: T | null } | { readonly error: unknown };

/**
 * In the place of a deserializer, for one key or value of which it is settled what a look gives: it was awaited, or somebody put it
 * there. The bytes are of no interest to it.
 */
export class SettledDeserializer<T> implements Deserializer<T | null> {
  readonly #outcome: Outcome<T>;

  private constructor(outcome: Outcome<T>) {
    this.#outcome = outcome;
  }

  static to<T>(value: T | null): SettledDeserializer<T> {
    return new SettledDeserializer<T>({ value });
  }

  /** A look throws. */
  static failing<T>(error: unknown): SettledDeserializer<T> {
    return new SettledDeserializer<T>({ error });
  }

  /** What there is to see without a look that may throw. @param bytes where there is nothing else */
  shown(bytes: Buffer | null): unknown {
    return "value" in this.#outcome ? this.#outcome.value : bytes;
  }

  /** @throws what the deserializer threw */
  deserialize(): T | null {
    if ("error" in this.#outcome) throw this.#outcome.error;
    return this.#outcome.value;
  }
}

/**
 * What came of deserializing before anybody looks: a value; a promise, which ends, and never in an error, when it is settled what a
 * look gives; `null` where that tells nothing of what else the deserializer would give.
 */
export type Ahead = "value" | Promise<void> | null;

/** What is done with what a deserializer gives ahead of a look. */
export interface AheadOf<T> {
  readonly settle: (settled: SettledDeserializer<T>) => void;
  /** Takes what was given at once, and would be given again for a copy of the bytes. */
  readonly remember: (value: T | null) => void;
}

/** Deserializes before anybody looks. @param isAsync whether the deserializer may give a promise for the same bytes another time */
export function deserializeAhead<T>(
  bytes: Buffer | null,
  deserializer: Deserializer<T | null>,
  context: SerdeContext,
  isAsync: boolean,
  { settle, remember }: AheadOf<T>,
): Ahead {
  if (bytes === null) return null;
  const fail = (error: unknown) => settle(SettledDeserializer.failing(error));
  try {
    const given = deserializer.deserialize(bytes, context);
    if (isPending(given)) return Promise.resolve(given).then((value) => settle(SettledDeserializer.to(value)), fail);
    if (isAsync) settle(SettledDeserializer.to(given));
    else remember(given);
    return "value";
  } catch (error) {
    fail(error);
    return null;
  }
}
