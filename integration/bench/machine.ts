import { cpus, loadavg, release, totalmem, type } from "node:os";
import { peers, versionOf } from "./peer.ts";
import type { Run } from "./run.ts";

/** Where and with what a run was made: its numbers mean nothing without. */
export function machine(run: Run): string[] {
  const [cpu] = cpus();
  return [
    `${cpu?.model ?? "unknown CPU"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `Node ${run.nodes.map(({ version }) => version).join(" and ")}; ${peers.map((peer) => `${peer} ${versionOf(peer)}`).join(", ")}`,
  ];
}

/** How busy the machine is with everything that runs on it, this included: over the last 1, 5 and 15 minutes. */
export function loadAverage(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(" ");
}
