import type { JavaPrograms } from "../java-program.ts";
import { nothingMeasured, type Outcome } from "./outcome.ts";
import type { Source } from "./sink.ts";

/** Java's consumer, in Kafka's own benchmark of it. */
export const javaMainClass = "org.apache.kafka.tools.ConsumerPerformance";

/** As `kafka-consumer-perf-test.sh` starts it. */
const jvmOptions = ["-Xmx512M", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"];
const longestMs = 120_000;
const reportMs = 50;
/** Of the records, this part only warms up. */
const warmUpShare = 0.25;

/**
 * The rate is that behind the first quarter, from the lines in which it reports how far it is. CPU time and memory are those of the
 * whole process, its start included.
 *
 * @throws Error where it has not read as many records as there are
 */
export async function readWithJava(java: JavaPrograms, source: Source, records: number): Promise<Outcome> {
  const { printed, cpuSeconds, peakMib } = await run(java, source, [
    ...["--num-records", `${records}`, "--show-detailed-stats", "--reporting-interval", `${reportMs}`],
    // Among them is how many records its consumer has handed out.
    "--print-metrics",
  ]);
  const total = /^consumer-fetch-manager-metrics:records-consumed-total:\{client-id=[^,}]*\}\s*:\s*([\d.]+)/m.exec(
    printed,
  );
  if (total === null) throw new Error(`ConsumerPerformance does not say what it read:\n${printed}`);
  return {
    ...nothingMeasured,
    readRecords: Number(total[1]),
    isWhole: true,
    recordsPerSecond: rateOf(printed, records * warmUpShare),
    cpuMicros: (cpuSeconds * 1e6) / records,
    peakMib,
  };
}

/** Its clock starts when the consumer is there; what its constructor takes is left out. */
export async function firstOfJava(java: JavaPrograms, source: Source): Promise<Outcome> {
  const { printed, peakMib } = await run(java, source, ["--num-records", "1"]);
  const line = /^(\d{4}-[\d :-]+), (\d{4}-[\d :-]+), /m.exec(printed);
  if (line === null) throw new Error(`ConsumerPerformance does not say what it took:\n${printed}`);
  const firstMs = millis(line[2]) - millis(line[1]);
  return { ...nothingMeasured, readRecords: 1, isWhole: false, firstMs, peakMib };
}

function run(java: JavaPrograms, { bootstrapServers, topic, groupId }: Source, how: readonly string[]) {
  const args = [
    ...["--bootstrap-server", bootstrapServers.join(","), "--topic", topic, "--group", groupId, ...how],
    ...["--command-property", "enable.auto.commit=false"],
  ];
  return java.run({ mainClass: javaMainClass, jvmOptions, args }, longestMs);
}

/** @returns `null` where it was done before it reported twice */
function rateOf(printed: string, warmUpRecords: number): number | null {
  // Time, thread, MB so far, MB/s, records so far.
  const reports = [...printed.matchAll(/^(\d{4}-[\d :-]+), \d+, [\d.]+, [\d.NaInfity]+, (\d+), /gm)]
    .map(([, time, records]) => ({ atMs: millis(time), records: Number(records) }))
    .filter(({ records }) => records >= warmUpRecords);
  const [from] = reports;
  const to = reports.at(-1);
  if (from === undefined || to === undefined || to.atMs === from.atMs) return null;
  return ((to.records - from.records) / (to.atMs - from.atMs)) * 1_000;
}

/** `2026-01-31 23:59:59:999` */
function millis(time = ""): number {
  const [, date, seconds, fraction] = /^(\S+) (\d+:\d+:\d+):(\d+)$/.exec(time) ?? [];
  return Date.parse(`${date}T${seconds}.${fraction}Z`);
}
