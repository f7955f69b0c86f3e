/** A text as kafkajs declares it where it may be `null`: programs that were written against its types would not compile with the truth. */
export function textAsTyped(text: string | null): string;
export function textAsTyped(text: string | null): string | null {
  return text;
}
