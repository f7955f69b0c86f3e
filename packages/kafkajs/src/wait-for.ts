import { type Clock, systemClock } from "odradek";
import { KafkaJSTimeout } from "./errors/errors.ts";

interface WaitForOptions {
  /** Milliseconds before each look. @default 50 */
  readonly delay?: number;
  /** Milliseconds. @default 10_000 */
  readonly maxWait?: number;
  readonly timeoutMessage?: string;
  /** Whether it waits for ever. @default false */
  readonly ignoreTimeout?: boolean;
}

/**
 * Looks again and again, for tests of services that have it from `kafkajs/src/utils/waitFor`.
 *
 * @param isFulfilled is told how many milliseconds it has waited
 * @returns the first answer that is not falsy
 * @throws KafkaJSTimeout, and what `isFulfilled` throws
 */
export async function waitFor<T>(
  isFulfilled: (waitedMs: number) => T | Promise<T>,
  { delay = 50, maxWait = 10_000, timeoutMessage = "Timeout", ignoreTimeout = false }: WaitForOptions = {},
  clock: Clock = systemClock,
): Promise<T> {
  let isOver = false;
  const looking = async (): Promise<T> => {
    for (let waitedMs = delay; !isOver; waitedMs += delay) {
      await new Promise<void>((resolve) => void clock.after(delay, resolve));
      const answer = isOver ? null : await isFulfilled(waitedMs);
      if (answer) return answer;
    }
    throw new KafkaJSTimeout(timeoutMessage);
  };
  let giveUp = (): void => {};
  const late = new Promise<never>((_, reject) => {
    giveUp = () => reject(new KafkaJSTimeout(timeoutMessage));
  });
  const deadline = ignoreTimeout ? null : clock.after(maxWait, () => giveUp());
  try {
    return await Promise.race([looking(), late]);
  } finally {
    isOver = true;
    deadline?.cancel();
  }
}
