import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Comparison, type Work } from "./comparison.ts";
import { median } from "./measurement.ts";
import { type Peer, packages, peers } from "./peer.ts";
import { inTurn, type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";

/** A round is one process of each kind and takes a fraction of a second, so that there are many. */
const rounds = 25;

const ways = ["require", "import"] as const;
type Way = (typeof ways)[number];

/** A process that loads a package, or nothing. */
interface Start {
  readonly way: Way;
  readonly peer: Peer | null;
}

interface Cost {
  /** From the start of the process to its end. */
  readonly wallMs: number;
  /** CPU time of the process. */
  readonly cpuMs: number;
  readonly memoryMib: number;
}

/** A start, and what it cost in the rounds so far. */
interface Turn {
  readonly start: Start;
  readonly costs: Cost[];
}

/** `@platformatic/kafka` is an ES module, and Node 20 cannot require those. */
const starts: readonly Start[] = ways.flatMap((way) =>
  [null, ...peers].filter((peer) => way === "import" || peer !== "platformatic").map((peer): Start => ({ way, peer })),
);

/** What an application waits for before its own first line: fresh processes that load a client, less bare ones. */
export const importTime: Suite = {
  name: "import",

  async measure(run) {
    return run.nodes.map((node) => measureOn(run, node));
  },
};

function measureOn(run: Run, node: NodeBinary): Table {
  const turns = starts.map((start): Turn => ({ start, costs: [] }));
  // The first time, files come from the disk.
  for (const { start } of turns) launch(node, start);
  const count = run.isSmoke ? 1 : Math.max(rounds, run.rounds);
  say(`import: ${count} rounds on Node ${node.version}`);
  for (let round = 0; round < count; round++) {
    for (const { start, costs } of inTurn(turns, round)) costs.push(launch(node, start));
  }

  const comparison = new Comparison(run, node, peers);
  for (const { start, costs } of turns) {
    if (start.peer === null) continue;
    const bare = turns.find((turn) => turn.start.peer === null && turn.start.way === start.way)?.costs ?? [];
    for (const work of works.filter(({ way }) => way === start.way)) {
      const bareMedian = median(bare.map(work.of));
      const values = costs.map((cost) => work.of(cost) - bareMedian);
      comparison.add({ runId: run.id, nodeVersion: node.version, peer: start.peer, work: work.name, values });
    }
  }
  return comparison.table("Import", works);
}

const works: readonly (Work & { readonly way: Way; readonly of: (cost: Cost) => number })[] = ways.flatMap((way) => [
  { way, name: `${way}, until it is there`, unit: "ms", better: "lower", of: (cost) => cost.wallMs },
  { way, name: `${way}, CPU time`, unit: "ms", better: "lower", of: (cost) => cost.cpuMs },
  { way, name: `${way}, resident memory`, unit: "MiB", better: "lower", of: (cost) => cost.memoryMib },
]);

function launch(node: NodeBinary, { way, peer }: Start): Cost {
  const startedAt = process.hrtime.bigint();
  const { status, stdout } = spawnSync(node.path, ["-e", script(way, peer)], {
    // From where the packages are found.
    cwd: join(__dirname, "..", ".."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const wallMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
  if (status !== 0) throw new Error(`${way} of ${peer} on Node ${node.version} fails`);
  const [cpuMicros = 0, bytes = 0] = stdout.toString().split(" ").map(Number);
  return { wallMs, cpuMs: cpuMicros / 1_000, memoryMib: bytes / 2 ** 20 };
}

/** Loads a package and says what the process has cost. It ends itself, should anything keep it alive. */
function script(way: Way, peer: Peer | null): string {
  const name = JSON.stringify(peer === null ? "node:events" : packages[peer]);
  const load = way === "require" ? `Promise.resolve(require(${name}))` : `import(${name})`;
  return `${load}.then(() => {
    const { user, system } = process.cpuUsage();
    process.stdout.write([user + system, process.memoryUsage.rss()].join(" "), () => process.exit());
  })`;
}
