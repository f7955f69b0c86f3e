import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { promisify } from "node:util";
import { resolveJars } from "../cluster/jvm/jars.ts";
import { findJava } from "../cluster/jvm/java.ts";
import { defaultVersion } from "../cluster/versions.ts";
import { say } from "./run.ts";

/** Runs the rest of its arguments, and says with which process id, and what CPU time that took. */
const timed = `"$@" & echo "pid $!"; wait $! || exit; times`;

/** How a program of Kafka's is started: by the script that Kafka has for it. */
export interface JavaCommand {
  readonly mainClass: string;
  readonly jvmOptions: readonly string[];
  readonly args: readonly string[];
}

/** What a program printed, and what it took as a whole, the start of the JVM included. */
export interface JavaRun {
  readonly printed: string;
  readonly cpuSeconds: number;
  /** The most memory that the process ever had; `null` where the system does not tell. */
  readonly peakMib: number | null;
}

/** The programs that come with Kafka. */
export class JavaPrograms {
  readonly kafkaVersion = defaultVersion;
  readonly #java: string;
  readonly #classPath: readonly string[];

  private constructor(java: string, classPath: readonly string[]) {
    this.#java = java;
    this.#classPath = classPath;
  }

  /** @throws Unavailable where there is no Java, or the jars are not to be had */
  static async find(): Promise<JavaPrograms> {
    const { program } = await findJava();
    return new JavaPrograms(program, await resolveJars(defaultVersion, say));
  }

  /** Whether programs can be started from their source: a Java without a compiler, as brokers need no other, cannot. */
  async canCompile(): Promise<boolean> {
    const { stdout } = await promisify(execFile)(this.#java, ["--list-modules"]);
    return /^jdk\.compiler\b/m.test(stdout);
  }

  /** @throws Error with all that it printed, where it fails or has not ended after `longestMs` */
  async run({ mainClass, jvmOptions, args }: JavaCommand, longestMs: number): Promise<JavaRun> {
    const child = spawn(
      "sh",
      ["-c", timed, "sh", this.#java, ...jvmOptions, "-cp", this.#classPath.join(delimiter), mainClass, ...args],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let printed = "";
    let peakMib: number | null = null;
    const watch = setInterval(() => {
      peakMib = peakMibOf(printed) ?? peakMib;
    }, 100);
    // The shell waits for the JVM, whose end is the end of both.
    const limit = setTimeout(() => stop(printed), longestMs);
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (printed += text.toString()));
    const [code] = await once(child, "close").finally(() => {
      clearInterval(watch);
      clearTimeout(limit);
    });
    if (code !== 0) throw new Error(`${mainClass} fails:\n${printed}`);
    return { printed, cpuSeconds: cpuSeconds(printed), peakMib };
  }
}

/** The last line is what the shell says of the processes that it waited for: `0m3.030000s 0m0.300000s`. */
function cpuSeconds(printed: string): number {
  const last = printed.trimEnd().split("\n").at(-1) ?? "";
  return [...last.matchAll(/(\d+)m([\d.,]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds?.replace(",", ".")),
    0,
  );
}

/** Linux tells what the largest memory of a process was for as long as it runs. */
function peakMibOf(printed: string): number | null {
  try {
    const status = readFileSync(`/proc/${pidOf(printed)}/status`, "utf8");
    const kib = /VmHWM:\s+(\d+)/.exec(status)?.[1];
    return kib === undefined ? null : Number(kib) / 1_024;
  } catch {
    return null;
  }
}

function stop(printed: string): void {
  const pid = pidOf(printed);
  if (pid !== undefined) process.kill(Number(pid), "SIGKILL");
}

const pidOf = (printed: string): string | undefined => /^pid (\d+)/m.exec(printed)?.[1];
