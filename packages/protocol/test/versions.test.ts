import { describe, expect, test } from "vitest";
import { UnsupportedVersionError } from "../src/errors.ts";
import { Fetch, InitProducerId } from "../src/messages/index.ts";
import { usableVersion } from "../src/versions.ts";

const broker = (minVersion: number, maxVersion: number): { minVersion: number; maxVersion: number } => ({
  minVersion,
  maxVersion,
});

describe("the version of Fetch, which is 4 to 18 here", () => {
  test.each([
    ["our newest, of a broker that has more", broker(0, 20), {}, 18],
    ["the broker's newest, of an older broker", broker(0, 11), {}, 11],
    ["the only one in common", broker(18, 30), {}, 18],
    ["the only one in common, at the other end", broker(0, 4), {}, 4],
    ["the newest that the caller allows", broker(0, 20), { newest: 12 }, 12],
    ["the broker's newest, where the caller allows more", broker(0, 11), { newest: 12 }, 11],
    ["the newest, where the caller needs a younger one", broker(0, 20), { oldest: 13 }, 18],
    ["the one that the caller asks for", broker(0, 20), { oldest: 7, newest: 7 }, 7],
    ["ours, where the caller allows what does not exist", broker(0, 20), { oldest: 0, newest: 99 }, 18],
  ])("is %s", (_, range, bounds, version) => {
    expect(usableVersion(Fetch, range, bounds)).toBe(version);
  });

  test.each([
    ["the broker is too old", broker(0, 3), {}, "4 to 18 here, 0 to 3 on the broker"],
    ["the broker is too new", broker(19, 25), {}, "4 to 18 here, 19 to 25 on the broker"],
    ["the caller needs a younger broker", broker(0, 12), { oldest: 13 }, "13 to 18 here, 0 to 12 on the broker"],
    ["the caller needs an older broker", broker(13, 20), { newest: 12 }, "4 to 12 here, 13 to 20 on the broker"],
  ])("does not exist where %s", (_, range, bounds, words) => {
    expect(() => usableVersion(Fetch, range, bounds)).toThrow(UnsupportedVersionError);
    expect(() => usableVersion(Fetch, range, bounds)).toThrow(`no common version of Fetch: ${words}`);
  });

  test("does not exist where the broker does not have the API", () => {
    expect(() => usableVersion(Fetch, undefined)).toThrow("the broker does not have Fetch (4 to 18 would do)");
  });
});

test("a version that is not stable yet is chosen only where no older one will do", () => {
  expect(InitProducerId.versions[1]).toBe(6);
  expect(usableVersion(InitProducerId, broker(0, 6))).toBe(5);
  expect(usableVersion(InitProducerId, broker(0, 6), { newest: 6 })).toBe(5);
  expect(usableVersion(InitProducerId, broker(0, 6), { oldest: 3 })).toBe(5);
  expect(usableVersion(InitProducerId, broker(0, 7), { oldest: 6 })).toBe(6);
  expect(() => usableVersion(InitProducerId, broker(0, 5), { oldest: 6 })).toThrow(
    "no common version of InitProducerId: 6 to 6 here, 0 to 5 on the broker",
  );
});
