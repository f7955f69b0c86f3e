/** Whole seconds since a moment, as Kafka's metrics tell them; -1 where there was none. */
export const secondsAgo = (atMs: number | null, nowMs: number): number =>
  atMs === null ? -1 : Math.floor((nowMs - atMs) / 1_000);
