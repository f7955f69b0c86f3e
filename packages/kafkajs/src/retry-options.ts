import { environment } from "./environment.ts";
import { givenNumber } from "./given-number.ts";

export interface RetryOptions {
  /** Longest wait between two attempts, milliseconds. @default 30_000 */
  maxRetryTime?: number;
  /** First wait, milliseconds. @default 300 */
  initialRetryTime?: number;
  /** How far a wait may be off, as a share of it. @default 0.2 */
  factor?: number;
  /** How much longer each wait is than the one before. @default 2 */
  multiplier?: number;
  /** How often it is tried again. @default 5 */
  retries?: number;
  /** Whether a consumer that crashed on a retriable error starts again. @default always */
  restartOnFailure?: (error: Error) => Promise<boolean>;
}

/** The same, complete. */
export interface ResolvedRetryOptions {
  readonly maxRetryTime: number;
  readonly initialRetryTime: number;
  readonly factor: number;
  readonly multiplier: number;
  readonly retries: number;
}

const usual: ResolvedRetryOptions = {
  maxRetryTime: 30_000,
  initialRetryTime: 300,
  factor: 0.2,
  multiplier: 2,
  retries: 5,
};

/** Of `NODE_ENV=test`, as in kafkajs: services' own tests count on them. */
const inTests: ResolvedRetryOptions = {
  maxRetryTime: 1_000,
  initialRetryTime: 50,
  factor: 0.02,
  multiplier: 1.5,
  retries: 15,
};

/** @param given what comes later wins, unless it is `undefined` */
export function resolveRetryOptions(...given: readonly (RetryOptions | null | undefined)[]): ResolvedRetryOptions {
  const merged: RetryOptions = Object.assign({}, ...given);
  const defaults = environment("NODE_ENV") === "test" ? inTests : usual;
  return Object.freeze({
    maxRetryTime: Math.max(0, givenNumber(merged.maxRetryTime, defaults.maxRetryTime)),
    initialRetryTime: Math.max(0, givenNumber(merged.initialRetryTime, defaults.initialRetryTime)),
    factor: givenNumber(merged.factor, defaults.factor),
    multiplier: givenNumber(merged.multiplier, defaults.multiplier),
    retries: Math.max(0, givenNumber(merged.retries, defaults.retries)),
  });
}

/** @param random for tests; a number from 0 up to 1 */
export function firstRetryMs({ initialRetryTime, factor }: ResolvedRetryOptions, random = Math.random): number {
  return jittered(initialRetryTime, factor, random);
}

/** The wait that follows one of `retryMs`. */
export function nextRetryMs(retryMs: number, options: ResolvedRetryOptions, random = Math.random): number {
  return Math.min(jittered(retryMs, options.factor, random) * options.multiplier, options.maxRetryTime);
}

/** How long all the waits take together, without jitter; `Infinity` where they never end. */
export function totalRetryMs({ retries, initialRetryTime, multiplier, maxRetryTime }: ResolvedRetryOptions): number {
  let totalMs = 0;
  let waitMs = Math.min(initialRetryTime, maxRetryTime);
  for (let left = retries; left > 0; left--) {
    totalMs += waitMs;
    const nextMs = Math.min(waitMs * multiplier, maxRetryTime);
    // From here on all waits are alike: there may be billions.
    if (nextMs === waitMs) return totalMs + waitMs * (left - 1);
    waitMs = nextMs;
  }
  return totalMs;
}

/** The longest of those waits, without jitter. */
export const lastRetryMs = ({ retries, initialRetryTime, multiplier, maxRetryTime }: ResolvedRetryOptions): number =>
  Math.min(initialRetryTime * multiplier ** Math.max(0, retries), maxRetryTime);

const jittered = (waitMs: number, factor: number, random: () => number): number =>
  Math.ceil(waitMs * (1 - factor) + random() * 2 * waitMs * factor);
