import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConnectionError } from "../../src/errors.ts";
import type { BearerToken } from "../../src/security/bearer-token.ts";
import { BearerTokens, refreshAfterMs } from "../../src/security/bearer-tokens.ts";
import { ManualClock } from "../manual-clock.ts";

const hourMs = 3_600_000;

/** A source whose answers a test gives, one by one. */
class ManualSource {
  readonly #clock: ManualClock;
  readonly #waiting: { resolve(token: BearerToken): void; reject(error: unknown): void }[] = [];
  asked = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly ask = (): Promise<BearerToken> => {
    this.asked += 1;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  };

  give(value: string, lifetimeMs = hourMs): void {
    this.#waiting.shift()!.resolve({ value, expiresAtMs: this.#clock.wallTimeMs() + lifetimeMs });
  }

  fail(error: unknown = new ConnectionError(null, "nobody there")): void {
    this.#waiting.shift()!.reject(error);
  }
}

function setUp(random = 0) {
  const clock = new ManualClock();
  const source = new ManualSource(clock);
  const backoff = { retryBackoffMs: 100, retryBackoffMaxMs: 10_000 };
  return { clock, source, tokens: new BearerTokens(source.ask, clock, backoff, () => random) };
}

/** What everybody is shown who asks now, one after the other. */
const valuesOf = async (...tokens: Promise<BearerToken>[]): Promise<string[]> =>
  (await Promise.all(tokens)).map(({ value }) => value);

describe("when a token is renewed", () => {
  test.each([
    // [lifetime, random, after]
    [hourMs, 0, 0.8 * hourMs],
    [hourMs, 0.5, 0.825 * hourMs],
    // The window would reach into the five minutes before the end.
    [1_200_000, 0, 900_000],
    [1_200_000, 0.999, 900_000],
    // As long as buffer and period together: both count.
    [360_000, 0, 60_000],
    // Shorter: neither does.
    [359_999, 0, 0.8 * 359_999],
    [60_000, 0.5, 0.825 * 60_000],
  ])("of %d ms, with the random number %d, it is so after %d ms", (lifetimeMs, random, afterMs) => {
    expect(refreshAfterMs(lifetimeMs, random)).toBeCloseTo(afterMs, 6);
  });

  test("never after its end, nor at once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 * 365 * 24 * hourMs }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (lifetimeMs, random) => {
          const afterMs = refreshAfterMs(lifetimeMs, random);
          expect(afterMs).toBeGreaterThan(0);
          expect(afterMs).toBeLessThanOrEqual(lifetimeMs * 0.850001);
          if (lifetimeMs >= 360_000) {
            expect(afterMs).toBeGreaterThanOrEqual(60_000);
            expect(lifetimeMs - afterMs).toBeGreaterThanOrEqual(300_000);
          }
        },
      ),
    );
  });
});

describe("a client with one cache", () => {
  test("asks once for all of its connections", async () => {
    const { source, tokens } = setUp();
    const callers = [tokens.current(), tokens.current(), tokens.current()];
    expect(source.asked).toBe(1);
    source.give("first");
    expect(await valuesOf(...callers, tokens.current())).toEqual(["first", "first", "first", "first"]);
    expect(source.asked).toBe(1);
  });

  test("asks again when the time has come and somebody authenticates, not before and not by itself", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    clock.advance(0.8 * hourMs - 1);
    expect(await valuesOf(tokens.current())).toEqual(["first"]);
    clock.advance(1);
    expect([source.asked, clock.timers]).toEqual([1, 0]);
    const callers = [tokens.current(), tokens.current()];
    source.give("second");
    expect(await valuesOf(...callers, tokens.current())).toEqual(["second", "second", "second"]);
    expect(source.asked).toBe(2);
  });

  test("shows the old token where the new one cannot be had, as long as it holds", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    clock.advance(0.9 * hourMs);
    const second = tokens.current();
    source.fail();
    expect(await valuesOf(second)).toEqual(["first"]);
    clock.advance(0.1 * hourMs);
    const third = tokens.current();
    source.fail();
    await expect(third).rejects.toThrow("nobody there");
  });

  test("never shows a token that expired while the new one was asked for", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    clock.advance(hourMs - 1);
    const second = tokens.current();
    clock.advance(1);
    source.fail();
    await expect(second).rejects.toThrow("nobody there");
  });

  test("never shows a token to its last millisecond and beyond", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    clock.advance(hourMs);
    const second = tokens.current();
    source.give("second");
    expect(await valuesOf(second)).toEqual(["second"]);
  });

  test("does not wait for a new token that takes long while the old one holds", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    clock.advance(0.8 * hourMs);
    const waiting = tokens.current();
    clock.advance(3_001);
    expect(await valuesOf(tokens.current())).toEqual(["first"]);
    expect(source.asked).toBe(2);
    source.give("second");
    expect(await valuesOf(waiting)).toEqual(["second"]);
    expect(await valuesOf(tokens.current())).toEqual(["second"]);
  });

  test("asks a source anew that has been silent for half a minute", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    clock.advance(29_999);
    const second = tokens.current();
    expect(source.asked).toBe(1);
    clock.advance(1);
    const third = tokens.current();
    expect(source.asked).toBe(2);
    source.give("late");
    expect(await valuesOf(first, second)).toEqual(["late", "late"]);
    source.give("prompt");
    expect(await valuesOf(third)).toEqual(["prompt"]);
    expect(await valuesOf(tokens.current())).toEqual(["prompt"]);
    expect(source.asked).toBe(2);
  });
});

describe("a source that fails", () => {
  test("is left alone for a while, and everybody is told what it said", async () => {
    // With this number the jitter is 0.
    const { clock, source, tokens } = setUp(0.5);
    const failures = [
      new ConnectionError(null, "one"),
      new ConnectionError(null, "two"),
      new ConnectionError(null, "three"),
    ];
    for (const [index, waitMs] of [100, 200, 400].entries()) {
      const asked = tokens.current();
      source.fail(failures[index]);
      await expect(asked).rejects.toBe(failures[index]);
      clock.advance(waitMs - 1);
      await expect(tokens.current()).rejects.toBe(failures[index]);
      expect(source.asked).toBe(index + 1);
      clock.advance(1);
    }
    const last = tokens.current();
    source.give("at last");
    expect(await valuesOf(last)).toEqual(["at last"]);
  });

  test("is asked every ten seconds in the end, and quickly again once it has answered", async () => {
    const { clock, source, tokens } = setUp(0.5);
    for (let count = 0; count < 20; count++) {
      const asked = tokens.current();
      source.fail();
      await expect(asked).rejects.toThrow("nobody there");
      clock.advance(10_000);
    }
    expect(source.asked).toBe(20);
    const answered = tokens.current();
    source.give("short", 1_000);
    await answered;
    clock.advance(1_000);
    const failed = tokens.current();
    source.fail();
    await expect(failed).rejects.toThrow("nobody there");
    clock.advance(100);
    void tokens.current();
    expect(source.asked).toBe(23);
  });
});

describe("time", () => {
  test("a token that has expired when it comes is refused", async () => {
    const { source, tokens } = setUp();
    const asked = tokens.current();
    source.give("stale", -5_000);
    await expect(asked).rejects.toMatchObject({
      reason: "credentialsUnavailable",
      message: "the token that came expired 5 s ago, by the clock of this machine",
    });
  });

  test("a clock that is set back does not make a token live longer", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    clock.advance(hourMs);
    const wallTimeMs = clock.wallTimeMs();
    clock.wallTimeMs = () => wallTimeMs - 2 * hourMs;
    const second = tokens.current();
    expect(source.asked).toBe(2);
    source.give("second");
    expect(await valuesOf(second)).toEqual(["second"]);
  });

  test("a machine that slept does not take a token for young", async () => {
    const { clock, source, tokens } = setUp();
    const first = tokens.current();
    source.give("first");
    await first;
    const wallTimeMs = clock.wallTimeMs();
    clock.wallTimeMs = () => wallTimeMs + hourMs;
    const second = tokens.current();
    expect(source.asked).toBe(2);
    source.give("second");
    expect(await valuesOf(second)).toEqual(["second"]);
  });
});
