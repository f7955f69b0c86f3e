import { sequenceAfter } from "../src/sequence.ts";
import type { ProducedBatch } from "./scripted-broker.ts";

/** Batches of a producer that a leader remembers: what comes again is told by them. */
const rememberedBatches = 5;

interface AppendedBatch {
  readonly first: number;
  readonly last: number;
  readonly offset: bigint;
}

/** What a leader knows of one producer. */
interface ProducerEntry {
  epoch: number;
  batches: AppendedBatch[];
}

export type AppendOutcome =
  | { readonly error: null; readonly offset: bigint }
  | { readonly error: "OUT_OF_ORDER_SEQUENCE_NUMBER" | "INVALID_PRODUCER_EPOCH"; readonly offset: null };

/**
 * A partition's log as its leader keeps it, with the checks of producer id, epoch and sequence number.
 * Source: Kafka's `ProducerAppendInfo`, `ProducerStateEntry`.
 */
export class ModelLog {
  readonly values: string[] = [];
  readonly #producers = new Map<bigint, ProducerEntry>();

  append({ producerId, producerEpoch, baseSequence, values }: ProducedBatch): AppendOutcome {
    const last = sequenceAfter(baseSequence, values.length - 1);
    const known = this.#producers.get(producerId);
    if (known !== undefined && producerEpoch < known.epoch) return { error: "INVALID_PRODUCER_EPOCH", offset: null };
    const isSameEpoch = known?.epoch === producerEpoch;
    const again = isSameEpoch && known.batches.find((batch) => batch.first === baseSequence && batch.last === last);
    if (again) return { error: null, offset: again.offset };
    // Whoever is not known may begin with any number.
    if (known !== undefined) {
      const expected = isSameEpoch ? sequenceAfter(known.batches.at(-1)?.last ?? -1, 1) : 0;
      if (baseSequence !== expected) return { error: "OUT_OF_ORDER_SEQUENCE_NUMBER", offset: null };
    }
    const offset = BigInt(this.values.length);
    this.values.push(...values.map(String));
    const batches = [...(isSameEpoch ? known.batches : []), { first: baseSequence, last, offset }];
    this.#producers.set(producerId, { epoch: producerEpoch, batches: batches.slice(-rememberedBatches) });
    return { error: null, offset };
  }
}
