import type { LogBatch } from "./log/log-batch.ts";
import type { PartitionLog } from "./log/partition-log.ts";
import { type LoggedRecord, recordsOf } from "./partition-view.ts";
import type { Topic } from "./topics/topic.ts";
import { whenThere } from "./waiting.ts";

/** A record of a topic, with the partition that it is in. */
export interface TopicRecord extends LoggedRecord {
  readonly partition: number;
}

/**
 * Waits until so many records of a topic can be read, those of open and aborted transactions aside.
 *
 * @returns all that can be read then, by partition and offset
 * @throws Error when they do not come in time
 */
export async function waitForRecords(
  topic: Topic,
  count: number,
  timeoutMs: number,
  closing: AbortSignal,
): Promise<TopicRecord[]> {
  const failure = () => `${topic.name} has ${countOf(topic)} of ${count} records after ${timeoutMs} ms`;
  await whenThere(
    () => (hasRecords(topic, count) ? true : null),
    (onChange) => watchLogs(topic, onChange),
    { timeoutMs, closing, failure },
  );
  const records: TopicRecord[] = [];
  for (const { index: partition, log } of topic.partitions) {
    const found = await recordsOf(committedBatches(log), log.logStartOffset);
    for (const record of found) records.push({ partition, ...record });
  }
  return records;
}

/** Calls `onChange` after every change of the logs of a topic, until the returned function is called. */
export function watchLogs({ partitions }: Topic, onChange: () => void): () => void {
  const unwatch = partitions.map(({ log }) => log.watch(onChange));
  return () => {
    for (const stop of unwatch) stop();
  };
}

/** They are counted only where there are offsets enough, since it is asked after every append. */
const hasRecords = (topic: Topic, count: number): boolean => offsetsOf(topic) >= count && countOf(topic) >= count;

const offsetsOf = ({ partitions }: Topic): number =>
  partitions.reduce((sum, { log }) => sum + Number(log.lastStableOffset - log.logStartOffset), 0);

const countOf = ({ partitions }: Topic): number =>
  partitions.reduce((sum, { log }) => sum + countFrom(log, log.logStartOffset), 0);

/** How many records there are from `offset` on. */
export function countFrom(log: PartitionLog, offset: bigint): number {
  const start = offset > log.logStartOffset ? offset : log.logStartOffset;
  return committedBatches(log).reduce((sum, batch) => sum + recordsFrom(start, batch), 0);
}

function recordsFrom(start: bigint, { baseOffset, lastOffset, compaction }: LogBatch): number {
  if (lastOffset < start) return 0;
  if (compaction !== null) return compaction.offsets.filter((offset) => offset >= start).length;
  return Number(lastOffset - (start > baseOffset ? start : baseOffset)) + 1;
}

/** What a consumer that reads committed records is given. */
function committedBatches(log: PartitionLog): LogBatch[] {
  const { lastStableOffset } = log;
  return log.batches.filter(
    (batch) => batch.marker === null && batch.lastOffset < lastStableOffset && !log.isAborted(batch),
  );
}
