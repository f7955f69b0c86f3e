import type { TestProject } from "vitest/node";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Of a cluster that all tests share and none may break. */
    readonly bootstrapServers: readonly string[];
  }
}

let cluster: KafkaCluster | undefined;

export async function setup(project: TestProject): Promise<void> {
  cluster = await startCluster();
  console.log(cluster.describe());
  project.provide("bootstrapServers", cluster.bootstrapServers);
}

export async function teardown(): Promise<void> {
  await cluster?.stop();
}
