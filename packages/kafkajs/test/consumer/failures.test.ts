import { KafkaError } from "odradek";
import { describe, expect, test } from "vitest";
import { crashOf, Failures, mayPass } from "../../src/consumer/failures.ts";
import {
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
} from "../../src/errors/errors.ts";
import { resolveRetryOptions } from "../../src/retry-options.ts";

const place = { topic: "t", partition: 0 };
const retry = resolveRetryOptions({ retries: 2, initialRetryTime: 100, factor: 0, multiplier: 2, maxRetryTime: 1_000 });

describe("an error of a handler", () => {
  test("is tried again after longer and longer waits, and then is a crash", () => {
    const failures = new Failures(retry);
    const error = new Error("no");
    expect(failures.failed(place, error)).toEqual({ waitMs: 100 });
    expect(failures.failed(place, error)).toEqual({ waitMs: 200 });
    expect(failures.failed(place, error)).toMatchObject({
      error: { name: "KafkaJSNumberOfRetriesExceeded", message: "no", cause: error, retryCount: 2, retryTime: 400 },
    });
  });

  test("counts from the last progress, and for its partition alone", () => {
    const failures = new Failures(retry);
    failures.failed(place, new Error("no"));
    expect(failures.failed({ topic: "t", partition: 1 }, new Error("no"))).toEqual({ waitMs: 100 });
    failures.progressed(place);
    expect(failures.failed(place, new Error("no"))).toEqual({ waitMs: 100 });
  });

  test.each([
    ["a defect", new TypeError("no")],
    ["one that cannot pass", new KafkaJSNonRetriableError("no")],
  ])("that is %s is a crash at once", (_, error) => {
    const verdict = new Failures(retry).failed(place, error);
    expect(verdict).toMatchObject({ error: { name: "KafkaJSNonRetriableError", message: "no", cause: error } });
  });

  test("that says that something is not there stays what it is", () => {
    const error = new KafkaJSNotImplemented("no");
    expect(new Failures(retry).failed(place, error)).toHaveProperty("error", error);
  });

  test("may be anything", () => {
    expect(new Failures(retry).failed(place, "no")).toEqual({ waitMs: 100 });
  });
});

test("a crash of the user's assigner or listener is told as what they threw", () => {
  const cause = new Error("mine");
  expect(crashOf(new KafkaError("the assignor x threw", { code: "ASSIGNOR", cause }), retry)).toBe(cause);
  expect(crashOf(new KafkaError("it threw", { code: "LISTENER", cause }), retry)).toBe(cause);
});

test("a crash of anything else is told as what cannot pass, or was tried too often", () => {
  expect(crashOf(new KafkaError("no", { code: "COORDINATOR_NOT_AVAILABLE", retriable: true }), retry)).toMatchObject({
    name: "KafkaJSNumberOfRetriesExceeded",
    retryCount: 2,
  });
  expect(crashOf(new KafkaError("no", { code: "DECODE", retriable: false }), retry)).toMatchObject({
    retriable: false,
  });
});

test("a crash may pass where what is behind it says so", () => {
  const passing = Object.assign(new Error("no"), { retriable: true });
  const final = Object.assign(new Error("no"), { retriable: false });
  const behind = (cause: Error) => new KafkaJSNonRetriableError("out", { cause });
  expect([passing, behind(passing), behind(behind(passing))].map(mayPass)).toEqual([true, true, true]);
  expect([new TypeError("no"), final, behind(final)].map(mayPass)).toEqual([false, false, false]);
  expect(mayPass(new KafkaJSNumberOfRetriesExceeded(final))).toBe(true);
});
