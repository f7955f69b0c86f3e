import type { KafkaAdmin, RecordsToDelete } from "odradek";
import { seekOf } from "../consumer/consumer-arguments.ts";
import { KafkaJSBrokerNotFound } from "../errors/connection-errors.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { KafkaJSDeleteTopicRecordsError } from "../errors/topic-errors.ts";
import type { AdminClient } from "./admin-client.ts";
import { brokerAnswer } from "./broker-answer.ts";
import { rangeOf, type SeekEntry } from "./topic-offsets.ts";

export interface DeleteTopicRecordsOptions {
  topic: string;
  /** The first offset of each that stays; "-1" for none. */
  partitions: SeekEntry[];
}

/** How brokers are told that none is to stay. */
const all = -1n;

/**
 * Deletes the oldest records.
 *
 * @throws KafkaJSDeleteTopicRecordsError for partitions that are not there; for others a KafkaJSNonRetriableError or a
 *   KafkaJSNumberOfRetriesExceeded that has one for its cause
 */
export async function deleteTopicRecords(client: AdminClient, options: DeleteTopicRecordsOptions): Promise<void> {
  const { topic, partitions } = options;
  if (!topic || typeof topic !== "string") throw new KafkaJSNonRetriableError(`Invalid topic "${String(topic)}"`);
  if (!partitions || partitions.length === 0) throw new KafkaJSNonRetriableError("Invalid partitions");
  const records = partitions.map((entry) => recordsOf(topic, entry));
  const { low } = await client.ask((admin) => rangeOf(admin, topic), ["UNKNOWN_TOPIC_OR_PARTITION"]);
  const missing = partitions.filter(({ partition }) => !low.has(partition));
  if (missing.length > 0) {
    const error = new KafkaJSBrokerNotFound("Could not find the leader for the partition", { retriable: false });
    throw new KafkaJSDeleteTopicRecordsError({ partitions: missing.map((entry) => ({ ...entry, error })) });
  }
  for (const { partition, beforeOffset } of records) {
    if (beforeOffset === all || beforeOffset >= (low.get(partition) ?? 0n)) continue;
    client.logger.warn("Nothing is deleted: the offset lies before the first record that is left of the partition", {
      topic,
      partition,
      offset: String(beforeOffset),
    });
  }
  await client.ask((admin) => remove(client, admin, records));
}

function recordsOf(topic: string, { partition, offset }: SeekEntry): RecordsToDelete {
  const { target, ...place } = seekOf({ topic, partition, offset });
  if (target === "beginning") throw new KafkaJSNonRetriableError("Offset must not be a negative number");
  return { ...place, beforeOffset: target === "end" ? all : target };
}

async function remove(client: AdminClient, admin: KafkaAdmin, records: readonly RecordsToDelete[]): Promise<void> {
  const results = await admin.deleteRecords(records);
  const partitions = records.flatMap(({ beforeOffset, ...place }) => {
    const cause = results.get(place)?.error ?? null;
    if (cause === null) return [];
    const error = brokerAnswer(cause);
    if (error === null) throw cause;
    return [{ partition: place.partition, offset: String(beforeOffset), error }];
  });
  if (partitions.length === 0) return;
  const failure = new KafkaJSDeleteTopicRecordsError({ partitions });
  throw failure.retriable ? client.givenUp(failure) : new KafkaJSNonRetriableError(failure, { cause: failure });
}
