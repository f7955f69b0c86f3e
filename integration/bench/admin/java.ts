import { dirname, join } from "node:path";
import type { JavaPrograms } from "../java-program.ts";
import type { Outcome } from "./outcome.ts";
import type { Target } from "./target.ts";

/** Compiled by `java` itself when it is started, which is not in the times that it tells. */
const source = join(dirname(require.resolve("@odradek/integration/package.json")), "bench", "admin", "AdminTurn.java");

const jvmOptions = ["-Xmx512M"];

/** @throws Error where the program fails, as it does on a Java without a compiler */
export async function runJavaAdmin(
  java: JavaPrograms,
  { bootstrapServers, prefix, topics, partitions }: Target,
  calls: number,
  longestMs: number,
): Promise<Outcome> {
  const args = [bootstrapServers.join(","), prefix, ...[topics, partitions, calls].map(String)];
  const { printed, peakMib } = await java.run({ mainClass: source, jvmOptions, args }, longestMs);
  const line = printed.split("\n").find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`AdminTurn.java does not say what it was told:\n${printed}`);
  const told: Omit<Outcome, "peakMib"> = JSON.parse(line);
  return { ...told, peakMib };
}
