import { DecodeError } from "@odradek/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameReader } from "../src/frame-reader.ts";

const frame = (payload: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length);
  return Buffer.concat([length, payload]);
};

const announced = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
};

const readerOf = (maxFrameBytes = 1_000) => {
  const frames: Buffer[] = [];
  return { reader: new FrameReader(maxFrameBytes, (payload) => frames.push(payload)), frames };
};

describe("a frame reader", () => {
  test("gives the same frames however the stream is cut into chunks", () => {
    const payloads = fc.array(fc.uint8Array({ minLength: 4, maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (expected, sizes) => {
        const stream = Buffer.concat(expected.map(frame));
        const { reader, frames } = readerOf();
        for (let offset = 0, i = 0; offset < stream.length; i++) {
          const end = offset + (sizes[i % sizes.length] ?? 1);
          reader.push(stream.subarray(offset, end));
          offset = end;
        }
        expect(frames.map((payload) => [...payload])).toEqual(expected.map((payload) => [...payload]));
      }),
    );
  });

  test("takes two frames out of one chunk", () => {
    const { reader, frames } = readerOf();
    reader.push(Buffer.concat([frame(Buffer.from("first")), frame(Buffer.from("second"))]));
    expect(frames.map(String)).toEqual(["first", "second"]);
  });

  test("gives a frame memory of its own: a chunk is overwritten by the next one", () => {
    const chunk = Buffer.concat([frame(Buffer.from("whole")), frame(Buffer.from("begun")).subarray(0, 6)]);
    const { reader, frames } = readerOf();
    reader.push(chunk);
    chunk.fill(0);
    reader.push(Buffer.from("gun"));
    expect(frames.map(String)).toEqual(["whole", "begun"]);
  });

  test("copies a frame of many chunks once, into memory of exactly its size", () => {
    const payload = Buffer.alloc(200_000, "x");
    const stream = frame(payload);
    const { reader, frames } = readerOf(payload.length);
    const copies: number[] = [];
    for (let offset = 0; offset < stream.length; offset += 1_000) {
      const chunk = stream.subarray(offset, offset + 1_000);
      // Whoever reads a chunk does it through `copy`: what is copied twice is counted twice.
      const copy = chunk.copy.bind(chunk);
      chunk.copy = (target, targetStart, sourceStart, sourceEnd) => {
        const copied = copy(target, targetStart, sourceStart, sourceEnd);
        copies.push(copied);
        return copied;
      };
      reader.push(chunk);
    }
    // Not toEqual, which walks through the bytes one by one: it took seconds on a busy machine.
    expect(frames).toHaveLength(1);
    expect(frames[0]?.equals(payload)).toBe(true);
    expect(frames[0]?.buffer.byteLength).toBe(payload.length);
    expect(copies.reduce((sum, bytes) => sum + bytes, 0)).toBe(payload.length);
  });

  test.each([4, 1_000])("takes a frame of %i bytes, the edge of what is allowed", (length) => {
    const { reader, frames } = readerOf(1_000);
    reader.push(frame(Buffer.alloc(length, 7)));
    expect(frames.map((payload) => payload.length)).toEqual([length]);
  });

  test.each([-1, -60, 0, 3, 1_001, 0x7fff_ffff, -0x8000_0000])("refuses a frame of %i bytes", (length) => {
    const { reader, frames } = readerOf(1_000);
    const refusal = () => reader.push(announced(length));
    expect(refusal).toThrow(DecodeError);
    expect(refusal).toThrow(`frame length ${length} is not between 4 and 1000 bytes`);
    expect(frames).toEqual([]);
  });

  test.each([-1, 0, 1_001])("refuses a frame of %i bytes whose length came byte by byte", (length) => {
    const { reader } = readerOf(1_000);
    const bytes = announced(length);
    for (let i = 0; i < 3; i++) reader.push(bytes.subarray(i, i + 1));
    expect(() => reader.push(bytes.subarray(3))).toThrow(`frame length ${length} is not between 4 and 1000 bytes`);
  });

  test("gives the memory of a large frame back at once when it is refused", () => {
    let refused: Buffer = Buffer.alloc(0);
    const reader = new FrameReader(10_000_000, (payload) => {
      refused = payload;
      throw new DecodeError("nonsense", 0);
    });
    const bytes = frame(Buffer.alloc(5_000_000, 1));
    reader.push(bytes.subarray(0, 1_000));
    expect(() => reader.push(bytes.subarray(1_000))).toThrow("nonsense");
    expect(refused).toHaveLength(0);
    expect(refused.buffer.byteLength).toBe(0);
  });

  test("leaves the memory alone of what was taken, and that which small frames share", () => {
    const kept: Buffer[] = [];
    const reader = new FrameReader(10_000_000, (payload) => {
      kept.push(payload);
      if (kept.length === 3) throw new DecodeError("nonsense", 0);
    });
    for (const length of [5_000_000, 1_000]) reader.push(frame(Buffer.alloc(length, 1)));
    expect(() => reader.push(frame(Buffer.alloc(1_000, 1)))).toThrow("nonsense");
    expect(kept.map((payload) => payload.length)).toEqual([5_000_000, 1_000, 1_000]);
  });

  test("hands out an empty frame at once, where those are taken, however its length came", () => {
    const { reader, frames } = readerOf();
    reader.minFrameBytes = 0;
    reader.push(announced(0));
    expect(frames).toHaveLength(1);
    reader.push(announced(0).subarray(0, 1));
    reader.push(announced(0).subarray(1));
    expect(frames.map((payload) => payload.length)).toEqual([0, 0]);
  });

  test("takes larger frames once it is told to", () => {
    const { reader, frames } = readerOf(10);
    reader.maxFrameBytes = 20;
    reader.push(frame(Buffer.alloc(20)));
    expect(frames).toHaveLength(1);
  });

  test.each([
    ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request"), "the peer speaks HTTP: is this the port of a Kafka broker?"],
    ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.6"), "the peer speaks SSH: is this the port of a Kafka broker?"],
    [
      "TLS",
      Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50]),
      "the peer speaks TLS: is this the port of a PLAINTEXT listener?",
    ],
  ])("says that the peer speaks %s", (_, bytes, hint) => {
    expect(() => readerOf().reader.push(bytes)).toThrow(hint);
  });

  test("hands out a frame in the moment in which its last byte comes", () => {
    const { reader, frames } = readerOf();
    reader.push(Buffer.concat([frame(Buffer.from("1st.")), frame(Buffer.from("2nd.")), announced(8)]));
    expect(frames).toHaveLength(2);
    reader.push(Buffer.from("3rd ..."));
    expect(frames).toHaveLength(2);
    reader.push(Buffer.from("."));
    expect(frames.map(String)).toEqual(["1st.", "2nd.", "3rd ...."]);
  });
});
