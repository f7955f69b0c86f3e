import { once } from "node:events";
import { startCluster } from "./cluster.ts";

async function main(): Promise<void> {
  const began = Date.now();
  const cluster = await startCluster();
  console.log(cluster.describe(), `${Date.now() - began} ms`);
  console.log(cluster.bootstrapServers.join(","));
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await cluster.stop();
}

void main();
