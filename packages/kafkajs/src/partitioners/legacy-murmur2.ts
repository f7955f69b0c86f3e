const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/**
 * murmur2 as kafkajs 1.x computed it: products are not cut to 32 bits but rounded to what a `number` holds, and the last, partial
 * word is mixed in twice. Keys that were placed with it stay where they are only if this is kept.
 */
export function legacyMurmur2(key: Uint8Array | string): number {
  const bytes = typeof key === "string" ? Buffer.from(key) : key;
  const { length } = bytes;
  const byte = (index: number): number => bytes[index] ?? 0;
  let hash = seed ^ length;
  for (let at = 0; at < length; at += 4) {
    const word = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    const product = word * multiplier;
    const mixed = (product ^ (product >>> 24)) * multiplier;
    hash = (hash * multiplier) ^ mixed;
  }
  const rest = length % 4;
  const last = length - rest;
  if (rest === 3) hash ^= byte(last + 2) << 16;
  if (rest >= 2) hash ^= byte(last + 1) << 8;
  if (rest >= 1) hash = (hash ^ byte(last)) * multiplier;
  hash = (hash ^ (hash >>> 13)) * multiplier;
  return hash ^ (hash >>> 15);
}
