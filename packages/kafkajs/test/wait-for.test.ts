import { expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { KafkaJSTimeout } from "../src/errors/errors.ts";
import { waitFor } from "../src/wait-for.ts";

/** Lets time pass in steps, and what follows from each. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    clock.advance(10);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

test("looks after each delay, and gives the first answer that is not falsy", async () => {
  const clock = new ManualClock();
  const looks: number[] = [];
  const answer = waitFor((waitedMs) => looks.push(waitedMs) === 3 && "there", { delay: 20 }, clock);
  await pass(clock, 60);
  expect(await answer).toBe("there");
  expect(looks).toEqual([20, 40, 60]);
  expect(clock.timers).toBe(0);
});

test("gives up in time, also while it waits for an answer, unless it is to wait for ever", async () => {
  const clock = new ManualClock();
  const late = waitFor(() => new Promise(() => {}), { maxWait: 100, timeoutMessage: "late" }, clock);
  const failure = expect(late).rejects.toThrow(new KafkaJSTimeout("late"));
  let isOver = false;
  const patient = waitFor(() => isOver, { maxWait: 100, ignoreTimeout: true }, clock);
  await pass(clock, 300);
  await failure;
  isOver = true;
  await pass(clock, 50);
  expect(await patient).toBe(true);
});

test("throws what the look throws", async () => {
  const clock = new ManualClock();
  const broken = waitFor(
    () => {
      throw new Error("broken");
    },
    {},
    clock,
  );
  const failure = expect(broken).rejects.toThrow("broken");
  await pass(clock, 50);
  await failure;
  expect(clock.timers).toBe(0);
});
