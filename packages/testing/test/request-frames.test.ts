import { expect, test } from "vitest";
import { RequestFrames } from "../src/request-frames.ts";

const framed = (text: string): Buffer => {
  const frame = Buffer.alloc(4 + text.length);
  frame.writeInt32BE(text.length);
  frame.write(text, 4);
  return frame;
};

const texts = ["", "a", "longer than one", "x".repeat(1_000)];
const bytes = Buffer.concat(texts.map(framed));

test.each([1, 3, 7, 500, bytes.length])("requests come whole from chunks of %d bytes", (chunkBytes) => {
  const seen: string[] = [];
  const frames = new RequestFrames((payload) => seen.push(payload.toString()));
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    frames.push(Buffer.from(bytes.subarray(start, start + chunkBytes)));
  }
  expect(seen).toEqual(texts);
});

test.each([-1, 0x7fff_ffff])("a request of %d bytes is refused", (length) => {
  const head = Buffer.alloc(4);
  head.writeInt32BE(length);
  expect(() => new RequestFrames(() => {}).push(head)).toThrow(RangeError);
});
