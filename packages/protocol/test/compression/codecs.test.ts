import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CompressionCodec } from "../../src/compression/codec.ts";
import { codecsWith, defaultCodecs } from "../../src/compression/codecs.ts";
import { gzip } from "../../src/compression/gzip.ts";
import { lz4 } from "../../src/compression/lz4.ts";
import { snappy } from "../../src/compression/snappy.ts";
import { packagedZstd, zstd } from "../../src/compression/zstd.ts";
import { DecodeError } from "../../src/errors.ts";

const mebibyte = 1024 * 1024;

/** Text and noise, so that there are literals, matches, and blocks that do not get smaller. */
function sample(size: number): Buffer {
  const bytes = Buffer.alloc(size, "the quick brown fox ");
  for (let at = 0; at < size; at++) if (at % 5000 < 1000) bytes[at] = (Math.imul(at, 2654435761) >>> 13) & 0xff;
  return bytes;
}

/** Both ways of compressing, where there are two. */
async function compressed(codec: CompressionCodec, input: Buffer, level?: number): Promise<Buffer[]> {
  const inBackground = await codec.compress(input, level);
  return codec.compressSync === undefined ? [inBackground] : [inBackground, codec.compressSync(input, level)];
}

/** Decompresses both ways, which must agree; the one result, or the one error. */
async function decompressed(codec: CompressionCodec, input: Buffer, maxOutputBytes = 64 * mebibyte): Promise<Buffer> {
  const background = await settled(() => codec.decompress(input, maxOutputBytes));
  if (codec.decompressSync !== undefined) {
    const onThread = await settled(() => codec.decompressSync?.(input, maxOutputBytes));
    if (Buffer.isBuffer(onThread) && Buffer.isBuffer(background)) expect(onThread.equals(background)).toBe(true);
    else expect(onThread).toEqual(background);
  }
  if (Buffer.isBuffer(background)) return background;
  throw background;
}

async function settled(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error;
  }
}

/** Frames that decompress to `megabytes` MiB of zeros, made without that many bytes. */
const bombs: Record<string, (megabytes: number) => Buffer> = {
  gzip(megabytes) {
    const member = gzip.compressSync?.(Buffer.alloc(mebibyte)) ?? Buffer.alloc(0);
    return Buffer.concat(Array<Buffer>(megabytes).fill(member));
  },
  snappy(megabytes) {
    const stream = snappy.compressSync?.(Buffer.alloc(mebibyte)) ?? Buffer.alloc(0);
    return Buffer.concat(Array<Buffer>(megabytes).fill(stream));
  },
  lz4(megabytes) {
    // A block of 4 MiB: one literal, then one match that repeats it, its length in bytes of 255.
    const length = 4 * mebibyte - 1 - 5 - 4 - 15;
    const match = Buffer.alloc(Math.floor(length / 255), 255);
    const block = Buffer.concat([
      Buffer.from("1f000100", "hex"),
      match,
      Buffer.from([length % 255, 0x50, 0, 0, 0, 0, 0]),
    ]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const blocks = Array<Buffer[]>(megabytes / 4).fill([size, block]);
    return Buffer.concat([Buffer.from("04224d18607073", "hex"), ...blocks.flat(), Buffer.alloc(4)]);
  },
  zstd(megabytes) {
    // Blocks of 128 KiB that say "this byte, that many times", the last of them marked.
    const blocks = Buffer.alloc(megabytes * 8 * 4);
    for (let at = 0; at < blocks.length; at += 4) blocks.writeUIntLE((131_072 << 3) | 2, at, 3);
    blocks.writeUInt8(blocks.readUInt8(blocks.length - 4) | 1, blocks.length - 4);
    return Buffer.concat([Buffer.from("28b52ffd0058", "hex"), blocks]);
  },
};

describe.each([
  ["gzip", gzip],
  ["snappy", snappy],
  ["lz4", lz4],
  ["zstd", zstd],
  ["zstd from the package", packagedZstd()],
] as const)("%s", (_, codec) => {
  const bomb = (megabytes: number) => bombs[codec.name]?.(megabytes) ?? Buffer.alloc(0);

  test.each([1, 100, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 300_000, 5 * mebibyte])(
    "brings back %i bytes",
    async (size) => {
      const input = sample(size);
      for (const output of await compressed(codec, input))
        expect((await decompressed(codec, output)).equals(input)).toBe(true);
    },
  );

  test("brings back nothing", async () => {
    for (const output of await compressed(codec, Buffer.alloc(0))) {
      expect(await decompressed(codec, output)).toEqual(Buffer.alloc(0));
    }
  });

  test("brings back any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        const input = Buffer.from(bytes);
        for (const output of await compressed(codec, input)) {
          expect((await decompressed(codec, output)).equals(input)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("works at both ends of its levels, and its default", async () => {
    const { min, max, default: usual } = codec.levels ?? { min: undefined, max: undefined, default: undefined };
    const input = sample(10_000);
    for (const level of [min, max, usual]) {
      for (const output of await compressed(codec, input, level)) {
        expect((await decompressed(codec, output)).equals(input)).toBe(true);
      }
    }
  });

  test("takes what is exactly as large as allowed, and refuses one byte more", async () => {
    const [output = Buffer.alloc(0)] = await compressed(codec, sample(100_000));
    expect((await decompressed(codec, output, 100_000)).length).toBe(100_000);
    await expect(decompressed(codec, output, 99_999)).rejects.toThrow(
      `${codec.name} data of more than 99999 bytes when decompressed`,
    );
  });

  test("reads what the bombs below are made of", async () => {
    expect((await decompressed(codec, bomb(8))).equals(Buffer.alloc(8 * mebibyte))).toBe(true);
  });

  test("refuses a bomb of 1 GiB with a DecodeError, and without taking the memory", async () => {
    const input = bomb(1024);
    const before = process.memoryUsage().rss;
    await expect(decompressed(codec, input, 16 * mebibyte)).rejects.toThrow(DecodeError);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * mebibyte);
  });

  test("gives a DecodeError, or less, for what is cut off at any byte", async () => {
    const input = Buffer.from("the quick brown fox jumps over the lazy dog. ".repeat(5));
    const [whole = Buffer.alloc(0)] = await compressed(codec, input);
    for (let end = 0; end < whole.length; end++) {
      const result = await settled(() => decompressed(codec, whole.subarray(0, end)));
      // The stream of snappy-java has no end, so that its header alone is the stream of nothing.
      if (codec.name === "snappy" && end === 16) expect(result).toEqual(Buffer.alloc(0));
      else expect(result).toBeInstanceOf(DecodeError);
    }
  });

  test("gives a DecodeError or some bytes, and nothing else, for what has a byte changed", async () => {
    const [sound = Buffer.alloc(0)] = await compressed(codec, sample(300));
    for (let at = 0; at < sound.length; at++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(sound);
        changed.writeUInt8(byte, at);
        const result = await settled(() => decompressed(codec, changed, 1000));
        if (Buffer.isBuffer(result)) expect(result.length).toBeLessThanOrEqual(1000);
        else expect(result).toBeInstanceOf(DecodeError);
      }
    }
  });

  test("gives a DecodeError for what is something else", async () => {
    for (const input of [Buffer.alloc(0), Buffer.from("not compressed"), Buffer.alloc(100, 0xff)]) {
      await expect(decompressed(codec, input)).rejects.toThrow(DecodeError);
    }
  });
});

test("a codec of one's own takes the place of the default, for one client only", () => {
  const own = { ...gzip };
  const codecs = codecsWith({ gzip: own });
  expect(codecs.gzip).toBe(own);
  expect(codecs.lz4).toBe(lz4);
  expect(defaultCodecs.gzip).toBe(gzip);
  expect(Object.isFrozen(codecs) && Object.isFrozen(defaultCodecs)).toBe(true);
});
