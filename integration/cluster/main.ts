import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type KafkaCluster, startCluster } from "./cluster.ts";
import { secureListeners } from "./listeners.ts";
import type { ClusterSecurity } from "./security/security.ts";
import { defaultVersion, isKafkaVersion, kafkaVersions } from "./versions.ts";

/** `npm run kafka -- [--version VERSION] [--brokers 1] [--secure]`: a cluster for as long as nobody presses Ctrl-C. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      version: { type: "string", default: defaultVersion },
      brokers: { type: "string", default: "3" },
      secure: { type: "boolean", default: false },
    },
  });
  const { version, secure } = values;
  if (!isKafkaVersion(version)) {
    throw new Error(`--version ${version}: it is one of ${Object.keys(kafkaVersions).join(", ")}`);
  }
  if (values.brokers !== "1" && values.brokers !== "3") throw new Error(`--brokers ${values.brokers}: it is 1 or 3`);
  const brokers = values.brokers === "1" ? 1 : 3;
  const cluster = await startCluster({ version, secure, brokers, own: true });
  // Heard from here on for good: npm passes a Ctrl-C on, so that it comes twice.
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => resolve());
  });
  console.log(cluster.describe());
  const folder = cluster.security && (await tellSecurity(cluster, cluster.security));
  console.log("Ctrl-C stops it.");
  await interrupted;
  await cluster.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
}

/** @returns the folder into which it has put the certificates */
async function tellSecurity(cluster: KafkaCluster, security: ClusterSecurity): Promise<string> {
  const { ca, ...pairs } = security.certificates;
  const folder = await mkdtemp(join(tmpdir(), "odradek-certificates-"));
  await writeFile(join(folder, "ca.pem"), ca);
  for (const [name, { key, cert }] of Object.entries(pairs)) {
    await writeFile(join(folder, `${name}.key`), key, { mode: 0o600 });
    await writeFile(join(folder, `${name}.pem`), cert);
  }
  for (const listener of secureListeners) console.log(`${listener}: ${cluster.bootstrapServersOf(listener).join(",")}`);
  const users = Object.entries(security.passwords).map(([user, password]) => `${user} (${password})`);
  console.log(`users: ${users.join(", ")}`);
  console.log(`tokens: ${security.tokens.endpointUrl}`);
  console.log(`certificates: ${folder}`);
  return folder;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
