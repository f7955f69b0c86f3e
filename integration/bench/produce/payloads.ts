/** What is sent: a record without its topic. */
export interface Payload {
  readonly key: string;
  readonly value: string;
}

const keyCount = 5_000;
/** A prime, so that over time each key is seen with each value. */
const valueCount = 1_009;
const wordCount = 2_000;
const longestWord = 10;

/** The same at every call: 5,000 keys, and values of words, which compress as prose does. */
export function payloads(valueBytes: number): Payload[] {
  const values = payloadValues(valueBytes);
  return Array.from({ length: keyCount }, (_, index) => ({
    key: `key-${index}`,
    value: values[index % valueCount] ?? "",
  }));
}

export function payloadValues(valueBytes: number): string[] {
  const random = randomNumbers();
  const letter = (): string => String.fromCharCode(97 + random(26));
  const words = Array.from({ length: wordCount }, () =>
    Array.from({ length: 3 + random(longestWord - 2) }, letter).join(""),
  );
  return Array.from({ length: valueCount }, () => {
    // Text of one piece: one that is still to be joined from its parts would be joined within the first send.
    const text = Buffer.alloc(valueBytes, " ");
    for (let end = 0; end < valueBytes; ) end += text.write(`${words[random(wordCount)]} `, end, "latin1");
    return text.toString("latin1");
  });
}

/** A linear congruential generator that begins anew each time. */
function randomNumbers(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
}
