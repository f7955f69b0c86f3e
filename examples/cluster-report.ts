import { type GroupListing, KafkaAdmin } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Prints what a cluster is made of, and what is wrong with it: `node dist/cluster-report.js`. */
async function main(): Promise<void> {
  await using admin = new KafkaAdmin({ bootstrapServers });
  await reportBrokers(admin);
  await reportTopics(admin);
  await reportGroups(admin);
}

async function reportBrokers(admin: KafkaAdmin): Promise<void> {
  const { clusterId, controllerId, brokers } = await admin.describeCluster();
  console.log(`cluster ${clusterId}, ${brokers.length} brokers`);
  const dirs = await admin.describeLogDirs(brokers.map(({ id }) => id));
  for (const { id, host, port } of brokers) {
    // A broker that does not answer takes nothing from what the others say.
    const { value, error = null } = dirs.get(id) ?? {};
    const bytes = value?.flatMap(({ replicas }) => replicas).reduce((sum, { size }) => sum + size, 0n) ?? 0n;
    const holds = error === null ? `${(Number(bytes) / 2 ** 20).toFixed(1)} MiB` : error.message;
    console.log(`  broker ${id} at ${host}:${port}${id === controllerId ? ", controller" : ""}: ${holds}`);
  }
}

async function reportTopics(admin: KafkaAdmin): Promise<void> {
  const topics = (await admin.listTopics()).map(({ topic }) => topic).sort();
  const described = await admin.describeTopics(topics);
  console.log(`${topics.length} topics`);
  for (const topic of topics) {
    const { value = null, error = null } = described.get(topic) ?? {};
    if (value === null) {
      // One that was deleted meanwhile.
      console.log(`  ${topic}: ${error?.code}`);
      continue;
    }
    const { partitions } = value;
    const leaderless = partitions.filter(({ leaderId }) => leaderId === null).length;
    const behind = partitions.filter((one) => one.inSyncReplicaIds.length < one.replicaIds.length).length;
    const wrong = [leaderless > 0 ? `${leaderless} without a leader` : "", behind > 0 ? `${behind} out of sync` : ""];
    console.log(`  ${[`${topic}: ${partitions.length} partitions`, ...wrong.filter(Boolean)].join(", ")}`);
  }
}

async function reportGroups(admin: KafkaAdmin): Promise<void> {
  const groups: GroupListing[] = [];
  for (const { key, value, error } of await admin.listGroups()) {
    if (error === null) groups.push(...value);
    else console.log(`  groups of broker ${key}: ${error.message}`);
  }
  console.log(`${groups.length} groups`);
  for (const { groupId, type, state } of groups.sort((one, other) => (one.groupId < other.groupId ? -1 : 1))) {
    console.log(`  ${groupId}: ${type}, ${state}`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
