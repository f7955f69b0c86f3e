import { onTestFinished } from "vitest";
import type { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import type { KafkaProducer } from "../src/producer.ts";

/** Lets time pass until `what` is there, and no more of it. */
export async function soon<T>(clock: ManualClock, what: Promise<T>): Promise<T> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  what.then(done, done);
  await passing(clock).passUntil(() => isDone);
  return what;
}

/** Closes a producer when the test is over, by the clock that it goes by. */
export function closeInTheEnd(producer: Pick<KafkaProducer, "close">, clock?: ManualClock): void {
  onTestFinished(() => {
    const closed = producer.close({ timeoutMs: 0 });
    return clock === undefined ? closed : soon(clock, closed);
  });
}
