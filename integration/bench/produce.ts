import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "../cluster/cluster.ts";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { Comparison, type Ratio, type Work } from "./comparison.ts";
import { threeDigits } from "./measurement.ts";
import { type Competitor, competitorNames, fieldOn } from "./produce/competitors.ts";
import { DistantBrokers } from "./produce/distance.ts";
import type { Outcome } from "./produce/load.ts";
import { clients } from "./produce/producers.ts";
import { TurnTopic } from "./produce/topic.ts";
import { type Workload, workloadNamed, workloads } from "./produce/workloads.ts";
import { inTurn, type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";

/** The launcher's brokers are quick to start and slow to work: these compile all the way, with the heap to do so. */
const brokerJvmOptions = ["-Xmx1g", "-XX:TieredStopAtLevel=4"];

const ratios: readonly Ratio[] = [
  { head: "odradek to the best Node peer", rivals: clients.filter((client) => client !== "odradek") },
  { head: "odradek to Java", rivals: ["java"] },
];

/** Somebody on a Node, and what came out of their turns so far. */
interface Turns {
  readonly node: NodeBinary;
  readonly competitor: Competitor;
  /** By replication factor. */
  readonly outcomes: Map<number, Outcome[]>;
}

/** Records from the application to the logs of three brokers. */
export const produce: Suite = {
  name: "produce",

  async measure(run) {
    const chosen = run.workloads.length === 0 ? workloads : run.workloads.map(workloadNamed);
    const folder = await mkdtemp(join(tmpdir(), "odradek-bench-"));
    try {
      const anyWillDo = run.isSmoke || process.env["KAFKA_BROKERS"];
      await using cluster = await startCluster(anyWillDo ? {} : { jvmOptions: brokerJvmOptions });
      say(`produce: ${cluster.describe()}`);
      return await new Produce(run, cluster, folder).tables(chosen);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

class Produce {
  readonly #run: Run;
  readonly #cluster: KafkaCluster;
  readonly #folder: string;
  readonly #replicationFactors: readonly number[];

  constructor(run: Run, cluster: KafkaCluster, folder: string) {
    this.#run = run;
    this.#cluster = cluster;
    this.#folder = folder;
    const possible = [1, 3].filter((factor) => factor <= cluster.brokers.length);
    this.#replicationFactors = run.isSmoke ? possible.slice(-1) : possible;
  }

  async tables(chosen: readonly Workload[]): Promise<Table[]> {
    const { nodes, isSmoke } = this.#run;
    const fields = await Promise.all(
      nodes.map(async (node) => ({ node, ...(await fieldOn(node, this.#run, this.#folder)) })),
    );
    for (const line of new Set(fields.flatMap(({ notes }) => notes))) say(`produce: ${line}`);
    if (!isSmoke) await this.#warmUp(fields.flatMap(({ present }) => present));
    const tables: Table[] = [];
    for (const workload of chosen) {
      const turns = fields.flatMap(({ node, present }) =>
        present.map((competitor): Turns => ({ node, competitor, outcomes: new Map() })),
      );
      const failures = await this.#takeAll(turns, workload);
      for (const { node, notes } of fields) {
        const table = this.#table(node, workload, turns);
        // What holds for all tables is said once, below the first one of a Node.
        const isFirst = workload === chosen[0];
        tables.push({ ...table, notes: [...(isFirst ? [this.#cluster.describe(), ...notes] : []), ...failures] });
      }
    }
    return tables;
  }

  /** The first turns would be those of brokers that still compile. */
  async #warmUp(competitors: readonly Competitor[]): Promise<void> {
    for (const competitor of competitors) {
      say(`produce: the brokers warm up with ${competitor.name}`);
      // Who fails here will fail again, where it is written down.
      await this.#take(competitor, workloadNamed("batch"), 1, this.#cluster.bootstrapServers).catch(() => null);
    }
  }

  /** @returns what went wrong, a line for each turn that does not count */
  async #takeAll(turns: readonly Turns[], workload: Workload): Promise<string[]> {
    const failures: string[] = [];
    const { rounds, isSmoke } = this.#run;
    using distant = workload.addedMs > 0 ? await DistantBrokers.open(this.#cluster, workload.addedMs) : null;
    const { bootstrapServers } = distant ?? this.#cluster;
    for (const factor of this.#replicationFactors) {
      for (let round = 0; round < rounds; round++) {
        for (const { node, competitor, outcomes } of inTurn(turns, round)) {
          const where = `${workload.name}, RF ${factor}, round ${round + 1} of ${rounds}, ${competitor.name} on Node ${node.version}`;
          try {
            const outcome = await this.#take(competitor, workload, factor, bootstrapServers);
            say(`produce: ${where}: ${outcome === null ? "cannot" : textOf(outcome)}`);
            if (outcome !== null) outcomes.set(factor, [...(outcomes.get(factor) ?? []), outcome]);
          } catch (error) {
            // Hours of measuring are not thrown away for one turn; in a smoke run all have to do.
            if (isSmoke) throw error;
            failures.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
            say(`produce: ${failures.at(-1)}`);
          }
        }
      }
    }
    return failures;
  }

  /** @throws Error where not every record that was acknowledged is in the log once */
  async #take(
    competitor: Competitor,
    workload: Workload,
    replicationFactor: number,
    bootstrapServers: readonly string[],
  ): Promise<Outcome | null> {
    await using topic = await TurnTopic.create(this.#cluster, workload.partitions, replicationFactor);
    const { compression } = workload;
    const outcome = await competitor.measure({ bootstrapServers, topic: topic.name, compression }, workload);
    if (outcome === null) return null;
    const arrived = await topic.recordCount();
    if (arrived !== outcome.sentRecords) {
      throw new Error(`${competitor.name} sent ${outcome.sentRecords} records, and ${arrived} are in the log`);
    }
    return outcome;
  }

  #table(node: NodeBinary, workload: Workload, turns: readonly Turns[]): Table {
    const comparison = new Comparison(this.#run, node, competitorNames, ratios);
    const works = this.#replicationFactors.flatMap((factor) =>
      measures.map((measure) => ({ ...measure, name: `RF ${factor}, ${measure.name}`, factor })),
    );
    for (const { competitor, outcomes } of turns.filter((each) => each.node === node)) {
      for (const { name, factor, of } of works) {
        const values = (outcomes.get(factor) ?? []).map(of).filter((value) => value !== null);
        if (values.length === 0) continue;
        const { id: runId } = this.#run;
        comparison.add({ runId, nodeVersion: node.version, peer: competitor.name, work: name, values });
      }
    }
    return comparison.table(`Produce: ${workload.name}, ${workload.title}`, works);
  }
}

const measures: readonly (Work & { readonly of: (outcome: Outcome) => number | null })[] = [
  { name: "records", unit: "1,000/s", better: "higher", of: ({ recordsPerSecond }) => recordsPerSecond / 1_000 },
  { name: "CPU", unit: "us/record", better: "lower", of: ({ cpuMicros }) => cpuMicros },
  { name: "p50 of a call", unit: "ms", better: "lower", of: ({ p50Ms }) => p50Ms },
  { name: "p99 of a call", unit: "ms", better: "lower", of: ({ p99Ms }) => p99Ms },
  { name: "peak memory", unit: "MiB", better: "lower", of: ({ peakMib }) => peakMib },
];

function textOf(outcome: Outcome): string {
  return measures
    .map(({ unit, of }) => ({ unit, value: of(outcome) }))
    .flatMap(({ unit, value }) => (value === null ? [] : [`${threeDigits(value)} ${unit}`]))
    .join(", ");
}
