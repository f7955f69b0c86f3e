import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { startBrokers } from "./brokers.ts";
import { Comparison, type Work } from "./comparison.ts";
import { everybody, type LineUp } from "./field.ts";
import { threeDigits } from "./measurement.ts";
import { type Competitor, competitorsOn } from "./produce/competitors.ts";
import { DistantBrokers } from "./produce/distance.ts";
import { javaMainClass } from "./produce/java.ts";
import type { Outcome } from "./produce/load.ts";
import { TurnTopic } from "./produce/topic.ts";
import { type Workload, workloadNamed, workloads } from "./produce/workloads.ts";
import { playRounds, type Turns } from "./rounds.ts";
import { type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";

/** The turns of one workload with so many replicas. */
interface Replicated {
  readonly factor: number;
  readonly turns: readonly Turns<Competitor, Outcome>[];
}

/** Records from the application to the logs of three brokers. */
export const produce: Suite = {
  name: "produce",

  async measure(run) {
    const chosen = run.workloads.length === 0 ? workloads : run.workloads.map(workloadNamed);
    await using cluster = await startBrokers(run);
    say(`produce: ${cluster.describe()}`);
    return await produceTables(run, cluster, everybody, chosen);
  },
};

/** How fast those of a line-up produce. */
export async function produceTables(
  run: Run,
  cluster: KafkaCluster,
  lineUp: LineUp,
  chosen: readonly Workload[],
): Promise<Table[]> {
  const folder = await mkdtemp(join(tmpdir(), "odradek-bench-"));
  try {
    return await new Produce(run, cluster, folder, lineUp).tables(chosen);
  } finally {
    await rm(folder, { recursive: true });
  }
}

class Produce {
  readonly #run: Run;
  readonly #cluster: KafkaCluster;
  readonly #folder: string;
  readonly #lineUp: LineUp;
  readonly #replicationFactors: readonly number[];

  constructor(run: Run, cluster: KafkaCluster, folder: string, lineUp: LineUp) {
    this.#run = run;
    this.#cluster = cluster;
    this.#folder = folder;
    this.#lineUp = lineUp;
    const possible = [1, 3].filter((factor) => factor <= cluster.brokers.length);
    this.#replicationFactors = run.isSmoke ? possible.slice(-1) : possible;
  }

  async tables(chosen: readonly Workload[]): Promise<Table[]> {
    const { nodes, isSmoke } = this.#run;
    const fields = await Promise.all(
      nodes.map(async (node) => {
        const field = await this.#lineUp.fieldOn(node, this.#run, javaMainClass);
        return { node, notes: field.notes, competitors: competitorsOn(node, field, this.#run, this.#folder) };
      }),
    );
    for (const line of new Set(fields.flatMap(({ notes }) => notes))) say(`produce: ${line}`);
    if (!isSmoke) await this.#warmUp(fields.flatMap(({ competitors }) => competitors));
    const tables: Table[] = [];
    for (const workload of chosen) {
      const replicated = this.#replicationFactors.map(
        (factor): Replicated => ({
          factor,
          turns: fields.flatMap(({ node, competitors }) =>
            competitors.map((competitor) => ({ node, competitor, outcomes: [] })),
          ),
        }),
      );
      const failures = await this.#takeAll(replicated, workload);
      for (const { node, notes } of fields) {
        const table = this.#table(node, workload, replicated);
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
  async #takeAll(replicated: readonly Replicated[], workload: Workload): Promise<string[]> {
    const failures: string[] = [];
    using distant = workload.addedMs > 0 ? await DistantBrokers.open(this.#cluster, workload.addedMs) : null;
    const { bootstrapServers } = distant ?? this.#cluster;
    for (const { factor, turns } of replicated) {
      const title = `${workload.name}, RF ${factor}`;
      const take = (competitor: Competitor) => this.#take(competitor, workload, factor, bootstrapServers);
      failures.push(...(await playRounds(this.#run, turns, { suite: "produce", title, take, textOf })));
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

  #table(node: NodeBinary, workload: Workload, replicated: readonly Replicated[]): Table {
    const { id: runId } = this.#run;
    const comparison = new Comparison(this.#run, node, this.#lineUp.names, this.#lineUp.ratios);
    const works: Work[] = [];
    for (const { factor, turns } of replicated) {
      for (const measure of measures) {
        const work = { ...measure, name: `RF ${factor}, ${measure.name}` };
        works.push(work);
        for (const { competitor, outcomes } of turns.filter((each) => each.node === node)) {
          const values = outcomes.map(measure.of).filter((value) => value !== null);
          if (values.length === 0) continue;
          comparison.add({ runId, nodeVersion: node.version, peer: competitor.name, work: work.name, values });
        }
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
