import type { KafkaAdmin, OffsetSpec } from "odradek";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { PartitionOffset } from "../producer/transactions.ts";
import type { AdminClient } from "./admin-client.ts";
import { checkTopic } from "./arguments.ts";

export type SeekEntry = PartitionOffset;

/** Brokers may not know a topic yet that was created a moment ago. */
const passing = ["UNKNOWN_TOPIC_OR_PARTITION"];

/** Where each partition begins and ends; `offset` is its end, as `high` is. */
export async function fetchTopicOffsets(client: AdminClient, topic: string) {
  checkTopic(topic);
  const { low, high } = await client.ask((admin) => rangeOf(admin, topic), passing);
  return [...high].map(([partition, end]) => ({
    partition,
    offset: String(end),
    high: String(end),
    low: String(low.get(partition) ?? end),
  }));
}

/**
 * The first offset of that time or later, which is the end of the partition where no record is that late.
 *
 * @param timestamp ms since 1970; -1 and nothing stand for the end, -2 for the beginning
 */
export async function fetchTopicOffsetsByTimestamp(
  client: AdminClient,
  topic: string,
  timestamp?: number,
): Promise<SeekEntry[]> {
  checkTopic(topic);
  const spec = specOf(timestamp);
  const offsets = await client.ask(async (admin) => {
    const partitions = await partitionsOf(admin, topic);
    const ends = await offsetsOf(admin, topic, partitions, "latest");
    if (spec === "latest") return ends;
    return new Map([...ends, ...(await offsetsOf(admin, topic, partitions, spec))]);
  }, passing);
  return [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
}

function specOf(timestamp: number | undefined): OffsetSpec {
  const time = Number(timestamp ?? -1);
  if (time === -1) return "latest";
  if (time === -2) return "earliest";
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw new KafkaJSNonRetriableError(
    `Invalid timestamp ${String(timestamp)}, it has to be a number of milliseconds since 1970, -1 for the end or -2 for the beginning`,
  );
}

/** Numbers of all partitions, in order. */
export async function partitionsOf(admin: KafkaAdmin, topic: string): Promise<number[]> {
  const [description] = (await admin.describeTopics([topic])).orThrow();
  return description?.partitions.map(({ partition }) => partition) ?? [];
}

/** The offsets of the partitions that have one there, by their numbers. */
export async function offsetsOf(
  admin: KafkaAdmin,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
): Promise<ReadonlyMap<number, bigint>> {
  const results = await admin.listOffsets(partitions.map((partition) => ({ topic, partition, spec })));
  return new Map(
    results.orThrow().flatMap(({ partition, offset }) => (offset === null ? [] : [[partition, offset] as const])),
  );
}

/** Beginning and end of all partitions. */
export async function rangeOf(admin: KafkaAdmin, topic: string) {
  const partitions = await partitionsOf(admin, topic);
  const [low, high] = await Promise.all([
    offsetsOf(admin, topic, partitions, "earliest"),
    offsetsOf(admin, topic, partitions, "latest"),
  ]);
  return { low, high };
}
