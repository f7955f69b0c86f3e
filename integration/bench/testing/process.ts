import { performance } from "node:perf_hooks";

/** What the process of a cluster is asked to do. */
export interface Job {
  readonly topic: string;
  readonly partitions: number;
}

/** What it took until three brokers listened. */
export interface Started {
  readonly bootstrapServers: readonly string[];
  readonly importMs: number;
  readonly startMs: number;
  /** Resident memory, on top of that of a bare Node: the code of the package, and the brokers. */
  readonly memoryMib: number;
}

process.once("message", ({ topic, partitions }: Job) => {
  start(topic, partitions).then(
    (started) => process.send?.(started),
    (error: unknown) => {
      process.stderr.write(`testing: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
// The brokers live as long as whoever asked for them.
process.once("disconnect", () => process.exit());

async function start(topic: string, partitions: number): Promise<Started> {
  const bareBytes = process.memoryUsage.rss();
  const askedAt = performance.now();
  const { KafkaCluster } = await import("@odradek/testing");
  const importedAt = performance.now();
  const topicConfigs = { "retention.bytes": "-1" };
  const cluster = await KafkaCluster.start({ brokers: 3, topics: { [topic]: { partitions } }, topicConfigs });
  const startedAt = performance.now();
  return {
    bootstrapServers: cluster.bootstrapServers,
    importMs: importedAt - askedAt,
    startMs: startedAt - importedAt,
    memoryMib: (process.memoryUsage.rss() - bareBytes) / 2 ** 20,
  };
}
