import { type Competitor, competitorNames, competitorsOn } from "./admin/competitors.ts";
import { ManyTopics } from "./admin/many-topics.ts";
import type { Outcome } from "./admin/outcome.ts";
import { startBrokers } from "./brokers.ts";
import { Comparison, type Work } from "./comparison.ts";
import { JavaPrograms } from "./java-program.ts";
import { threeDigits } from "./measurement.ts";
import { playRounds, type Turns } from "./rounds.ts";
import { type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";

/** The first call, and those behind it. */
const calls = 5;

/** What a cluster of many topics tells an admin client about all of them. */
export const admin: Suite = {
  name: "admin",

  async measure(run) {
    await using cluster = await startBrokers(run);
    say(`admin: ${cluster.describe()}`);
    const [topics, partitions] = run.isSmoke ? [20, 6] : [2_000, 6];
    await using many = await ManyTopics.create(cluster, topics, partitions);
    const { java, note } = await findJava();
    say(`admin: ${note}`);
    const turns = run.nodes.flatMap((node) =>
      competitorsOn(node, java).map((competitor): Turns<Competitor, Outcome> => ({ node, competitor, outcomes: [] })),
    );
    const take = (competitor: Competitor) => measured(competitor, many, run);
    // The first turns would be those of brokers that still compile.
    for (const { competitor } of run.isSmoke ? [] : turns) await take(competitor).catch(() => null);
    const title = `${topics} topics of ${partitions} partitions`;
    const failures = await playRounds(run, turns, { suite: "admin", title, take, textOf });
    return run.nodes.map((node) => ({
      ...tableOf(run, node, `Admin: ${title}`, turns),
      notes: [cluster.describe(), note, ...failures],
    }));
  },
};

async function findJava(): Promise<{ readonly java: JavaPrograms | null; readonly note: string }> {
  try {
    const java = await JavaPrograms.find();
    if (!(await java.canCompile())) {
      return {
        java: null,
        note: "java is missing: its program is compiled here, which takes a JDK (openjdk-17-jdk-headless)",
      };
    }
    return { java, note: `java is the Admin of Kafka ${java.kafkaVersion}` };
  } catch (error) {
    return { java: null, note: `java is missing: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** @throws Error where it was not told of every topic, partition and record */
async function measured(competitor: Competitor, { target, records }: ManyTopics, run: Run): Promise<Outcome> {
  const outcome = await competitor.measure(target, run.isSmoke ? 2 : calls);
  const partitions = target.topics * target.partitions;
  const wanted = [target.topics, partitions, partitions, records];
  const { described, listed } = outcome;
  const told = [described.topics, described.ledPartitions, listed.partitions, listed.records];
  if (told.join() === wanted.join()) return outcome;
  throw new Error(
    `${competitor.name} was told of ${told.join(", ")} topics, leaders, ends and records, and not ${wanted.join(", ")}`,
  );
}

function tableOf(run: Run, node: NodeBinary, title: string, turns: readonly Turns<Competitor, Outcome>[]): Table {
  const ratios = ["kafkajs", "java"].map((rival) => ({ of: "odradek", head: `odradek to ${rival}`, rivals: [rival] }));
  const comparison = new Comparison(run, node, competitorNames, ratios);
  for (const { of, name: work } of measures) {
    for (const { competitor, outcomes } of turns.filter((turn) => turn.node === node)) {
      const values = outcomes.map(of).filter((value) => value !== null);
      if (values.length === 0) continue;
      comparison.add({ runId: run.id, nodeVersion: node.version, peer: competitor.name, work, values });
    }
  }
  return comparison.table(title, measures);
}

type Measure = Work & { readonly of: (outcome: Outcome) => number | null };

const measuresOf = (kind: "describe" | "offsets"): readonly Measure[] => [
  { name: `${kind}, first call`, unit: "ms", better: "lower", of: (outcome) => outcome[kind].firstMs },
  { name: `${kind}, later calls`, unit: "ms", better: "lower", of: (outcome) => outcome[kind].laterMs },
  { name: `${kind}, CPU of those`, unit: "ms", better: "lower", of: (outcome) => outcome[kind].cpuMs },
];

const measures: readonly Measure[] = [
  ...measuresOf("describe"),
  ...measuresOf("offsets"),
  { name: "peak memory", unit: "MiB", better: "lower", of: ({ peakMib }) => peakMib },
];

function textOf({ describe, offsets }: Outcome): string {
  const text = ({ firstMs, laterMs }: Outcome["describe"]) =>
    `${threeDigits(firstMs)} ms, then ${threeDigits(laterMs)} ms`;
  return `describe ${text(describe)}; offsets ${text(offsets)}`;
}
