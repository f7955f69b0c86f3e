import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "../../src/records/crc32c.ts";
import { crc32cByTable } from "../../src/records/crc32c-table.ts";
import { bitwiseCrc } from "./bitwise-crc.ts";

test("the checksum of 123456789 is the published one", () => {
  expect(crc32c(Buffer.from("123456789"), 0, 9)).toBe(0xe3069283);
});

test("the checksum of nothing is 0", () => {
  expect(crc32c(Buffer.from("abc"), 3, 3)).toBe(0);
});

test.each([
  ["natively", crc32c, { minLength: 1_024, maxLength: 3_000 }],
  ["by the table", crc32cByTable, { minLength: 1_024, maxLength: 3_000 }],
  ["of little", crc32c, { maxLength: 100 }],
])("the checksum %s is that of the definition, at any alignment and length", (_, checksum, lengths) => {
  fc.assert(
    fc.property(fc.uint8Array(lengths), fc.nat(20), fc.nat(20), (bytes, before, behind) => {
      const buffer = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(behind, 2)]);
      expect(checksum(buffer, before, before + bytes.length)).toBe(bitwiseCrc(bytes, 0x82f63b78));
    }),
  );
});
