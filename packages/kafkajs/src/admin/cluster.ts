import type { AdminClient } from "./admin-client.ts";
import { textAsTyped } from "./text-as-typed.ts";

export interface ClusterDescription {
  brokers: { nodeId: number; host: string; port: number }[];
  /** `null` while nobody is. */
  controller: number | null;
  clusterId: string;
}

export async function describeCluster(client: AdminClient): Promise<ClusterDescription> {
  const { brokers, controllerId, clusterId } = await client.ask((admin) => admin.describeCluster());
  return {
    brokers: brokers.map(({ id: nodeId, host, port }) => ({ nodeId, host, port })),
    controller: controllerId,
    clusterId: textAsTyped(clusterId),
  };
}
