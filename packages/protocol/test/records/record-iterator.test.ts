import { describe, expect, test } from "vitest";
import { CorruptRecordError } from "../../src/records/corrupt-record-error.ts";
import { offsetOf } from "../../src/records/record-batch-header.ts";
import { writeVarint } from "../../src/records/varint.ts";
import { batchOf, patched, readBatches, readRecords, t0, withPayload } from "./batches.ts";

const varint = (value: number): string => {
  const buffer = Buffer.alloc(5);
  return buffer.toString("hex", 0, writeVarint(buffer, 0, value));
};

/** A record from its body, with a right length in front. */
const record = (body: string): string => varint(body.replaceAll(" ", "").length / 2) + body;

/** A batch of records written by hand. */
async function batchWith(...records: string[]): Promise<Buffer> {
  const batch = withPayload(await batchOf([{}]), Buffer.from(records.join("").replaceAll(" ", ""), "hex"));
  return patched(batch, (bytes) => {
    bytes.writeInt32BE(records.length, offsetOf.count);
    bytes.writeInt32BE(records.length - 1, offsetOf.lastOffsetDelta);
  });
}

test("a record by hand is read", async () => {
  const [read] = await readRecords(await batchWith(record("00 0a 00 02 6b 04 7677 02 02 68 01")));
  expect(read?.key).toEqual(Buffer.from("k"));
  expect(read?.value).toEqual(Buffer.from("vw"));
  expect(read?.headers).toEqual([{ key: "h", value: null }]);
  expect(read?.timestamp).toBe(t0 + 5);
});

test("varints of five bytes are read wherever they may stand", async () => {
  const padded = (value: string) => `${value}80808000`;
  const records = await readRecords(
    await batchWith(record(`00 ${padded("8a")} ${padded("80")} ${padded("82")} 6b ${padded("82")} 76 ${padded("80")}`)),
  );
  expect(records.map(({ timestamp, key, value }) => [timestamp, String(key), String(value)])).toEqual([
    [t0 + 5, "k", "v"],
  ]);
});

describe("a record that makes no sense is corrupt", () => {
  test.each([
    ["a length that is negative", "01000000010100"],
    ["a length below that of the smallest record", `${varint(5)}000000010100`],
    ["a length past the end of the batch", `${varint(7)}000000010100`],
    ["a length of six bytes", "808080808000000000010100"],
    ["a timestamp of eleven bytes", record("00 80808080808080808080 00 00 01 01 00")],
    ["an offset of six bytes", record("00 00 808080808000 01 01 00")],
    ["a negative offset delta", record("00 00 01 01 01 00")],
    ["an offset delta behind the last", record("00 00 02 01 01 00")],
    ["a key size of six bytes", record("00 00 00 808080808000 01 00")],
    ["a key size below -1", record("00 00 00 03 01 00")],
    ["a key past the end of the record", record("00 00 00 04 6b 01 00")],
    ["a key past the end of everything", record("00 00 00 feffffff0f 01 00")],
    ["a value size of six bytes", record("00 00 00 01 808080808000 00")],
    ["a value size below -1", record("00 00 00 01 03 00")],
    ["a value past the end of everything", record("00 00 00 01 feffffff0f 00")],
    ["bytes behind its last field", record("00 00 00 01 01 00 00")],
    ["a field less than it should have", `${varint(6)}00 00 00 01 02 76`],
    ["a negative count of headers", record("00 00 00 01 01 01")],
    ["more headers than fit", record("00 00 00 01 01 04 00 01")],
    ["very many headers", record("00 00 00 01 01 feffffff0f 00 01")],
    ["a header without a key", record("00 00 00 01 01 02 01 01")],
    ["a header key past the end", record("00 00 00 01 01 02 04 68")],
    ["a header value size below -1", record("00 00 00 01 01 02 00 03")],
    ["a header value past the end", record("00 00 00 01 01 02 00 04 78")],
  ])("%s", async (_, hex) => {
    const [batch] = await readBatches(await batchWith(hex));
    const records = batch?.[Symbol.iterator]();
    expect(() => records?.next()).toThrow(CorruptRecordError);
    expect(() => records?.next()).toThrow(CorruptRecordError);
  });

  test("an offset that does not ascend", async () => {
    const [batch] = await readBatches(await batchWith(record("00 00 00 01 01 00"), record("00 00 00 01 01 00")));
    const records = batch?.[Symbol.iterator]();
    expect(records?.next().done).toBe(false);
    expect(() => records?.next()).toThrow("record with offset delta 0 after 0, the last being 1");
  });
});

test("a record has as many headers as anybody could want, and no more", async () => {
  const withHeaders = (count: number) => batchOf([{ headers: Array(count).fill({ key: "", value: "" }) }]);
  const [most] = await readRecords(await withHeaders(100_000));
  expect(most?.headers).toHaveLength(100_000);
  await expect(readRecords(await withHeaders(100_001))).rejects.toThrow("100001 headers, 100000 at most");
});

test("a payload that is cut at any byte is corrupt", async () => {
  const batch = await batchOf([{ key: "k", value: "v", headers: [{ key: "h", value: "x" }] }, { value: "w" }]);
  for (let end = offsetOf.records; end < batch.length; end++) {
    const cut = withPayload(batch, batch.subarray(offsetOf.records, end));
    await expect(readRecords(cut)).rejects.toThrow(CorruptRecordError);
  }
});

test("records that are sound are given before one that is not", async () => {
  const [batch] = await readBatches(await batchWith(record("00 00 00 01 02 61 00"), "01000000010100"));
  const values: string[] = [];
  expect(() => {
    for (const { value } of batch ?? []) values.push(String(value));
  }).toThrow(CorruptRecordError);
  expect(values).toEqual(["a"]);
});
