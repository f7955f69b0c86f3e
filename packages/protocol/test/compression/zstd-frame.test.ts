import { describe, expect, test } from "vitest";
import { packagedZstd, zstd } from "../../src/compression/zstd.ts";
import { zstdFrames } from "../../src/compression/zstd-frame.ts";
import { DecodeError } from "../../src/errors.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const frames = (hex: string) => [...zstdFrames(bytes(hex))];

const magic = "28b52ffd";
/** "hello" as the last block, as it is. */
const raw = "290000 68656c6c6f";

describe("frames are found, with what they can become", () => {
  test.each([
    ["with a window", `${magic} 00 58 ${raw}`, 5],
    ["with a content size of one byte", `${magic} 20 05 ${raw}`, 5],
    ["with a content size of two bytes", `${magic} 40 58 0500 ${raw}`, 5],
    ["with a content size of four bytes", `${magic} a0 05000000 ${raw}`, 5],
    ["with a content size of eight bytes", `${magic} e0 0500000000000000 ${raw}`, 5],
    ["with a dictionary id of four bytes", `${magic} 03 58 01000000 ${raw}`, 5],
    ["with a checksum", `${magic} 04 58 ${raw} 00000000`, 5],
    ["with a block of one byte repeated", `${magic} 00 58 030020 41`, 262_144],
    ["with a compressed block, which counts as full", `${magic} 00 58 0d0000 00`, 131_072],
    ["with a compressed block of a small window", `${magic} 00 09 0d0000 00`, 2048 + 256],
    ["with several blocks", `${magic} 00 58 280000 68656c6c6f 0c0000 00 ${raw}`, 131_072 + 10],
  ])("%s", (_, hex, maxBytes) => {
    const input = bytes(hex);
    expect(frames(hex)).toMatchObject([{ start: 0, end: input.length, maxBytes }]);
  });

  test.each([
    ["nothing", `${magic} 00 58 0d0000 00`, 131_072],
    ["a size of one byte", `${magic} 20 fa 0d0000 00`, 250],
    ["a size of two bytes, from 256 on", `${magic} 40 58 0100 0d0000 00`, 257],
    ["a size of four bytes", `${magic} a0 e8030000 0d0000 00`, 1_000],
    ["a size of eight bytes", `${magic} e0 e803000000000000 0d0000 00`, 1_000],
    ["more than it can become", `${magic} e0 ffffffffffffffff 0d0000 00`, 131_072],
  ])("and say %s", (_, hex, statedBytes) => {
    expect(frames(hex)).toMatchObject([{ statedBytes }]);
  });

  test("one behind the other, and without those to be skipped", () => {
    const skippable = "5f2a4d18 02000000 ffff";
    const found = frames(`${skippable} ${magic} 00 58 ${raw} ${skippable} ${magic} 20 05 ${raw}`);
    expect(found.map(({ start, end }) => [start, end])).toEqual([
      [10, 24],
      [34, 48],
    ]);
  });
});

test("up to a hundred, because each takes its time", () => {
  const frame = `${magic} 20 05 ${raw} `;
  expect(frames(frame.repeat(100))).toHaveLength(100);
  expect(() => frames(frame.repeat(101))).toThrow("more than 100 zstd frames in a row");
});

describe("what is no frame is a DecodeError", () => {
  test.each([
    ["nothing", ""],
    ["frames to be skipped only", "502a4d18 00000000"],
    ["another magic", `28b52ffe 00 58 ${raw}`],
    ["a block of unknown type", `${magic} 00 58 2f0000 68656c6c6f`],
    ["bytes behind it", `${magic} 00 58 ${raw} 00`],
    ["a frame to be skipped past the end", "502a4d18 ffffffff 00"],
    ["a block past the end", `${magic} 00 58 310000 68656c6c6f`],
    ["no last block", `${magic} 00 58 280000 68656c6c6f`],
    ["a size past the end", `${magic} e0 0500`],
    ["no checksum where there should be one", `${magic} 04 58 ${raw}`],
  ])("%s", (_, hex) => {
    expect(() => frames(hex)).toThrow(DecodeError);
  });
});

describe.each([
  ["of this Node, or the package", zstd],
  ["of the package", packagedZstd()],
])("zstd %s", (_, codec) => {
  test("reads all frames", async () => {
    const input = bytes(`${magic} 00 58 ${raw} 502a4d18 02000000 ffff ${magic} 20 05 ${raw}`);
    expect(String(await codec.decompress(input, 10))).toBe("hellohello");
    await expect(codec.decompress(input, 9)).rejects.toThrow("zstd data of more than 9 bytes when decompressed");
  });

  test.each([2, 250])("reads a frame that states a size of %i bytes and becomes another one", async (size) => {
    const input = bytes(`${magic} 20 ${size.toString(16).padStart(2, "0")} 280000 68656c6c6f 030020 41`);
    // The library of the package, and that of some Nodes, refuse it; what they make of it is all of it.
    const output = await codec.decompress(input, 1_000_000).catch((error: unknown) => error);
    if (output instanceof Buffer) expect(output).toHaveLength(5 + 131_072);
    else expect(output).toBeInstanceOf(DecodeError);
  });

  test("reads what Kafka's streams write, which do not state a size", async () => {
    const input = bytes("28b52ffd00587000001a000000046b310a68656c6c6f00010000");
    expect((await codec.decompress(input, 14)).toString("hex")).toBe("1a000000046b310a68656c6c6f00");
  });

  test.each([
    ["a content size that is not true", `${magic} 20 06 ${raw}`],
    ["a content size that no memory has", `${magic} e0 0000000000010000 ${raw}`],
    ["a dictionary", `${magic} 03 58 01000000 ${raw}`],
    ["a checksum that is not true", `${magic} 04 58 ${raw} 00000000`],
    ["a window that no memory has", `${magic} 00 f8 ${raw}`],
  ])("refuses %s", async (_, hex) => {
    await expect(codec.decompress(bytes(hex), 1 << 20)).rejects.toThrow(DecodeError);
  });
});
