import { describe, expect, test } from "vitest";
import { OptionsError } from "../src/errors.ts";
import { OptionReader } from "../src/option-reader.ts";

const isDate = (value: unknown): value is Date => value instanceof Date;

/** What reading one option throws. */
const refusal = (read: () => unknown): { readonly option: string; readonly message: string } => {
  try {
    read();
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("an option that is not given", () => {
  test.each([{}, { lingerMs: undefined }, { lingerMs: null }])("as in %o has its default", (given) => {
    const reader = new OptionReader(given);
    expect(reader.has("lingerMs")).toBe(false);
    expect(reader.integer("lingerMs", 5, 0)).toBe(5);
    reader.finish();
  });

  test("is refused where it is required", () => {
    const { option, message } = refusal(() => new OptionReader({}).required("start", isDate, "a Date"));
    expect(option).toBe("start");
    expect(message).toBe("option start: a Date is expected, not undefined");
  });
});

describe("an option that is given", () => {
  test("is taken as it is", () => {
    const start = new Date(0);
    const given = { lingerMs: 0, enableIdempotence: false, clientId: "me", acks: "all", start };
    const reader = new OptionReader(given);
    expect(reader.has("lingerMs")).toBe(true);
    expect(reader.integer("lingerMs", 5, 0)).toBe(0);
    expect(reader.boolean("enableIdempotence", true)).toBe(false);
    expect(reader.string("clientId", "odradek")).toBe("me");
    expect(reader.oneOf("acks", 1, ["all", 0, 1])).toBe("all");
    expect(reader.value("start", new Date(1), isDate, "a Date")).toBe(start);
    reader.finish();
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5", true, {}])(
    "as %o is no whole number from 0",
    (value) => {
      const { option, message } = refusal(() => new OptionReader({ lingerMs: value }).integer("lingerMs", 5, 0));
      expect(option).toBe("lingerMs");
      expect(message).toMatch(/^option lingerMs: a whole number of at least 0 is expected, not ./);
    },
  );

  test("is refused beyond its limits, and the limits themselves are not", () => {
    const read = (value: number) => new OptionReader({ retries: value }).integer("retries", 5, 1, 9);
    expect([read(1), read(9)]).toEqual([1, 9]);
    expect(refusal(() => read(0)).message).toBe("option retries: a whole number from 1 to 9 is expected, not 0");
    expect(refusal(() => read(10)).message).toBe("option retries: a whole number from 1 to 9 is expected, not 10");
  });

  test.each(["true", 1, {}])("as %o is neither true nor false", (value) => {
    const { message } = refusal(() => new OptionReader({ idempotent: value }).boolean("idempotent", true));
    expect(message).toMatch(/^option idempotent: true or false is expected, not ./);
  });

  test.each(["", 7, ["a"]])("as %o is no text", (value) => {
    const { message } = refusal(() => new OptionReader({ clientId: value }).string("clientId", null));
    expect(message).toMatch(/^option clientId: a text that is not empty is expected, not ./);
  });

  test("is refused where it is none of the allowed ones", () => {
    const { message } = refusal(() => new OptionReader({ acks: 2 }).oneOf("acks", "all", ["all", 0, 1, -1]));
    expect(message).toBe("option acks: one of all, 0, 1, -1 is expected, not 2");
  });

  test("is refused where it is nothing that would do", () => {
    const read = () => new OptionReader({ start: "today" }).value("start", new Date(), isDate, "a Date");
    expect(refusal(read).message).toBe('option start: a Date is expected, not "today"');
  });

  test("but does not exist is refused, with those that do", () => {
    const reader = new OptionReader({ clientID: "me" });
    reader.string("clientId", "odradek");
    reader.integer("lingerMs", 5, 0);
    const { option, message } = refusal(() => reader.finish());
    expect(option).toBe("clientID");
    expect(message).toBe('option clientID: one of the names clientId, lingerMs is expected, not "clientID"');
  });
});

describe("a message about options", () => {
  test.each([[null], [undefined], ["text"], [7], [["clientId"]]])("says that %o holds none", (given) => {
    expect(refusal(() => new OptionReader(given)).message).toMatch(/^option options: an object is expected, not ./);
  });

  test("shows no value of an option that does not exist: it may be a secret in the wrong place", () => {
    const reader = new OptionReader({ saslPassword: "hunter2" });
    expect(refusal(() => reader.finish()).message).not.toContain("hunter2");
  });

  test.each([
    ["an object", { password: "hunter2" }, "an object"],
    ["a function", () => "hunter2", "a function"],
    ["an array", ["hunter2"], "an array of 1"],
    ["a symbol", Symbol("hunter2"), "a symbol"],
  ])("shows nothing of what %s holds", (_, value, shown) => {
    const { message } = refusal(() => new OptionReader({ lingerMs: value }).integer("lingerMs", 5, 0));
    expect(message).toBe(`option lingerMs: a whole number of at least 0 is expected, not ${shown}`);
  });

  test("cuts off a long text", () => {
    const { message } = refusal(() => new OptionReader({ lingerMs: "x".repeat(500) }).integer("lingerMs", 5, 0));
    expect(message.length).toBeLessThan(200);
  });
});
