const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/**
 * xxHash of `buffer[start..end)` in 32 bits with seed 0, for at most 15 bytes, which is what the header of an LZ4 frame
 * needs. Longer input would have a second half of the algorithm in front.
 */
export function xxh32OfShort(buffer: Buffer, start: number, end: number): number {
  let hash = (prime5 + (end - start)) | 0;
  let at = start;
  for (; at <= end - 4; at += 4) hash = mix(hash + Math.imul(buffer.readInt32LE(at), prime3), 17, prime4);
  for (; at < end; at++) hash = mix(hash + Math.imul(buffer.readUInt8(at), prime5), 11, prime1);
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mix(hash: number, bits: number, prime: number): number {
  return Math.imul((hash << bits) | ((hash | 0) >>> (32 - bits)), prime);
}
