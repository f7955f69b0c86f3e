import { createTopic } from "../cluster/topic.ts";
import { newName } from "./opened.ts";
import { bootstrapServers } from "./topics.ts";

/** Three partitions with three replicas each, their leaders being brokers 1, 2 and 3. */
export const spread = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
] as const;

/** Creates a topic that every broker knows, so that any of them may be asked about it. @returns its name */
export async function wholeTopic(replicas: readonly (readonly number[])[] = spread): Promise<string> {
  const brokers = bootstrapServers.map((server) => {
    const { hostname: host, port } = new URL(`kafka://${server}`);
    return { host, port: Number(port) };
  });
  const name = newName();
  await createTopic(brokers, { name, replicas });
  return name;
}
