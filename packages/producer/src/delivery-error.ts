import { partitionText } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { RecordMetadata } from "./record-metadata.ts";

/**
 * Whether a record that was not acknowledged is in the log all the same.
 *
 * `no` is a promise: it was never handed to a socket, or every broker that got it refused it. `maybe`: it was handed to
 * a socket, and no answer settles what became of it. `yes`: a broker has it; only an idempotent producer can know that of a
 * record that failed.
 */
export type Persisted = "no" | "maybe" | "yes";

const persistedTexts: Readonly<Record<Persisted, string>> = {
  no: "not in the log",
  maybe: "may be in the log",
  yes: "in the log",
};

/** A record that was not delivered. `code` and `retriable` are those of `cause`, which says why. */
export class DeliveryError extends KafkaError {
  /** As the record has it; `no topic` where it has none. */
  readonly topic: string;
  /** `null` where it failed before one was chosen. */
  readonly partition: number | null;
  readonly persisted: Persisted;

  constructor(topic: string, partition: number | null, persisted: Persisted, cause: KafkaError) {
    const place = partition === null ? topic : partitionText({ topic, partition });
    super(`record for ${place} was not acknowledged (${persistedTexts[persisted]}): ${cause.message}`, {
      code: cause.code,
      retriable: cause.retriable,
      cause,
    });
    this.topic = topic;
    this.partition = partition;
    this.persisted = persisted;
  }
}

/** Some, or all, records of one `sendBatch` were not delivered. `cause` is the error of the first of them. */
export class SendBatchError extends KafkaError {
  /** For each record, in the order of the call, its metadata or its error. */
  readonly results: readonly (RecordMetadata | DeliveryError)[];
  /** Of those that failed, together: `maybe` unless it is the same for all. */
  readonly persisted: Persisted;

  constructor(
    results: readonly (RecordMetadata | DeliveryError)[],
    failures: readonly [DeliveryError, ...DeliveryError[]],
  ) {
    const [first] = failures;
    super(`${failures.length} of ${results.length} records were not acknowledged; the first: ${first.message}`, {
      code: first.code,
      retriable: failures.every(({ retriable }) => retriable),
      cause: first,
    });
    this.results = results;
    this.persisted = failures.every(({ persisted }) => persisted === first.persisted) ? first.persisted : "maybe";
  }
}
