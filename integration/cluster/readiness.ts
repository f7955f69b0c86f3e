import { setTimeout as sleep } from "node:timers/promises";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { hostPort } from "./node.ts";
import { type Address, ask, NoAnswer } from "./wire.ts";

/** Three brokers are there within 3 s on an idle machine, and have been seen to take 56 s on a loaded one. */
const withinMs = 120_000;
const betweenLooksMs = 25;

/**
 * Looks again and again until it is so.
 *
 * @param what a sentence, for the error
 * @param look resolves with `true`, or with what is still missing; that a broker does not answer is such a thing too
 * @throws Error that says what was not so, and what was missing at the last look
 */
export async function until(what: string, look: () => Promise<true | string>, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    const missing = await look().catch((error: unknown) => {
      if (error instanceof NoAnswer) return error.message;
      throw error;
    });
    if (missing === true) return;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs / 1000} s in vain until ${what}: ${missing}`);
    await sleep(betweenLooksMs);
  }
}

export interface Member extends Address {
  readonly id: number;
}

/** Waits until each of these brokers answers ApiVersions and Metadata, and counts all of them in. */
export async function untilMembersMeet(members: readonly Member[], signal?: AbortSignal): Promise<void> {
  const meet = async (member: Member): Promise<true | string> => {
    const { brokers } = await ask(member, Metadata, { topics: [] });
    const missing = members.filter(({ id }) => !brokers.some(({ nodeId }) => nodeId === id));
    return missing.length === 0 || `it does not know broker ${missing.map(({ id }) => id).join(" and ")}`;
  };
  await Promise.all(
    members.map((member) => until(`broker ${member.id} at ${hostPort(member)} is ready`, () => meet(member), signal)),
  );
}
