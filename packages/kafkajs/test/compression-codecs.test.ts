import { afterEach, describe, expect, test, vi } from "vitest";
import { CompressionCodecs, type RegistrableCodec, registeredCodecs } from "../src/compression/compression-codecs.ts";
import { CompressionTypes } from "../src/constants.ts";

const built = { ...CompressionCodecs };
afterEach(() => {
  Object.assign(CompressionCodecs, built);
});

const records = Buffer.from("records ".repeat(100));
const types = [
  ["gzip", CompressionTypes.GZIP],
  ["snappy", CompressionTypes.Snappy],
  ["lz4", CompressionTypes.LZ4],
  ["zstd", CompressionTypes.ZSTD],
] as const;

describe.each(types)("what is registered for %s", (name, type) => {
  test("is built in at first, in the shape of kafkajs", async () => {
    const codec = CompressionCodecs[type]();
    const compressed = Buffer.from(await codec.compress({ buffer: records }));
    expect(compressed.length).toBeLessThan(records.length);
    expect(await codec.decompress(compressed)).toEqual(records);
    expect(await registeredCodecs[name].decompress(compressed, 10_000)).toEqual(records);
  });

  test("wins, whenever it came, and is asked for at every batch", async () => {
    const codec = registeredCodecs[name];
    const factory = vi.fn(
      (): RegistrableCodec => ({
        compress: async ({ buffer }) => new Uint8Array(buffer.toReversed()),
        decompress: (buffer) => buffer.toReversed(),
      }),
    );
    CompressionCodecs[type] = factory;
    expect(codec.compressSync).toBe(undefined);
    expect(codec.decompressSync).toBe(undefined);
    const compressed = await codec.compress(records);
    expect(compressed.toString()).toMatch(/^ sdrocer/);
    expect(compressed).toBeInstanceOf(Buffer);
    expect((await codec.decompress(compressed, 10_000)).toString()).toBe(records.toString());
    expect(factory).toHaveBeenCalledTimes(2);
  });

  test("and gives no bytes is a TypeError that says so", async () => {
    CompressionCodecs[type] = () => JSON.parse("{}");
    await expect(registeredCodecs[name].compress(records)).rejects.toThrow(TypeError);
    const compress = () => JSON.parse('"text"');
    CompressionCodecs[type] = () => ({ compress, decompress: compress });
    await expect(registeredCodecs[name].compress(records)).rejects.toThrow(`for ${name} gave no Buffer but string`);
  });
});

test("what is built in works on this thread where its library can", () => {
  expect(registeredCodecs.gzip.compressSync?.(records, 9).length).toBeLessThan(records.length);
  expect(registeredCodecs.gzip.levels).toMatchObject({ min: 1, max: 9 });
});
