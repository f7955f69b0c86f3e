import { defaultCodecs, noProducerState, RecordBatchBuilder } from "@odradek/protocol";
import { type Payload, payloads } from "../produce/payloads.ts";
import type { Content } from "./workloads.ts";

/** A record batch as it goes into a log, and what is in it. */
export interface Batch {
  readonly bytes: Buffer;
  readonly records: number;
  /** Of all keys and values. */
  readonly payloadBytes: number;
}

/** So many different ones are enough for every key of records of 100 B, and little enough to be kept. */
const differentBatches = 32;

/** Where a batch is one record, room for it. */
const smallestBuffer = 512;

/** Batches that follow one another through the payloads of the producers' benchmark, each as full as it can be. */
export async function batchesOf(content: Content): Promise<Batch[]> {
  const source = payloads(content.valueBytes);
  const batches: Batch[] = [];
  let ratio = 1;
  let from = 0;
  // The first one finds out how much the records compress, and is not as full.
  const trials = content.compression === "none" ? 0 : 1;
  for (let index = 0; index < differentBatches + trials; index++) {
    const { batch, compressionRatio } = await batchFrom(source, from, content, ratio);
    ratio = compressionRatio;
    from += batch.records;
    if (index >= trials) batches.push(batch);
  }
  return batches;
}

async function batchFrom(
  source: readonly Payload[],
  from: number,
  { batchBytes, compression }: Content,
  ratio: number,
): Promise<{ readonly batch: Batch; readonly compressionRatio: number }> {
  const builder = new RecordBatchBuilder(Buffer.alloc(Math.max(batchBytes, smallestBuffer)), {
    writeLimit: batchBytes,
    compression: compression === "none" ? null : { codec: defaultCodecs[compression], ratio },
  });
  const now = Date.now();
  let payloadBytes = 0;
  for (;;) {
    const payload = source[(from + builder.recordCount) % source.length];
    if (payload === undefined) throw new Error("there is nothing to fill a batch with");
    if (!builder.append(now, payload.key, payload.value)) break;
    payloadBytes += payload.key.length + payload.value.length;
  }
  await builder.compress();
  const bytes = builder.close(noProducerState);
  return {
    batch: { bytes, records: builder.recordCount, payloadBytes },
    compressionRatio: builder.compressionRatio,
  };
}
