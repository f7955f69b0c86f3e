import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { resolveJars } from "../../cluster/jvm/jars.ts";
import { findJava } from "../../cluster/jvm/java.ts";
import { defaultVersion } from "../../cluster/versions.ts";
import { say } from "../run.ts";
import type { Outcome } from "./load.ts";
import type { Target } from "./target.ts";

/** As `kafka-producer-perf-test.sh` starts it. */
const jvmOptions = ["-Xmx512M", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"];
const mainClass = "org.apache.kafka.tools.ProducerPerformance";

/** Runs the rest of its arguments, and says with which process id, and what CPU time that took. */
const timed = `"$@" & echo "pid $!"; wait $! || exit; times`;

/** What `ProducerPerformance` is asked for on top of where to send. */
export interface JavaOrder {
  readonly records: number;
  /** A file of values, one a line, out of which it chooses by chance. */
  readonly valuesFile: string;
}

/** Java's producer, in Kafka's own benchmark of it. */
export class JavaTool {
  readonly #program: string;
  readonly #classPath: readonly string[];

  private constructor(program: string, classPath: readonly string[]) {
    this.#program = program;
    this.#classPath = classPath;
  }

  /** @throws Unavailable where there is no Java, or the jars are not to be had */
  static async find(): Promise<JavaTool> {
    const { program } = await findJava();
    return new JavaTool(program, await resolveJars(defaultVersion, say));
  }

  readonly version = `${mainClass} of Kafka ${defaultVersion}`;

  /**
   * The rate is that of the second half, when the JVM has compiled what matters. CPU time and memory are those of the
   * whole process, its start included. Latencies are left out: as many records wait as fit into its 32 MiB.
   */
  async run({ bootstrapServers, topic, compression }: Target, { records, valuesFile }: JavaOrder): Promise<Outcome> {
    const child = spawn(
      "sh",
      [
        ...["-c", timed, "sh", this.#program, ...jvmOptions, "-cp", this.#classPath.join(delimiter), mainClass],
        ...["--topic", topic, "--num-records", `${records}`, "--warmup-records", `${records >> 1}`],
        ...["--throughput", "-1", "--payload-file", valuesFile, "--bootstrap-server", bootstrapServers.join(",")],
        ...["--command-property", "acks=all", `compression.type=${compression}`],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let printed = "";
    let peakMib: number | null = null;
    const watch = setInterval(() => {
      peakMib = peakMibOf(printed) ?? peakMib;
    }, 100);
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (printed += text.toString()));
    const [code] = await once(child, "close").finally(() => clearInterval(watch));
    // Only the lines that sum up have percentiles: one for all records, one for those after the warm-up.
    const total = /^(\d+) records sent, .* 99\.9th/m.exec(printed);
    const steady = /^\d+ steady state records sent, ([\d.]+) records\/sec .* 99\.9th/m.exec(printed);
    if (code !== 0 || steady === null || total === null) throw new Error(`ProducerPerformance fails:\n${printed}`);
    return {
      sentRecords: Number(total[1]),
      recordsPerSecond: Number(steady[1]),
      cpuMicros: (cpuSeconds(printed) * 1e6) / records,
      p50Ms: null,
      p99Ms: null,
      peakMib,
    };
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
    const status = readFileSync(`/proc/${/^pid (\d+)/m.exec(printed)?.[1]}/status`, "utf8");
    const kib = /VmHWM:\s+(\d+)/.exec(status)?.[1];
    return kib === undefined ? null : Number(kib) / 1_024;
  } catch {
    return null;
  }
}
