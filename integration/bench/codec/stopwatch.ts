import { median } from "../measurement.ts";
import type { Task } from "./task.ts";

/** How long to measure, in milliseconds of CPU time. */
export interface Patience {
  readonly warmUpMs: number;
  readonly sampleMs: number;
  readonly samples: number;
}

/** Long enough for the compiler to be done, and for each sample to have its share of garbage to collect. */
export const patient: Patience = { warmUpMs: 200, sampleMs: 25, samples: 15 };
export const hasty: Patience = { warmUpMs: 5, sampleMs: 2, samples: 3 };

/** Where results are kept, so that what makes them cannot be optimised away. */
const kept: { result: unknown } = { result: null };

/**
 * The nanoseconds of CPU time that one run of the task takes: the median of the samples. CPU time is that of the whole
 * process: it has the garbage collector's threads in it, and not what else is going on on the machine.
 */
export async function timeTask(task: Task, { warmUpMs, sampleMs, samples }: Patience): Promise<number> {
  const repeat = (await isAsync(task)) ? repeatAsync : repeatSync;
  let runs = 1;
  let ms = 0;
  for (let warmMs = 0; warmMs < warmUpMs; warmMs += ms) {
    ms = await cpuMs(() => repeat(task, runs));
    if (ms < sampleMs / 2) runs *= 2;
  }
  runs = Math.max(1, Math.round((runs * sampleMs) / ms));

  const sampled: number[] = [];
  while (sampled.length < samples) sampled.push((await cpuMs(() => repeat(task, runs))) / runs);
  return median(sampled) * 1e6;
}

async function isAsync(task: Task): Promise<boolean> {
  const result = task.run();
  await result;
  return result instanceof Promise;
}

async function repeatSync(task: Task, runs: number): Promise<void> {
  for (let left = runs; left > 0; left--) kept.result = task.run();
}

async function repeatAsync(task: Task, runs: number): Promise<void> {
  for (let left = runs; left > 0; left--) kept.result = await task.run();
}

async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Empties what the work before has left behind. */
export function forget(): void {
  kept.result = null;
  globalThis.gc?.();
}
