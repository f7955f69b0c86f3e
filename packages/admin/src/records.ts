import { OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { DeleteRecords } from "@odradek/protocol/messages/delete-records";
import { checkedKeys, isInt64, readPartition } from "./asking/arguments.ts";
import { byPartition, topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { askAll } from "./asking/fan-out.ts";
import { toLeader } from "./asking/routing.ts";
import type { Results } from "./results.ts";

/** Which records of a partition are to go. Source: Kafka's `RecordsToDelete`. */
export interface RecordsToDelete extends TopicPartition {
  /** The first offset that stays; -1 for the high watermark, so that everything goes which consumers can see. */
  readonly beforeOffset: bigint | number;
}

/** A partition whose oldest records are gone. */
export interface DeletedRecords extends TopicPartition {
  /** The first offset that is left. */
  readonly lowWatermark: bigint;
}

/** See `KafkaAdmin.deleteRecords`. */
export async function deleteRecords(
  context: AdminContext,
  given: readonly RecordsToDelete[],
  options: AdminCallOptions,
): Promise<Results<DeletedRecords, TopicPartition>> {
  const partitions = checkedKeys("partitions", given, checkedRecords, partitionText);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const offsets = new Map(partitions.map((one) => [partitionText(one), one.offset]));
  return askAll<TopicPartition, DeletedRecords>(call, {
    keys: partitions.map(({ topic, partition }): TopicPartition => ({ topic, partition })),
    textOf: partitionText,
    routing: toLeader(),
    ask: async (some, whom) => {
      const topics = topicsOf(some, (name, all) => ({
        name,
        partitions: all.map((at) => ({ partitionIndex: at.partition, offset: offsets.get(partitionText(at)) ?? 0n })),
      }));
      const response = await call.request(DeleteRecords, { topics, timeoutMs: call.brokerTimeoutMs }, whom);
      return byPartition(
        response.topics,
        ({ name }) => name,
        ({ partitions: all }) => all,
        (at, { errorCode, lowWatermark }) =>
          errorCode === 0
            ? { ...at, lowWatermark }
            : new BrokerError(errorCode, `deleting records of ${partitionText(at)}`),
      );
    },
  });
}

function checkedRecords(given: RecordsToDelete, path: string) {
  const reader = new OptionReader(given, path);
  const checked = {
    ...readPartition(reader),
    offset: BigInt(reader.required("beforeOffset", isOffset, "a whole number of at least 0, or -1 for the end")),
  };
  reader.finish();
  return checked;
}

const isOffset = (value: unknown): value is bigint | number => isInt64(value) && value >= -1;
