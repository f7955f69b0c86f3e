import { KafkaAdmin } from "odradek";
import { afterAll, inject } from "vitest";
import { newName } from "./opened.ts";
import { untilAll } from "./partitions.ts";

export { opened } from "./opened.ts";

/** Of the cluster that all tests share. */
export const bootstrapServers = inject("bootstrapServers");

/** The same, as addresses. */
export const brokers = bootstrapServers.map((server) => {
  const { hostname: host, port } = new URL(`kafka://${server}`);
  return { host, port: Number(port) };
});

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

/**
 * Creates a topic that no other test has, with as many replicas as the brokers give it, and waits until each of them knows it: a group
 * whose leader has asked another one would begin with nothing assigned.
 *
 * @param topic a name that no other test has
 * @returns its name
 */
export async function newTopic(
  numPartitions = 1,
  configs: Readonly<Record<string, string>> = {},
  topic = newName(),
): Promise<string> {
  (await admin.createTopics([{ topic, numPartitions, configs }])).orThrow();
  await untilAll(brokers, topic, "are led", ({ leaderId }) => leaderId >= 0);
  return topic;
}
