import { execFile } from "node:child_process";
import { delimiter } from "node:path";
import { promisify } from "node:util";
import { resolveJars } from "../cluster/jvm/jars.ts";
import { findJava } from "../cluster/jvm/java.ts";
import { defaultVersion } from "../cluster/versions.ts";

/** A JVM that starts on a loaded machine, and reads a few records. */
const withinMs = 120_000;

/** Runs one of Kafka's own tools on a cluster. @returns the lines that it prints */
export const clusterTool = (
  bootstrapServers: readonly string[],
  mainClass: string,
  ...args: readonly string[]
): Promise<string[]> => javaTool(mainClass, "--bootstrap-server", bootstrapServers.join(","), ...args);

/** Runs one of Kafka's own tools. @returns the lines that it prints */
export function javaTool(mainClass: string, ...args: readonly string[]): Promise<string[]> {
  return javaToolWithInput("", mainClass, ...args);
}

/** The same for a tool that reads lines. */
export async function javaToolWithInput(
  input: string,
  mainClass: string,
  ...args: readonly string[]
): Promise<string[]> {
  const { program } = await findJava();
  const classPath = await resolveJars(defaultVersion, console.log);
  const options = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath.join(delimiter)];
  const running = promisify(execFile)(program, [...options, mainClass, ...args], { timeout: withinMs });
  running.child.stdin?.end(input);
  const { stdout } = await running;
  return stdout.replace(/\n$/, "").split("\n");
}
