import { expect, test } from "vitest";
import { PollInterval } from "../../src/group/poll-interval.ts";

test("the time of an application begins when it has what it polled for, and ends when it polls", () => {
  const interval = new PollInterval(500);
  expect(interval.endsAtMs).toBe(Number.POSITIVE_INFINITY);
  interval.start(1_000);
  expect(interval.endsAtMs).toBe(1_500);
  interval.start(1_200);
  expect(interval.endsAtMs).toBe(1_700);
  interval.stop();
  expect(interval.endsAtMs).toBe(Number.POSITIVE_INFINITY);
});
