import fc from "fast-check";
import { expect, test } from "vitest";
import { type CompressionType, compressionTypes } from "../../src/compression/codec.ts";
import { defaultCodecs } from "../../src/compression/codecs.ts";
import { DecodeError, KafkaError } from "../../src/errors.ts";
import { CorruptRecordError } from "../../src/records/corrupt-record-error.ts";
import { offsetOf } from "../../src/records/record-batch-header.ts";
import { batchesOf, batchOf, patched, withPayload } from "./batches.ts";

const maxDecompressedBytes = 10_000;

/** What a peer makes of a batch that was sound. */
interface Harm {
  readonly name: string;
  readonly apply: (batch: Buffer) => Buffer;
}

const edges8 = [-1n, 0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const edges4 = [-1, 0, 1, 0x7f, 0x7fff_ffff, -0x8000_0000];

const field8 = fc
  .tuple(fc.constantFrom("baseOffset", "baseTimestamp", "maxTimestamp", "producerId"), fc.constantFrom(...edges8))
  .map(
    ([name, value]): Harm => ({
      name: `${name} ${value}`,
      apply: (batch) => patched(batch, (bytes) => bytes.writeBigInt64BE(value, offsetOf[name])),
    }),
  );
const field4 = fc.tuple(fc.constantFrom("lastOffsetDelta", "count", "baseSequence"), fc.constantFrom(...edges4)).map(
  ([name, value]): Harm => ({
    name: `${name} ${value}`,
    apply: (batch) => patched(batch, (bytes) => bytes.writeInt32BE(value, offsetOf[name])),
  }),
);
const attributes = fc.integer({ min: 0, max: 0xff }).map(
  (value): Harm => ({
    name: `attributes ${value}`,
    apply: (batch) => patched(batch, (bytes) => bytes.writeInt16BE(value, offsetOf.attributes)),
  }),
);
const batchLength = fc.constantFrom(...edges4, 48, 49).map(
  (value): Harm => ({
    name: `length ${value}`,
    apply: (batch) => {
      const copy = Buffer.from(batch);
      copy.writeInt32BE(value, offsetOf.batchLength);
      return copy;
    },
  }),
);
const payload = fc.tuple(fc.nat(), fc.nat({ max: 8 }), fc.uint8Array({ maxLength: 8 })).map(
  ([at, removed, added]): Harm => ({
    name: `${removed} bytes at ${at} become ${Buffer.from(added).toString("hex")}`,
    apply: (batch) => {
      const records = batch.subarray(offsetOf.records);
      const start = records.length === 0 ? 0 : at % records.length;
      return withPayload(batch, Buffer.concat([records.subarray(0, start), added, records.subarray(start + removed)]));
    },
  }),
);
const cut = fc
  .nat()
  .map((at): Harm => ({ name: `cut at ${at}`, apply: (batch) => batch.subarray(0, at % batch.length) }));
const checksum = fc.constant<Harm>({
  name: "another checksum",
  apply: (batch) => {
    const copy = Buffer.from(batch);
    copy.writeUInt32BE(7, offsetOf.crc);
    return copy;
  },
});

async function soundBatch(type: CompressionType): Promise<Buffer> {
  const records = Array.from({ length: 20 }, (_, index) => ({
    key: `key-${index % 3}`,
    value: `the value of record ${index} `.repeat(4),
    headers: [{ key: "trace", value: `${index}` }],
  }));
  const compression = type === "none" ? null : { codec: defaultCodecs[type], ratio: 1 };
  return batchOf(records, { compression });
}

/** Reads a batch, and all that is in it; how many bytes of records it had. */
async function readAll(bytes: Buffer, checkCrcs: boolean): Promise<number> {
  let sum = 0;
  for (const batch of batchesOf(bytes, { checkCrcs, maxDecompressedBytes })) {
    await batch.decompress();
    void batch.controlType;
    for (const { key, value, headers, offset, timestamp } of batch) {
      expect(typeof offset).toBe("bigint");
      expect(typeof timestamp).toBe("number");
      sum += (key?.length ?? 0) + (value?.length ?? 0) + headers.length * 2;
    }
  }
  return sum;
}

test.each(compressionTypes)(
  "whatever is done to a batch in %s, what comes of it is records within the limit or a typed error",
  async (type) => {
    const sound = await soundBatch(type);
    expect(await readAll(sound, true)).toBeGreaterThan(1_900);
    let refused = 0;
    let read = 0;
    const harms = fc.array(
      fc.oneof(field8, field4, attributes, batchLength, payload, payload, payload, cut, checksum),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    const property = fc.asyncProperty(harms, fc.boolean(), async (all, checkCrcs) => {
      // The harms before may have left less than a header, which no further one can be done to.
      const harmed = all.reduce((bytes, { apply }) => (bytes.length > offsetOf.records ? apply(bytes) : bytes), sound);
      try {
        expect(await readAll(harmed, checkCrcs)).toBeLessThanOrEqual(maxDecompressedBytes);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(KafkaError);
        expect([CorruptRecordError, DecodeError]).toContain(Object(error).constructor);
        refused++;
      }
    });
    await fc.assert(property, { numRuns: 1_500 });
    expect(refused).toBeGreaterThan(300);
    expect(read).toBeGreaterThan(100);
  },
);
