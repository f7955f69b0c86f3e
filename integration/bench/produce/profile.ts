import { parseArgs } from "node:util";
import { startCluster } from "../../cluster/cluster.ts";
import { measurable } from "../field.ts";
import { load, patient } from "./load.ts";
import { openProducer } from "./producers.ts";
import { TurnTopic } from "./topic.ts";
import { workloadNamed } from "./workloads.ts";

/**
 * `node --cpu-prof integration/dist/bench/produce/profile.js WORKLOAD [--client odradek] [--seconds 5] [--replicas 1]`:
 * one turn in this process, for whoever wants to look into it.
 */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      client: { type: "string", default: "odradek" },
      seconds: { type: "string", default: "5" },
      replicas: { type: "string", default: "1" },
    },
  });
  const workload = workloadNamed(positionals[0] ?? "one");
  const client = measurable.find((name) => name === values.client);
  if (client === undefined) throw new Error(`--client ${values.client}: it is one of ${measurable.join(", ")}`);
  const patience = { ...patient, measuredMs: Number(values.seconds) * 1_000 };

  await using cluster = await startCluster();
  await using topic = await TurnTopic.create(cluster, workload.partitions, Number(values.replicas));
  const { bootstrapServers } = cluster;
  const producer = await openProducer[client]({
    bootstrapServers,
    topic: topic.name,
    compression: workload.compression,
  });
  if (producer === null) throw new Error(`${client} cannot ${workload.compression}`);
  const outcome = await load(producer, workload, patience);
  await producer.close();
  process.stdout.write(`${JSON.stringify({ ...outcome, arrived: await topic.recordCount() }, null, 2)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
