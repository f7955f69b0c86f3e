import { setTimeout as sleep } from "node:timers/promises";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { type Address, ask } from "./wire.ts";

/** Three nodes need 4 s on an idle machine and have been seen to need 56 s on a loaded one. */
export const readyWithinMs = 120_000;
const betweenLooksMs = 50;

/**
 * Looks again and again until it is so.
 *
 * @param look resolves with `true`, or with what is still missing; what it throws counts as missing too
 * @throws Error that says what was awaited and what was still missing at the end
 */
export async function until(what: string, look: () => Promise<true | string>, withinMs = readyWithinMs): Promise<void> {
  const end = Date.now() + withinMs;
  for (;;) {
    let missing: true | string;
    try {
      missing = await look();
    } catch (error) {
      missing = String(error);
    }
    if (missing === true) return;
    if (Date.now() >= end) throw new Error(`${what} not within ${withinMs / 1000} s: ${missing}`);
    await sleep(betweenLooksMs);
  }
}

/** Waits until each of these brokers answers ApiVersions and Metadata, and counts all of them in. */
export async function membersKnowEachOther(members: readonly (Address & { readonly id: number })[]): Promise<void> {
  await Promise.all(
    members.map((member) =>
      until(`broker ${member.id} at ${member.host}:${member.port} is ready`, async () => {
        const { brokers } = await ask(member, Metadata, { topics: [] });
        const missing = members.filter(({ id }) => !brokers.some(({ nodeId }) => nodeId === id));
        return missing.length === 0 || `it does not know ${missing.map(({ id }) => id).join(", ")}`;
      }),
    ),
  );
}
