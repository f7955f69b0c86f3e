import { startCluster } from "../cluster/cluster.ts";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import type { Run } from "./run.ts";

/** The launcher's brokers are quick to start and slow to work: these compile all the way, with the heap to do so. */
const jvmOptions = ["-Xmx1g", "-XX:TieredStopAtLevel=4"];

/** Brokers that are no slower than they have to be; any will do for a smoke run, and those of `KAFKA_BROKERS` always do. */
export function startBrokers({ isSmoke }: Run): Promise<KafkaCluster> {
  return startCluster(isSmoke || process.env["KAFKA_BROKERS"] ? {} : { jvmOptions });
}
