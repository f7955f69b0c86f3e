/** How long to wait before the n-th attempt, `n` from 0. */
export type Backoff = (attempt: number) => number;

/**
 * Doubles from `initialMs` to `maxMs`, each wait moved by up to 20 % either way so that clients that failed together
 * do not return together. Whole milliseconds, as in Java, so that no sum of waits is a fraction above its limit; never
 * above `maxMs`. Source: Kafka's `ExponentialBackoff`, KIP-580.
 *
 * @param random for tests; a number from 0 up to 1
 */
export function exponentialBackoff(initialMs: number, maxMs: number, random: () => number = Math.random): Backoff {
  const jitter = 0.2;
  return (attempt) => {
    // Beyond 2^30 the doubling itself has no meaning, and every maximum is reached.
    const base = Math.min(initialMs * 2 ** Math.min(attempt, 30), Math.max(maxMs, initialMs));
    return Math.min(Math.round(base * (1 - jitter + 2 * jitter * random())), Math.max(maxMs, initialMs));
  };
}
