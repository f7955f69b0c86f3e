import { OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { checkedKeys, readPartition } from "./asking/arguments.ts";
import { byPartition, topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { type Answers, askAll, askParts } from "./asking/fan-out.ts";
import { toLeader } from "./asking/routing.ts";
import type { Results } from "./results.ts";

/** How each place in a log is asked for, and the first version of ListOffsets that knows it. */
const places = {
  latest: { timestamp: -1n, since: 1 },
  earliest: { timestamp: -2n, since: 1 },
  maxTimestamp: { timestamp: -3n, since: 7 },
  earliestLocal: { timestamp: -4n, since: 8 },
  latestTiered: { timestamp: -5n, since: 9 },
  earliestPendingUpload: { timestamp: -6n, since: 11 },
} as const;

/**
 * Which offset is wanted: a place in the log, or a time in ms since the epoch, which stands for the first record of that time
 * or later. Source: Kafka's `OffsetSpec`.
 *
 * - `latest`: the end, that is, the offset of the next record; with `read_committed` no further than the first open transaction
 * - `earliest`: the first record that is left
 * - `maxTimestamp`: the record with the largest timestamp (KIP-734, Kafka 3.0)
 * - `earliestLocal`: the first record on the leader's own disk (KIP-405, Kafka 3.5)
 * - `latestTiered`: the last record in tiered storage (KIP-1005, Kafka 3.9)
 * - `earliestPendingUpload`: the first record that is still to be put there (KIP-1023, Kafka 4.2)
 */
export type OffsetSpec = keyof typeof places | number;

/** A partition, and which of its offsets is wanted. */
export interface OffsetQuery extends TopicPartition {
  readonly spec: OffsetSpec;
}

export interface ListOffsetsOptions extends AdminCallOptions {
  /** `read_committed`: what is behind the first open transaction does not count. @default "read_uncommitted" */
  readonly isolationLevel?: "read_uncommitted" | "read_committed";
}

export interface ListedOffset extends TopicPartition {
  /** `null` where there is none: no record is that late, or nothing is in tiered storage. */
  readonly offset: bigint | null;
  /** Of the record at the offset, ms since the epoch; `null` for `earliest`, `latest` and the like. */
  readonly timestamp: number | null;
  /** Epoch of the leader that wrote it; `null` where the broker does not tell. */
  readonly leaderEpoch: number | null;
}

/** See `KafkaAdmin.listOffsets`. */
export async function listOffsets(
  context: AdminContext,
  given: readonly OffsetQuery[],
  options: ListOffsetsOptions,
): Promise<Results<ListedOffset, TopicPartition>> {
  const queries = checkedKeys("partitions", given, checkedQuery, partitionText);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const isolationLevel = reader.oneOf("isolationLevel", "read_uncommitted", ["read_uncommitted", "read_committed"]);
  reader.finish();
  const queryOf = new Map<TopicPartition, Query>(
    queries.map((query) => [{ topic: query.topic, partition: query.partition }, query]),
  );
  return askAll<TopicPartition, ListedOffset>(call, {
    keys: [...queryOf.keys()],
    textOf: partitionText,
    routing: toLeader(),
    ask: async (partitions, whom) => {
      const some = partitions.flatMap((at) => queryOf.get(at) ?? []);
      // Places that the broker does not know take nothing from those that it does.
      const parts = [...new Set(some.map(({ since }) => since))].map((since) =>
        some.filter((one) => one.since === since),
      );
      const level = isolationLevel === "read_committed" ? 1 : 0;
      return askParts(
        call,
        parts.map((part) => ({ texts: () => part.map(partitionText), ask: () => listPart(call, part, whom, level) })),
      );
    },
  });
}

/** Lists offsets that the same versions know of. */
async function listPart(
  call: Call,
  queries: readonly Query[],
  whom: Whom,
  isolationLevel: number,
): Promise<Answers<ListedOffset>> {
  const topics = topicsOf(queries, (name, all) => ({
    name,
    partitions: all.map(({ partition, timestamp }) => ({ partitionIndex: partition, timestamp })),
  }));
  const body = { replicaId: -1, isolationLevel, topics, timeoutMs: call.brokerTimeoutMs };
  const oldest = queries.reduce((most, { since }) => Math.max(most, since), isolationLevelsSince);
  const response = await call.request(ListOffsets, body, whom, { oldest });
  return byPartition(
    response.topics,
    ({ name }) => name,
    ({ partitions }) => partitions,
    (at, { errorCode, offset, timestamp, leaderEpoch }): ListedOffset | BrokerError => {
      if (errorCode !== 0) return new BrokerError(errorCode, `listing the offset of ${partitionText(at)}`);
      return {
        ...at,
        offset: offset < 0n ? null : offset,
        timestamp: timestamp < 0n ? null : Number(timestamp),
        leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
      };
    },
  );
}

const isolationLevelsSince = 2;

interface Query extends TopicPartition {
  readonly timestamp: bigint;
  /** The first version of ListOffsets that knows it. */
  readonly since: number;
}

function checkedQuery(given: OffsetQuery, path: string): Query {
  const reader = new OptionReader(given, path);
  const at = readPartition(reader);
  const spec = reader.required(
    "spec",
    isSpec,
    `one of ${Object.keys(places).join(", ")}, or a time in ms since the epoch`,
  );
  reader.finish();
  const { timestamp, since } = typeof spec === "number" ? { timestamp: BigInt(spec), since: 1 } : places[spec];
  return { ...at, timestamp, since };
}

const isSpec = (value: unknown): value is OffsetSpec =>
  typeof value === "string" ? Object.hasOwn(places, value) : Number.isSafeInteger(value) && Number(value) >= 0;
