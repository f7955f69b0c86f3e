import { describe, expect, test } from "vitest";
import { endlessSession, saslSession } from "../../src/security/sasl-session.ts";

describe("a session", () => {
  test.each([
    [0, 85_000],
    [0.5, 90_000],
    [1, 95_000],
  ])("is renewed after 85 to 95 %% of its life: random %d", (random, renewedMs) => {
    const session = saslSession(1_000, 100_000, () => random);
    expect(session.reauthenticateAtMs).toBe(1_000 + renewedMs);
    expect(session.isOver(100_999)).toBe(false);
    expect(session.isOver(101_000)).toBe(true);
  });

  test("of less than a second is not renewed sooner, since no broker takes that", () => {
    expect(saslSession(0, 500).reauthenticateAtMs).toBe(1_000);
  });

  test.each([0, -1])("of %d ms has no end", (lifetimeMs) => {
    expect(saslSession(0, lifetimeMs)).toBe(endlessSession);
    expect(endlessSession.isOver(Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  test("that could not be renewed is tried again after half of what is left of it, and not more often than once a second", () => {
    const session = saslSession(0, 100_000, () => 0);
    expect(session.postponed(90_000).reauthenticateAtMs).toBe(95_000);
    expect(session.postponed(99_500).reauthenticateAtMs).toBe(100_500);
    expect(session.postponed(90_000).isOver(100_000)).toBe(true);
  });
});
