import { KafkaAdmin } from "odradek";

/**
 * Has brokers wait so long for a sign of life of a member of a group of the consumer protocol, before it is the others' turn: only where
 * a test waits for that, since a member on a busy machine may be silent for seconds.
 */
export async function setSessionTimeout(
  bootstrapServers: readonly string[],
  groupId: string,
  timeoutMs: number,
): Promise<void> {
  await using admin = new KafkaAdmin({ bootstrapServers });
  const ops = [{ name: "consumer.session.timeout.ms", operation: "SET", value: `${timeoutMs}` }] as const;
  (await admin.incrementalAlterConfigs([{ type: "GROUP", name: groupId, ops }])).orThrow();
}
