#!/usr/bin/env node
import { runCommand } from "./command-line.ts";

runCommand(process.argv.slice(2), (text) => process.stdout.write(text)).then(
  (cluster) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void cluster?.close());
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
