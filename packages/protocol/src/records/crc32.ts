const polynomial = 0xedb88320;

const table = new Int32Array(256);

function fillTable(): void {
  for (let byte = 0; byte < 256; byte++) {
    let entry = byte;
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ polynomial : entry >>> 1;
    table[byte] = entry;
  }
}

/**
 * CRC-32 of `buffer[start..end)`, as an unsigned number: the checksum of messages of format 0 and 1. Node has it in
 * `node:zlib` from 22.2 on only; messages this old need not be fast.
 */
export function crc32(buffer: Uint8Array, start: number, end: number): number {
  if (table[1] === 0) fillTable();
  let crc = -1;
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ (table[(crc ^ (buffer[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
