/** The few types of ASN.1 that a certificate consists of, in their one distinguished encoding (X.690). */

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, content]);
}

export const sequence = (...items: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(items));
export const set = (...items: readonly Buffer[]): Buffer => tlv(0x31, Buffer.concat(items));
export const octets = (content: Buffer): Buffer => tlv(0x04, content);
/** Of whole bytes. */
export const bits = (content: Buffer): Buffer => tlv(0x03, Buffer.concat([Buffer.of(0), content]));
export const text = (content: string): Buffer => tlv(0x0c, Buffer.from(content));
export const yes = tlv(0x01, Buffer.of(0xff));

/** Big-endian, the first byte between 1 and 127: no sign, no padding. */
export const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);

/** In seconds, as `YYYYMMDDHHMMSSZ`. */
export const time = (at: Date): Buffer => tlv(0x18, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, "")));

/** A part that its context numbers: made of other parts, or with content of its own. */
export const constructed = (number: number, ...items: readonly Buffer[]): Buffer =>
  tlv(0xa0 | number, Buffer.concat(items));
export const primitive = (number: number, content: Buffer): Buffer => tlv(0x80 | number, content);

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f));
  return digits;
}
