import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { startBrokers } from "./brokers.ts";
import { Comparison, type Work } from "./comparison.ts";
import { type Competitor, competitorsOn, type Turn } from "./consume/competitors.ts";
import { FilledTopics } from "./consume/filled-topics.ts";
import { javaMainClass } from "./consume/java.ts";
import type { Outcome } from "./consume/outcome.ts";
import { type Workload, workloadNamed, workloads } from "./consume/workloads.ts";
import { everybody, type LineUp } from "./field.ts";
import { threeDigits } from "./measurement.ts";
import { TurnTopic } from "./produce/topic.ts";
import { playRounds, type Turns } from "./rounds.ts";
import { type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";

/** Records from the logs of three brokers to the application. */
export const consume: Suite = {
  name: "consume",

  async measure(run) {
    const chosen = run.workloads.length === 0 ? workloads : run.workloads.map(workloadNamed);
    await using cluster = await startBrokers(run);
    say(`consume: ${cluster.describe()}`);
    return await consumeTables(run, cluster, everybody, chosen);
  },
};

/** How fast those of a line-up consume. */
export async function consumeTables(
  run: Run,
  cluster: KafkaCluster,
  lineUp: LineUp,
  chosen: readonly Workload[],
): Promise<Table[]> {
  await using topics = new FilledTopics(cluster, run);
  return await new Consume(run, cluster, topics, lineUp).tables(chosen);
}

class Consume {
  readonly #run: Run;
  readonly #cluster: KafkaCluster;
  readonly #topics: FilledTopics;
  readonly #lineUp: LineUp;

  constructor(run: Run, cluster: KafkaCluster, topics: FilledTopics, lineUp: LineUp) {
    this.#run = run;
    this.#cluster = cluster;
    this.#topics = topics;
    this.#lineUp = lineUp;
  }

  async tables(chosen: readonly Workload[]): Promise<Table[]> {
    const { nodes, isSmoke } = this.#run;
    const fields = await Promise.all(
      nodes.map(async (node) => {
        const field = await this.#lineUp.fieldOn(node, this.#run, javaMainClass);
        return { node, notes: field.notes, competitors: competitorsOn(node, field, this.#run) };
      }),
    );
    for (const line of new Set(fields.flatMap(({ notes }) => notes))) say(`consume: ${line}`);
    if (!isSmoke) await this.#warmUp(fields.flatMap(({ competitors }) => competitors));
    const tables: Table[] = [];
    for (const workload of chosen) {
      const turns = fields.flatMap(({ node, competitors }) =>
        competitors.map((competitor): Turns<Competitor, Outcome> => ({ node, competitor, outcomes: [] })),
      );
      const take = (competitor: Competitor) => this.#take(competitor, workload);
      const failures = await playRounds(this.#run, turns, { suite: "consume", title: workload.name, take, textOf });
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
      say(`consume: the brokers warm up with ${competitor.name}`);
      // Who fails here will fail again, where it is written down.
      await this.#take(competitor, workloadNamed("bulk")).catch(() => null);
    }
  }

  #take(competitor: Competitor, workload: Workload): Promise<Outcome | null> {
    return workload.measure === "latency" ? this.#echo(competitor, workload) : this.#read(competitor, workload);
  }

  /** @throws Error where not every record of the topic was read once, or in a smoke run not all of them */
  async #read(competitor: Competitor, workload: Workload): Promise<Outcome | null> {
    const { bootstrapServers } = this.#cluster;
    const { name, records, payloadBytes } = await this.#topics.of(workload.content);
    const outcome = await competitor.measure({ workload, bootstrapServers, topic: name, records });
    if (outcome === null || workload.measure === "first") return outcome;
    const { isWhole, readRecords, readBytes } = outcome;
    const isAll = readRecords === records && (readBytes === null || readBytes === payloadBytes);
    if (isWhole ? isAll : readRecords < records && !this.#run.isSmoke) return outcome;
    throw new Error(
      `${competitor.name} read ${readRecords} records with ${readBytes} bytes, of ${records} with ${payloadBytes}`,
    );
  }

  /** @throws Error where not every record that is in the topic was read once */
  async #echo(competitor: Competitor, workload: Workload): Promise<Outcome | null> {
    const { bootstrapServers, brokers } = this.#cluster;
    await using topic = await TurnTopic.create(this.#cluster, workload.content.partitions, Math.min(3, brokers.length));
    const turn: Turn = { workload, bootstrapServers, topic: topic.name, records: 0 };
    const outcome = await competitor.measure(turn);
    if (outcome === null) return null;
    const arrived = await topic.recordCount();
    if (arrived === outcome.readRecords) return outcome;
    throw new Error(`${competitor.name} read ${outcome.readRecords} records, and ${arrived} are in the log`);
  }

  #table(node: NodeBinary, workload: Workload, turns: readonly Turns<Competitor, Outcome>[]): Table {
    const { id: runId } = this.#run;
    const comparison = new Comparison(this.#run, node, this.#lineUp.names, this.#lineUp.ratios);
    for (const { competitor, outcomes } of turns.filter((each) => each.node === node)) {
      for (const { name: work, of } of measures) {
        const values = outcomes.map(of).filter((value) => value !== null);
        if (values.length === 0) continue;
        comparison.add({ runId, nodeVersion: node.version, peer: competitor.name, work, values });
      }
    }
    return comparison.table(`Consume: ${workload.name}, ${workload.title}`, measures);
  }
}

const measures: readonly (Work & { readonly of: (outcome: Outcome) => number | null })[] = [
  {
    name: "records",
    unit: "1,000/s",
    better: "higher",
    of: ({ recordsPerSecond }) => (recordsPerSecond === null ? null : recordsPerSecond / 1_000),
  },
  { name: "CPU", unit: "us/record", better: "lower", of: ({ cpuMicros }) => cpuMicros },
  { name: "p50 from send to read", unit: "ms", better: "lower", of: ({ p50Ms }) => p50Ms },
  { name: "p99 from send to read", unit: "ms", better: "lower", of: ({ p99Ms }) => p99Ms },
  { name: "first record", unit: "ms", better: "lower", of: ({ firstMs }) => firstMs },
  { name: "peak memory", unit: "MiB", better: "lower", of: ({ peakMib }) => peakMib },
];

function textOf(outcome: Outcome): string {
  const texts = measures
    .map(({ unit, of }) => ({ unit, value: of(outcome) }))
    .flatMap(({ unit, value }) => (value === null ? [] : [`${threeDigits(value)} ${unit}`]));
  return [...texts, ...(outcome.isWhole ? [`all ${outcome.readRecords} records`] : [])].join(", ");
}
