import * as messages from "../../src/messages/index.ts";
import type { Api, Message } from "../../src/schema.ts";

const declared: readonly (Api | Message)[] = Object.values(messages);

/** Every API, by key. */
export const apis: readonly Api[] = declared
  .filter((value): value is Api => "request" in value)
  .sort((a, b) => a.key - b.key);

/** Every message that travels inside another one. */
export const blobs: readonly Message[] = declared.filter((value): value is Message => !("request" in value));

/** Every message: both directions of every API, and the blobs. */
export const allMessages: readonly Message[] = [...apis.flatMap((api) => [api.request, api.response]), ...blobs];

/** All versions of a message. */
export function versionsOf({ versions: [first, last] }: { readonly versions: readonly [number, number] }): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
