import { KafkaAdmin } from "odradek";
import { afterAll, afterEach, inject } from "vitest";

/** Of the cluster that all tests share. */
export const bootstrapServers = inject("bootstrapServers");

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

/** What is to be closed behind the test that opened it. */
export const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

let serial = 0;

/** Creates a topic that no other test has, with as many replicas as the brokers give it. @returns its name */
export async function newTopic(numPartitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const topic = `test-${process.pid}-${Date.now()}-${serial++}`;
  (await admin.createTopics([{ topic, numPartitions, configs }])).orThrow();
  return topic;
}
