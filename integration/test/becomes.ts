import { isDeepStrictEqual } from "node:util";
import { until } from "../cluster/readiness.ts";

/**
 * Waits until what is read is as expected: brokers learn of a change one after the other, and any of them may be asked.
 *
 * @throws Error that shows what was read last
 */
export async function becomes<T>(what: string, read: () => Promise<T>, expected: T): Promise<void> {
  const shown = (value: unknown) =>
    JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : one)) ?? "nothing";
  await until(what, async () => {
    const found = await read();
    return isDeepStrictEqual(found, expected) || `it is ${shown(found)}, and not ${shown(expected)}`;
  });
}
