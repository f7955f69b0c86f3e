export type { SendCallback } from "./delivery.ts";
export { DeliveryError, type Persisted, SendAllError } from "./delivery-error.ts";
export type { Partitioner, PartitionerRecord, PartitionFunction } from "./partitioner.ts";
export { KafkaProducer, type SendOptions } from "./producer.ts";
export type { ProducerInterceptor } from "./producer-interceptors.ts";
export type { ProducerOptions } from "./producer-options.ts";
export type { ProducerRecord } from "./producer-record.ts";
export type { RecordMetadata } from "./record-metadata.ts";
export { RoundRobinPartitioner } from "./round-robin-partitioner.ts";
