import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { readZip } from "./zip.ts";

/** An archive as `jar` writes it: the local header's extra field is longer than the directory's. */
function archiveOf(files: { name: string; content: string; method: number }[]): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, content, method } of files) {
    const packed = method === 8 ? deflateRawSync(content) : Buffer.from(content);
    const local = Buffer.alloc(30);
    local.write("PK\x03\x04", "latin1");
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.write("PK\x01\x02", "latin1");
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), Buffer.alloc(4, 0xee), packed);
    entries.push(entry, Buffer.from(name));
    at += 30 + name.length + 4 + packed.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...entries, end]);
}

test("gives the wanted files of an archive, stored or deflated", () => {
  const content = "the same words, the same words, the same words";
  const archive = archiveOf([
    { name: "a.json", content, method: 8 },
    { name: "A.class", content: "x", method: 99 },
    { name: "b.json", content: "", method: 0 },
  ]);
  const files = readZip(archive, (name) => name.endsWith(".json"));
  expect([...files].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
    ["a.json", content],
    ["b.json", ""],
  ]);
});

test("refuses what is not an archive, is cut off, or uses another compression", () => {
  const archive = archiveOf([{ name: "a.json", content: "x", method: 99 }]);
  expect(() => readZip(Buffer.from("not a zip"), () => true)).toThrow("not a zip archive");
  expect(() => readZip(archive.subarray(0, -1), () => true)).toThrow("not a zip archive");
  expect(() => readZip(archive, () => true)).toThrow("compression method 99");
});
