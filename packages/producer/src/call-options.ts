import { OptionReader, type WaitOptions } from "@odradek/network";
import type { WaitLimit } from "./transactional-calls.ts";

/** What the caller of something that waits says about the wait. */
export interface TimedWaitOptions extends WaitOptions {
  /** How long to wait, milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** @throws OptionsError for a signal that is none, since it would be waited for in vain */
const readSignal = (reader: OptionReader): AbortSignal | undefined =>
  reader.value("signal", undefined, isSignal, "an AbortSignal");

/** @throws OptionsError for what is no time, and for a signal that is none */
export const readWait = (reader: OptionReader, timeoutMs: number): WaitLimit => ({
  timeoutMs: reader.value("timeoutMs", timeoutMs, isTime, "a number of milliseconds of at least 0"),
  signal: readSignal(reader),
});

/** The same, of a call that takes nothing else. @throws OptionsError also for an option that does not exist */
export function resolveWait(options: TimedWaitOptions, timeoutMs: number): WaitLimit {
  const reader = new OptionReader(options);
  const limit = readWait(reader, timeoutMs);
  reader.finish();
  return limit;
}

/** The same, of a call whose time is not up to its caller. @throws OptionsError */
export function resolveSignal(options: WaitOptions): AbortSignal | undefined {
  const reader = new OptionReader(options);
  const signal = readSignal(reader);
  reader.finish();
  return signal;
}

/** `Infinity` is one. */
const isTime = (value: unknown): value is number => typeof value === "number" && value >= 0;
const isSignal = (value: unknown): value is AbortSignal | undefined =>
  value === undefined || value instanceof AbortSignal;
