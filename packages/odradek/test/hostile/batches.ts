import { type CodecName, compressionTypes, crc32c, defaultCodecs } from "@odradek/protocol";

const mebibyte = 1_048_576;

const compress = (codec: CodecName, bytes: Buffer): Promise<Buffer> => defaultCodecs[codec].compress(bytes);

/** A batch of format 2 with whatever bytes for its records, and a checksum that is right. */
export function batchOf(codec: CodecName | "none", records: Buffer, count: number, baseOffset = 0): Buffer {
  const batch = Buffer.concat([Buffer.alloc(61), records]);
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(compressionTypes.indexOf(codec), 21);
  batch.writeInt32BE(Math.max(0, count - 1), 23);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17);
  return batch;
}

/** The bytes of a record at the first offset of its batch. */
export function record(value: Buffer, headers: Buffer = Buffer.of(0)): Buffer {
  const body = Buffer.concat([Buffer.of(0, 0, 0, 1), varint(value.length), value, headers]);
  return Buffer.concat([varint(body.length), body]);
}

/** The header by which a consumer knows that no more will come. */
const lastHeader: Buffer = Buffer.concat([varint(1), varint(4), Buffer.from("last"), varint(0)]);

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A batch of some kilobytes whose records would be a gibibyte of zeros. */
export async function bomb(codec: CodecName): Promise<Buffer> {
  return batchOf(codec, await gibibyteOfZeros[codec](), 1);
}

const gibibyteOfZeros: Readonly<Record<CodecName, () => Promise<Buffer>>> = {
  // Members, and streams, may stand one behind the other.
  gzip: async () => Buffer.concat(Array<Buffer>(64).fill(await compress("gzip", Buffer.alloc(16 * mebibyte)))),
  snappy: async () => Buffer.concat(Array<Buffer>(64).fill(await compress("snappy", Buffer.alloc(16 * mebibyte)))),
  lz4: async () => {
    // One block of 4 MiB, as often as it takes, between the header of a frame and its end.
    const frame = await compress("lz4", Buffer.alloc(16 * mebibyte));
    const blocks = frame.subarray(7, -4);
    return Buffer.concat([frame.subarray(0, 7), ...Array<Buffer>(64).fill(blocks), Buffer.alloc(4)]);
  },
  zstd: async () => {
    // Blocks of 128 KiB that say "this byte, that many times", the last of them marked.
    const blocks = Buffer.alloc(8_192 * 4);
    for (let at = 0; at < blocks.length; at += 4) blocks.writeUIntLE((131_072 << 3) | 2, at, 3);
    blocks.writeUInt8(blocks.readUInt8(blocks.length - 4) | 1, blocks.length - 4);
    return Buffer.concat([Buffer.from("28b52ffd0058", "hex"), blocks]);
  },
};

/** Batches that are right, each of one record of `bytes`, all but as large as allowed; the last one says that it is. */
export async function heavyBatches(codec: CodecName, bytes: number, count: number): Promise<Buffer> {
  const records = await compress(codec, record(Buffer.alloc(bytes)));
  const batches = Array.from({ length: count }, (_, index) => batchOf(codec, records, 1, index));
  return Buffer.concat([...batches, batchOf("none", record(Buffer.alloc(0), lastHeader), 1, count)]);
}
