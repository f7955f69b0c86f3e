import type { JavaPrograms } from "../java-program.ts";
import type { Outcome } from "./load.ts";
import type { Target } from "./target.ts";

/** Java's producer, in Kafka's own benchmark of it. */
export const javaMainClass = "org.apache.kafka.tools.ProducerPerformance";

/** As `kafka-producer-perf-test.sh` starts it. */
const jvmOptions = ["-Xmx512M", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"];
const longestMs = 180_000;

/** What `ProducerPerformance` is asked for on top of where to send. */
export interface JavaOrder {
  readonly records: number;
  /** A file of values, one a line, out of which it chooses by chance. */
  readonly valuesFile: string;
}

/**
 * The rate is that of the second half, when the JVM has compiled what matters. CPU time and memory are those of the
 * whole process, its start included. Latencies are left out: as many records wait as fit into its 32 MiB.
 */
export async function runJavaProducer(
  java: JavaPrograms,
  { bootstrapServers, topic, compression }: Target,
  { records, valuesFile }: JavaOrder,
): Promise<Outcome> {
  const args = [
    ...["--topic", topic, "--num-records", `${records}`, "--warmup-records", `${records >> 1}`],
    ...["--throughput", "-1", "--payload-file", valuesFile, "--bootstrap-server", bootstrapServers.join(",")],
    ...["--command-property", "acks=all", `compression.type=${compression}`],
  ];
  const { printed, cpuSeconds, peakMib } = await java.run({ mainClass: javaMainClass, jvmOptions, args }, longestMs);
  // Only the lines that sum up have percentiles: one for all records, one for those after the warm-up.
  const total = /^(\d+) records sent, .* 99\.9th/m.exec(printed);
  const steady = /^\d+ steady state records sent, ([\d.]+) records\/sec .* 99\.9th/m.exec(printed);
  if (steady === null || total === null) throw new Error(`ProducerPerformance says nothing of its rate:\n${printed}`);
  return {
    sentRecords: Number(total[1]),
    recordsPerSecond: Number(steady[1]),
    cpuMicros: (cpuSeconds * 1e6) / records,
    p50Ms: null,
    p99Ms: null,
    peakMib,
  };
}
