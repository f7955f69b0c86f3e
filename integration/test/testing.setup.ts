import { KafkaCluster } from "@odradek/testing";
import type { TestProject } from "vitest/node";
import type {} from "./cluster.setup.ts";

let cluster: KafkaCluster | undefined;

/** Gives the tests brokers inside this process, in place of those that `cluster.setup.ts` gives. */
export async function setup(project: TestProject): Promise<void> {
  cluster = await KafkaCluster.start({ brokers: 3 });
  project.provide("bootstrapServers", cluster.bootstrapServers);
}

export async function teardown(): Promise<void> {
  await cluster?.close();
}
