import type { Delivery } from "../src/delivery.ts";
import type { DeliveryError } from "../src/delivery-error.ts";
import type { SerializedRecord } from "../src/producer-record.ts";
import type { RecordMetadata } from "../src/record-metadata.ts";

/** Writes down what records are told, in the order of the telling, as `position@offset` or `position: code, persisted`. */
export class Told implements Delivery {
  readonly all: string[] = [];
  readonly metadata: RecordMetadata[] = [];
  readonly errors: DeliveryError[] = [];

  delivered(metadata: RecordMetadata, position: number): void {
    this.all.push(`${position}@${metadata.offset}`);
    this.metadata.push(metadata);
  }

  failed(error: DeliveryError, position: number): void {
    this.all.push(`${position}: ${error.code}, ${error.persisted}`);
    this.errors.push(error);
  }
}

/** A record whose value has this many bytes, for partition 0 of `orders` unless told otherwise. */
export function recordOf(
  valueBytes: number,
  given: Partial<SerializedRecord> & { readonly delivery: Delivery },
): SerializedRecord {
  const topic = given.topic ?? "orders";
  return {
    source: { topic },
    topic,
    partition: 0,
    timestampMs: 1_700_000_000_000,
    key: null,
    value: Buffer.alloc(valueBytes, 0x61),
    headers: [],
    settings: null,
    boundBytes: valueBytes + 100,
    position: 0,
    ...given,
  };
}
