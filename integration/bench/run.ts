import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";

/** A Node to measure on. */
export interface NodeBinary {
  readonly path: string;
  /** Such as `v24.21.0`. */
  readonly version: string;
}

/** One run of the benchmarks: what its numbers have in common, and what sets them apart from those of every other run. */
export interface Run {
  readonly id: string;
  readonly nodes: readonly NodeBinary[];
  /** How often each peer has its turn. */
  readonly rounds: number;
  /** Whether it only has to show that everything still runs. */
  readonly isSmoke: boolean;
  /** The names of those workloads of a suite that are wanted, where it has several; none of them asks for all. */
  readonly workloads: readonly string[];
}

export interface RunOptions {
  /** @default the Node that runs this */
  readonly nodePaths: readonly string[];
  readonly rounds: number;
  readonly isSmoke: boolean;
  readonly workloads: readonly string[];
}

export function newRun({ nodePaths, rounds, isSmoke, workloads }: RunOptions): Run {
  const paths = nodePaths.length === 0 ? [process.execPath] : nodePaths;
  const nodes = paths.map((path) => ({
    path,
    version: execFileSync(path, ["-p", "process.version"]).toString().trim(),
  }));
  return { id: randomUUID(), nodes, rounds, isSmoke, workloads };
}

/** Every other round goes backwards, so that nobody always comes after the same neighbour. */
export function inTurn<T>(all: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? all : all.toReversed();
}

/** Progress. It goes to stderr: what is on stdout can go into a file as it is. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
