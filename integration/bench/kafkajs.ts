import { startBrokers } from "./brokers.ts";
import { type Workload as ConsumeWorkload, workloadNamed as consumeWorkload } from "./consume/workloads.ts";
import { consumeTables } from "./consume.ts";
import { beforeAndAfter } from "./field.ts";
import { type Workload as ProduceWorkload, workloadNamed as produceWorkload } from "./produce/workloads.ts";
import { produceTables } from "./produce.ts";
import { say } from "./run.ts";
import type { Suite } from "./suite.ts";

const sends: readonly ProduceWorkload[] = ["one", "batch"].map(produceWorkload);
const reads: readonly ConsumeWorkload[] = ["each", "bulk"].map(consumeWorkload);

/** A service on kafkajs, before and after `@odradek/kafkajs` has taken its place: `send`, `sendBatch`, `eachMessage`, `eachBatch`. */
export const kafkajs: Suite = {
  name: "kafkajs",

  async measure(run) {
    const isChosen = ({ name }: { readonly name: string }): boolean =>
      run.workloads.length === 0 || run.workloads.includes(name);
    await using cluster = await startBrokers(run);
    say(`kafkajs: ${cluster.describe()}`);
    return [
      ...(await produceTables(run, cluster, beforeAndAfter, sends.filter(isChosen))),
      ...(await consumeTables(run, cluster, beforeAndAfter, reads.filter(isChosen))),
    ];
  },
};
