import { performance } from "node:perf_hooks";

/** What a process took for a stretch of its time. */
export interface Spent {
  readonly wallMs: number;
  /** User and system, of all threads. */
  readonly cpuMicros: number;
}

/** Begins a stretch. */
export function stretch(): () => Spent {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  return () => {
    const wallMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    return { wallMs, cpuMicros: user + system };
  };
}
