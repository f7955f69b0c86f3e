import { createRequire } from "node:module";
import * as ours from "../src/index.ts";

/** What a library exports, whatever its types say of it. */
export type Library = Readonly<Record<string, unknown>>;

const original: Library = createRequire(import.meta.url)("kafkajs");

/** Both have to pass what stands in the contract. */
export const libraries: readonly (readonly [string, Library])[] = [
  ["kafkajs 2.2.4", original],
  ["@odradek/kafkajs", ours],
];

/** Makes one of a library's classes, as a program without types would. */
export function make(library: Library, name: string, ...args: readonly unknown[]): object {
  const found = library[name];
  if (typeof found !== "function") throw new Error(`${name} is no class of this library`);
  const made: unknown = Reflect.construct(found, args);
  if (typeof made !== "object" || made === null) throw new Error(`${name} makes no object`);
  return made;
}

/** Calls a method of something that has no types. */
export function call(target: unknown, method: string, ...args: readonly unknown[]): unknown {
  const found: unknown = typeof target === "object" && target !== null ? Reflect.get(target, method) : undefined;
  if (typeof found !== "function") throw new Error(`there is no method ${method}`);
  return Reflect.apply(found, target, args);
}
