/** Where a partition begins when nothing says where: the names of Kafka's `auto.offset.reset`, KIP-1106 for durations. */
export type AutoOffsetReset = "earliest" | "latest" | "none" | `by_duration:${string}`;

/** One end of the log, or the first record that is at most so old. */
export type OffsetSpec =
  | { readonly kind: "earliest" | "latest" }
  | { readonly kind: "by_duration"; readonly durationMs: number };

/** What `none` resolves to: nobody may choose but the user. */
export type ResetPolicy = OffsetSpec | { readonly kind: "none" };

const duration = /^by_duration:P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** `null` for a text that is none of the above. Durations are those of Java's `Duration.parse` that are not negative. */
export function parseAutoOffsetReset(text: string): ResetPolicy | null {
  if (text === "earliest" || text === "latest" || text === "none") return { kind: text };
  const match = duration.exec(text);
  if (match === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return { kind: "by_duration", durationMs: (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 };
}

/** What ListOffsets calls the ends of a log. */
export const earliestTimestamp = -2n;
export const latestTimestamp = -1n;

/** What to ask ListOffsets for, `wallTimeMs` being now. */
export function timestampOf(spec: OffsetSpec, wallTimeMs: number): bigint {
  if (spec.kind === "by_duration") return BigInt(Math.max(0, Math.trunc(wallTimeMs - spec.durationMs)));
  return spec.kind === "earliest" ? earliestTimestamp : latestTimestamp;
}
