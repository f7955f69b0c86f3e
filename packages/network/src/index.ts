export { askForAllTopics } from "./all-topics.ts";
export { type Backoff, exponentialBackoff } from "./backoff.ts";
export {
  type ClientDefaults,
  type ClientOptions,
  type DnsLookup,
  type MetadataRecoveryStrategy,
  type NetworkOptions,
  type ResolvedClientOptions,
  resolveClientOptions,
} from "./client-options.ts";
export { Alarm, type Clock, systemClock, type Timer } from "./clock.ts";
export {
  type ClusterSnapshot,
  type LeaderHint,
  leaderOf,
  type Node,
  type PartitionSnapshot,
  type TopicSnapshot,
} from "./cluster-snapshot.ts";
export { readCompressionCodecs } from "./compression-codecs.ts";
export type { Purpose } from "./connection-peer.ts";
export { type Coordinator, Coordinators, type CoordinatorType } from "./coordinators.ts";
export { Deadline } from "./deadline.ts";
export {
  AuthenticationError,
  type AuthenticationFailure,
  ClosedError,
  ConnectionError,
  OptionsError,
  SerializationError,
  StateError,
  TimeoutError,
} from "./errors.ts";
export type { ConsumerGroupMetadata } from "./group-metadata.ts";
export type { Metadata } from "./metadata.ts";
export { NetworkClient } from "./network-client.ts";
export {
  type AuthenticationFailureMessage,
  type ConnectionMessage,
  type ConnectMessage,
  Diagnostics,
  type DiagnosticsListener,
  type DiagnosticsMessages,
  type DisconnectMessage,
  type RequestMessage,
  type RequestTimeoutMessage,
  type ResponseMessage,
  type ThrottleMessage,
} from "./observation/diagnostics.ts";
export type { LogContext, Logger } from "./observation/logger.ts";
export {
  avgAndMax,
  countMeter,
  type MetricDefinition,
  measures,
  meter,
  type SensorMetric,
} from "./observation/metric-definition.ts";
export type { Metric, MetricGroup, MetricRegistry, MetricTags, Sensors } from "./observation/metric-registry.ts";
export type { Sensor } from "./observation/sensor.ts";
export { checkedOffsets, type OffsetAndMetadata, type OffsetToCommit } from "./offset-and-metadata.ts";
export { OptionReader } from "./option-reader.ts";
export type { Body, RequestOptions, SendOptions, WaitOptions } from "./request-options.ts";
export { SaslError } from "./security/sasl-error.ts";
export type { SaslExchange, SaslMechanism, SaslPeer } from "./security/sasl-mechanism.ts";
export type { SaslOptions } from "./security/sasl-options.ts";
export { secretOption } from "./security/secret-option.ts";
export type { SecurityProtocol } from "./security/security-options.ts";
export type { SslOptions } from "./security/tls-settings.ts";
export {
  bigint,
  bytes,
  type Deserializer,
  type DeserializerFunction,
  deserializerOf,
  double,
  type Encoded,
  int,
  isDeserializer,
  isPending,
  isSerializer,
  json,
  nothing,
  type Serde,
  type SerdeContext,
  type Serializer,
  type SerializerContext,
  type SerializerFunction,
  serializerOf,
  string,
  uuid,
} from "./serde.ts";
export type { SocketFactory, SocketTarget } from "./socket.ts";
export { softwareName, softwareVersion } from "./software.ts";
export { State } from "./state.ts";
export { checkTopicName } from "./topic-name.ts";
export { byTopicAndNumber, type Header, partitionText, type TopicPartition } from "./topic-partition.ts";
