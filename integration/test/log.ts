import { KafkaConsumer, string } from "odradek";
import type { LogRecord } from "./judgement.ts";

/** Whose end is meant: of all that was written, whose transactions are awaited, or of what may be seen now. */
export type End = "of the log" | "of what may be seen";

export interface LogOptions {
  readonly bootstrapServers: readonly string[];
  /** @default "read_committed" */
  readonly isolationLevel?: "read_committed" | "read_uncommitted";
  /** @default 1 */
  readonly partitionCount?: number;
  /** @default "of the log" */
  readonly end?: End;
}

/** What is in a topic, up to an end that is looked up now; by partition, and in order. */
export async function readLog(topic: string, options: LogOptions): Promise<LogRecord[][]> {
  const { bootstrapServers, isolationLevel = "read_committed", partitionCount = 1, end = "of the log" } = options;
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    isolationLevel,
    valueDeserializer: string,
  });
  await using measuring = new KafkaConsumer({ bootstrapServers });
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  // A coordinator answers before it has told the leaders that a transaction has ended.
  const ends = await (end === "of the log" ? measuring : consumer).endOffsets(partitions);
  const found: LogRecord[][] = partitions.map(() => []);
  for (;;) {
    const positions = await Promise.all(partitions.map((partition) => consumer.position(partition)));
    if (ends.every(({ offset }, index) => (positions[index] ?? 0n) >= offset)) return found;
    for (const { partition, offset, value } of await consumer.poll(1_000)) found[partition]?.push({ offset, value });
  }
}
