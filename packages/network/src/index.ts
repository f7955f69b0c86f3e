export { type Backoff, exponentialBackoff } from "./backoff.ts";
export type { Purpose } from "./broker-connections.ts";
export {
  type ClientOptions,
  type NetworkOptions,
  type ResolvedClientOptions,
  resolveClientOptions,
} from "./client-options.ts";
export { Alarm, type Clock, systemClock, type Timer } from "./clock.ts";
export {
  type ClusterSnapshot,
  leaderOf,
  type Node,
  type PartitionSnapshot,
  type TopicSnapshot,
} from "./cluster-snapshot.ts";
export { Deadline } from "./deadline.ts";
export {
  ClosedError,
  ConnectionError,
  OptionsError,
  SerializationError,
  StateError,
  TimeoutError,
} from "./errors.ts";
export type { Metadata } from "./metadata.ts";
export { type Body, NetworkClient, type RequestOptions, type SendOptions } from "./network-client.ts";
export { OptionReader } from "./option-reader.ts";
export {
  bytes,
  type Deserializer,
  type Encoded,
  json,
  type Serde,
  type SerdeContext,
  type Serializer,
  string,
} from "./serde.ts";
export { State } from "./state.ts";
export { type Header, partitionText, type TopicPartition } from "./topic-partition.ts";
