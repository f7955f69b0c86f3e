import { parseArgs } from "node:util";
import { startCluster } from "../../cluster/cluster.ts";
import { measurable } from "../field.ts";
import { newRun } from "../run.ts";
import { ask } from "./competitors.ts";
import { FilledTopics } from "./filled-topics.ts";
import { workloadNamed } from "./workloads.ts";

/**
 * `node integration/dist/bench/consume/profile.js WORKLOAD --into FOLDER [--client odradek]`: one turn in a process that is
 * profiled, for whoever wants to look into it. It is another one than this, which fills the topic.
 */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { client: { type: "string", default: "odradek" }, into: { type: "string" } },
  });
  const workload = workloadNamed(positionals[0] ?? "bulk");
  if (workload.measure === "latency")
    throw new Error(`${workload.name} has no topic that could be filled: try another`);
  const client = measurable.find((name) => name === values.client);
  if (client === undefined) throw new Error(`--client ${values.client}: it is one of ${measurable.join(", ")}`);
  if (values.into === undefined) throw new Error("--into FOLDER is missing: it says where the profile goes");

  const run = newRun({ nodePaths: [], rounds: 1, isSmoke: false, workloads: [] });
  const [node] = run.nodes;
  if (node === undefined) throw new Error("there is no Node");
  await using cluster = await startCluster();
  await using topics = new FilledTopics(cluster, run);
  const { name: topic, records } = await topics.of(workload.content);
  const { bootstrapServers } = cluster;
  const turn = { workload, bootstrapServers, topic, records };
  const outcome = await ask(node, run, client, turn, ["--cpu-prof", "--cpu-prof-dir", values.into]);
  if (outcome === null) throw new Error(`${client} cannot do ${workload.name}`);
  process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
