import type { Work } from "../comparison.ts";
import type { Inputs } from "./inputs.ts";
import { type Shape, shapes, sourceRecords, sourceTexts } from "./sources.ts";
import type { PeerCodec, SourcePartition, Task } from "./task.ts";

/** One kind of work of the codec suite. */
export interface CodecCase extends Work {
  /** What a peer does for it, ready to run; `null` where it cannot. */
  prepare(codec: PeerCodec, inputs: Inputs): Promise<Task | null>;
  /** The number in the table, from the nanoseconds that one run of the task takes. */
  valueOf(ns: number): number;
}

type Prepare = CodecCase["prepare"];

const perRecord = (name: string, count: number, prepare: Prepare): CodecCase => ({
  name,
  unit: "ns/record",
  better: "lower",
  prepare,
  valueOf: (ns) => ns / count,
});

const perMessage = (name: string, prepare: Prepare): CodecCase => ({
  name,
  unit: "us",
  better: "lower",
  prepare,
  valueOf: (ns) => ns / 1_000,
});

const perByte = (name: string, bytes: number, prepare: Prepare): CodecCase => ({
  name,
  unit: "GiB/s",
  better: "higher",
  prepare,
  valueOf: (ns) => bytes / (ns / 1e9) / 2 ** 30,
});

const kib = 1_024;
const smallest: Shape = { count: 100, valueBytes: 100 };

/** In the order of the table. */
export const codecCases: readonly CodecCase[] = [
  ...shapes.map((shape) =>
    perRecord(`encode ${of(shape)}`, shape.count, async (codec) => codec.encodeRecords(sourceRecords(shape))),
  ),
  perRecord(`encode ${of(smallest)}, strings`, smallest.count, async (codec) =>
    codec.encodeTexts(sourceTexts(smallest)),
  ),
  ...shapes.map((shape) =>
    perRecord(`read ${of(shape)}`, shape.count, async (codec, inputs) => codec.readRecords(await inputs.batch(shape))),
  ),
  ...shapes.map((shape) =>
    perRecord(`read ${of(shape)}, CRC`, shape.count, async (codec, inputs) =>
      codec.readCheckedRecords(await inputs.batch(shape)),
    ),
  ),
  ...shapes.map((shape) =>
    perRecord(`iterate ${of(shape)}`, shape.count, async (codec, inputs) =>
      codec.iterateRecords(await inputs.batch(shape)),
    ),
  ),
  ...[6, 12].map((version) =>
    perMessage(`Metadata response v${version}, 500 topics x 12`, async (codec, inputs) =>
      codec.decodeMetadata(await inputs.metadata(version), version),
    ),
  ),
  ...[7, 9].map((version) =>
    perMessage(`Produce response v${version}, 50 partitions`, async (codec, inputs) =>
      codec.decodeProduce(await inputs.produce(version), version),
    ),
  ),
  perMessage("Produce request v7, 50 partitions x 10 x 100 B", async (codec) =>
    codec.encodeProduce("orders.events", partitions(50, { count: 10, valueBytes: 100 })),
  ),
  ...[100, kib, 16 * kib, kib * kib].map((bytes) =>
    perByte(`CRC-32C of ${sizeOf(bytes)}`, bytes, async (codec) => {
      const [record] = sourceRecords({ count: 1, valueBytes: bytes });
      return record === undefined ? null : codec.crc32c(record.value);
    }),
  ),
];

function of({ count, valueBytes }: Shape): string {
  return `${count.toLocaleString("en")} x ${sizeOf(valueBytes)}`;
}

function sizeOf(bytes: number): string {
  if (bytes >= kib * kib) return `${bytes / kib / kib} MiB`;
  return bytes >= kib ? `${bytes / kib} KiB` : `${bytes} B`;
}

function partitions(count: number, shape: Shape): SourcePartition[] {
  return Array.from({ length: count }, (_, partition) => ({ partition, records: sourceRecords(shape) }));
}
