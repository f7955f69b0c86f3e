export type { SendCallback } from "./delivery.ts";
export { DeliveryError, type Persisted, SendAllError } from "./delivery-error.ts";
export type { Partitioner, PartitionerRecord } from "./partitioner.ts";
export { KafkaProducer } from "./producer.ts";
export type { ProducerOptions } from "./producer-options.ts";
export type { ProducerRecord } from "./producer-record.ts";
export type { RecordMetadata } from "./record-metadata.ts";
