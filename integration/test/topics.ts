import { KafkaAdmin } from "odradek";
import { afterAll, inject } from "vitest";
import { newName } from "./opened.ts";

export { opened } from "./opened.ts";

/** Of the cluster that all tests share. */
export const bootstrapServers = inject("bootstrapServers");

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

/** Creates a topic that no other test has, with as many replicas as the brokers give it. @returns its name */
export async function newTopic(numPartitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const topic = newName();
  (await admin.createTopics([{ topic, numPartitions, configs }])).orThrow();
  return topic;
}
