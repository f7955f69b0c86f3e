import { performance } from "node:perf_hooks";
import { answerOnce } from "../client-process.ts";
import { median } from "../measurement.ts";
import { type AdminClient, openAdmin } from "./admins.ts";
import type { Calls, Outcome } from "./outcome.ts";
import { type Target, topicNames } from "./target.ts";

/** What the process of a client is asked to do. */
export interface Job {
  readonly client: AdminClient;
  readonly target: Target;
  /** How often it makes each call, one behind the other. */
  readonly calls: number;
}

answerOnce(async ({ client, target, calls }: Job): Promise<Outcome> => {
  const admin = await openAdmin[client](target);
  const names = topicNames(target);
  const [described, describe] = await timed(calls, () => admin.describe(names));
  const [listed, offsets] = await timed(calls, () => admin.offsets(names, target.partitions));
  await admin.close();
  return { described, listed, describe, offsets, peakMib: process.resourceUsage().maxRSS / 1_024 };
});

/** @returns what the last call told, and what they took */
async function timed<T>(calls: number, call: () => Promise<T>): Promise<readonly [T, Calls]> {
  const startedAt = performance.now();
  let told = await call();
  const firstMs = performance.now() - startedAt;
  const tookMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  while (tookMs.length < calls - 1) {
    const calledAt = performance.now();
    told = await call();
    tookMs.push(performance.now() - calledAt);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return [told, { firstMs, laterMs: median(tookMs), cpuMs: (user + system) / 1_000 / tookMs.length }];
}
