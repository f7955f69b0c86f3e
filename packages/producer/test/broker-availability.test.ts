import { describe, expect, test } from "vitest";
import { BrokerAvailability } from "../src/broker-availability.ts";

describe("a broker", () => {
  test("is available until it has taken nothing for longer than the time, while there was something", () => {
    const availability = new BrokerAvailability(100);
    expect(availability.isAvailable(1)).toBe(true);
    availability.observe(1, true, 1_000);
    // Nothing was ready for it meanwhile.
    availability.observe(1, true, 5_000);
    availability.observe(1, false, 5_100);
    expect(availability.isAvailable(1)).toBe(true);
    availability.observe(1, false, 5_101);
    expect(availability.isAvailable(1)).toBe(false);
    expect(availability.isAvailable(2)).toBe(true);
    availability.observe(1, true, 5_200);
    expect(availability.isAvailable(1)).toBe(true);
  });

  test("that was never reached is given its time from the first look", () => {
    const availability = new BrokerAvailability(100);
    availability.observe(1, false, 1_000);
    expect(availability.isAvailable(1)).toBe(true);
    availability.observe(1, false, 1_101);
    expect(availability.isAvailable(1)).toBe(false);
  });

  test("is always available with a time of 0", () => {
    const availability = new BrokerAvailability(0);
    availability.observe(1, false, 0);
    availability.observe(1, false, 1_000_000);
    expect(availability.isAvailable(1)).toBe(true);
  });
});
