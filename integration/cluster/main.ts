import { once } from "node:events";
import { parseArgs } from "node:util";
import { startCluster } from "./cluster.ts";
import { isKafkaVersion, kafkaVersions } from "./versions.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { version: { type: "string" }, secure: { type: "boolean", default: false } },
  });
  const { version, secure } = values;
  if (version !== undefined && !isKafkaVersion(version)) {
    throw new Error(`--version ${version}: it is one of ${Object.keys(kafkaVersions).join(", ")}`);
  }
  const began = Date.now();
  const cluster = await startCluster({ secure, ...(version === undefined ? {} : { version }) });
  console.log(cluster.describe(), `${Date.now() - began} ms`);
  console.log(cluster.bootstrapServers.join(","));
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await cluster.stop();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
