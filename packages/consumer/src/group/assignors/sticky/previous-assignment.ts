import type { TopicPartition } from "@odradek/network";
import { DecodeError, Reader, Writer } from "@odradek/protocol";
import type { LastAssignment } from "../../partition-assignor.ts";
import { groupedBy } from "../grouping.ts";
import type { Holding } from "./sticky-group.ts";

const noGeneration = -1;

/** What Kafka's `StickyAssignor` calls version 1 of its user data: the partitions by topic, and the generation. */
export function encodePreviousAssignment({ partitions, generationId }: LastAssignment): Uint8Array {
  const topics = groupedBy(partitions, ({ topic }) => topic);
  const writer = new Writer();
  writer.int32(topics.size);
  for (const [topic, ofTopic] of topics) {
    const length = Buffer.byteLength(topic);
    writer.int16(length);
    writer.text(topic, length);
    writer.int32(ofTopic.length);
    for (const { partition } of ofTopic) writer.int32(partition);
  }
  writer.int32(generationId);
  return Buffer.concat(writer.finish());
}

/** Reads both versions; version 0 ends before the generation. What cannot be read is no claim to anything. */
export function decodePreviousAssignment(userData: Uint8Array | null): Holding {
  const nothing: Holding = { partitions: [], generationId: noGeneration };
  if (userData === null) return nothing;
  const reader = new Reader(Buffer.from(userData.buffer, userData.byteOffset, userData.byteLength));
  try {
    const partitions = readPartitions(reader);
    return { partitions, generationId: reader.remaining < 4 ? noGeneration : reader.int32() };
  } catch (error) {
    if (error instanceof DecodeError) return nothing;
    throw error;
  }
}

function readPartitions(reader: Reader): TopicPartition[] {
  const partitions: TopicPartition[] = [];
  for (let topics = count(reader, 6); topics > 0; topics--) {
    const topic = reader.text(reader.count(reader.int16(), 1, reader.offset));
    for (let left = count(reader, 4); left > 0; left--) partitions.push({ topic, partition: reader.int32() });
  }
  return partitions;
}

/** The count of an array whose items have `minBytes` each. */
function count(reader: Reader, minBytes: number): number {
  const items = reader.int32();
  reader.items(items, minBytes, 48);
  return items;
}
