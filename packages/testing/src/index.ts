export type { Broker } from "./broker.ts";
export { type Clock, ManualClock, type Timer } from "./clock.ts";
export type { KafkaClusterOptions, ObservedRequest, TopicOptions } from "./cluster-options.ts";
export type { Fault, FaultScope, PartitionScope } from "./faults/faults.ts";
export type { RecordedRequest } from "./faults/journal.ts";
export type { ApiName, RequestBody } from "./handlers/index.ts";
export { KafkaCluster, type RequestOfApi, type WaitForOptions } from "./kafka-cluster.ts";
export type { KafkaVersion } from "./kafka-version.ts";
export type { LoggedBatch, LoggedRecord, PartitionView } from "./partition-view.ts";
