import { expect, test } from "vitest";
import { offsetOf } from "../../src/records/record-batch-header.ts";
import { batchOf, patched, readRecords, t0 } from "./batches.ts";

test("a record has its place, time, sizes and bytes", async () => {
  const given = await batchOf([
    { value: "first" },
    { timestamp: t0 - 7, key: "key", value: Buffer.from([1, 2]), headers: [{ key: "h", value: "x" }] },
  ]);
  const batch = patched(given, (bytes) => bytes.writeBigInt64BE(2n ** 60n, offsetOf.baseOffset));
  const [, record] = await readRecords(batch);
  expect(record?.offset).toBe(2n ** 60n + 1n);
  expect(record?.offsetDelta).toBe(1);
  expect(record?.timestamp).toBe(t0 - 7);
  expect(record?.keySize).toBe(3);
  expect(record?.valueSize).toBe(2);
  expect(record?.key).toEqual(Buffer.from("key"));
  expect(record?.value).toEqual(Buffer.from([1, 2]));
  expect(record?.headers).toEqual([{ key: "h", value: Buffer.from("x") }]);
});

test("null and empty are not the same", async () => {
  const [nothing, empty] = await readRecords(
    await batchOf([
      { key: null, value: null },
      {
        key: "",
        value: Buffer.alloc(0),
        headers: [
          { key: "", value: null },
          { key: "", value: "" },
        ],
      },
    ]),
  );
  expect(nothing).toMatchObject({ key: null, value: null, keySize: -1, valueSize: -1, headers: [] });
  expect(empty).toMatchObject({ key: Buffer.alloc(0), value: Buffer.alloc(0), keySize: 0, valueSize: 0 });
  expect(empty?.headers).toEqual([
    { key: "", value: null },
    { key: "", value: Buffer.alloc(0) },
  ]);
});

test("headers keep their order, and keys that are there twice", async () => {
  const headers = [
    { key: "b", value: "1" },
    { key: "a", value: "2" },
    { key: "b", value: null },
  ];
  const [record] = await readRecords(await batchOf([{ headers }]));
  expect(record?.headers.map(({ key, value }) => [key, value && String(value)])).toEqual([
    ["b", "1"],
    ["a", "2"],
    ["b", null],
  ]);
});

test("key, value and header values share memory with the batch", async () => {
  const bytes = await batchOf([{ key: "k", value: "v", headers: [{ key: "h", value: "x" }] }]);
  const [record] = await readRecords(bytes);
  for (const part of [record?.key, record?.value, record?.headers[0]?.value]) expect(part?.buffer).toBe(bytes.buffer);
});
