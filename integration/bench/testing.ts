import { fork } from "node:child_process";
import { once } from "node:events";
import { askClient } from "./client-process.ts";
import type { Outcome as Read } from "./consume/outcome.ts";
import * as reading from "./consume/patience.ts";
import type { Job as ReadJob } from "./consume/process.ts";
import { summary, threeDigits } from "./measurement.ts";
import { hasty, patient, type Outcome as Written } from "./produce/load.ts";
import type { Job as WriteJob } from "./produce/process.ts";
import { type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";
import type { Job, Started } from "./testing/process.ts";

const topic: Job = { topic: "records", partitions: 6 };
const longestMs = 60_000;

/** The workload of the producer, and that of the consumer, which reads what it wrote. */
const workloads = { write: "batch", read: "bulk" } as const;

/** A round: a new process with three brokers, one that writes to them, and one that reads that. */
interface Round {
  readonly started: Started;
  readonly written: Written;
  readonly read: Read;
}

/** The cluster for tests: what its start takes, and how much goes through it. */
export const testing: Suite = {
  name: "testing",

  async measure(run) {
    const tables: Table[] = [];
    for (const node of run.nodes) {
      const rounds: Round[] = [];
      for (let round = 1; round <= run.rounds; round++) {
        rounds.push(await play(run, node));
        say(`testing: round ${round} of ${run.rounds} on Node ${node.version}: ${textOf(rounds[rounds.length - 1])}`);
      }
      tables.push(tableOf(node, rounds));
    }
    return tables;
  },
};

async function play(run: Run, node: NodeBinary): Promise<Round> {
  const child = fork(require.resolve("./testing/process.js"), { execPath: node.path });
  const ended = once(child, "exit");
  try {
    child.send(topic);
    const lost = ended.then(() => {
      throw new Error("the process of the brokers ended without an answer");
    });
    const [started]: Started[] = await Promise.race([once(child, "message"), lost]);
    if (started === undefined) throw new Error("the process of the brokers answered nothing");
    const { bootstrapServers } = started;
    const target = { bootstrapServers, topic: topic.topic, compression: "none" } as const;
    const write: WriteJob = {
      client: "odradek",
      target,
      workload: workloads.write,
      patience: run.isSmoke ? hasty : patient,
    };
    const writer = { node, program: require.resolve("./produce/process.js"), job: write, longestMs };
    const written = await askClient<WriteJob, Written>(writer);
    const read: ReadJob = {
      client: "odradek",
      source: { ...target, groupId: "readers", style: "batch" },
      workload: workloads.read,
      records: written.sentRecords,
      patience: run.isSmoke ? reading.hasty : reading.patient,
    };
    const reader = { node, program: require.resolve("./consume/process.js"), job: read, longestMs };
    return { started, written, read: await askClient<ReadJob, Read>(reader) };
  } finally {
    if (child.connected) child.disconnect();
    await ended.catch(() => {});
  }
}

const textOf = (round: Round | undefined): string =>
  round === undefined
    ? "nothing"
    : `${threeDigits(round.started.startMs)} ms, ${threeDigits(round.started.memoryMib)} MiB, ${threeDigits(round.written.recordsPerSecond)} records/s in`;

function tableOf(node: NodeBinary, rounds: readonly Round[]): Table {
  const row = (work: string, unit: string, of: (round: Round) => number | null): string[] => {
    const values = rounds.flatMap((round) => of(round) ?? []);
    return [work, unit, values.length === 0 ? "-" : summary(values)];
  };
  return {
    title: `Testing, Node ${node.version}, median (range) of ${rounds.length}`,
    head: ["work", "unit", "three brokers"],
    rows: [
      row("import", "ms", ({ started }) => started.importMs),
      row("start", "ms", ({ started }) => started.startMs),
      row("resident memory, import and start", "MiB", ({ started }) => started.memoryMib),
      row("records in", "1,000/s", ({ written }) => written.recordsPerSecond / 1_000),
      row("records out", "1,000/s", ({ read }) =>
        read.recordsPerSecond === null ? null : read.recordsPerSecond / 1_000,
      ),
    ],
  };
}
