import { inflateRawSync } from "node:zlib";

const endSignature = Buffer.from("PK\x05\x06", "latin1");
const centralSignature = 0x02014b50;
const endBytes = 22;
const centralBytes = 46;
const localBytes = 30;

/** The files of a zip archive whose name is `wanted`, by name. Enough of the format for a jar: no zip64, no encryption. */
export function readZip(archive: Buffer, wanted: (name: string) => boolean): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = archive.lastIndexOf(endSignature);
  if (end < 0 || end + endBytes > archive.length) {
    throw new Error("not a zip archive: its end record is missing");
  }
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (archive.readUInt32LE(at) !== centralSignature) throw new Error(`no central directory entry at ${at}`);
    const nameBytes = archive.readUInt16LE(at + 28);
    const name = archive.toString("utf8", at + centralBytes, at + centralBytes + nameBytes);
    if (wanted(name)) files.set(name, contentOf(archive, at));
    at += centralBytes + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

/** The content that an entry of the central directory points at. */
function contentOf(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10);
  const packedBytes = archive.readUInt32LE(entry + 20);
  const local = archive.readUInt32LE(entry + 42);
  // The local header has a name and extras of its own, whose lengths can differ from those in the directory.
  const start = local + localBytes + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + packedBytes);
  if (method === 0) return packed;
  if (method === 8) return inflateRawSync(packed);
  throw new Error(`compression method ${method} is not one that jars use`);
}
