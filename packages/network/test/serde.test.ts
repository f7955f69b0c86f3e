import { describe, expect, test } from "vitest";
import { SerializationError } from "../src/errors.ts";
import { bytes, json, string } from "../src/serde.ts";

const key = { topic: "orders", role: "key" } as const;
const value = { topic: "orders", role: "value" } as const;

describe("string", () => {
  test("leaves text to be written as UTF-8, and reads UTF-8", () => {
    expect(string.serialize("grün", key)).toBe("grün");
    expect(string.deserialize(Buffer.from("grün"), key)).toBe("grün");
  });

  test("refuses what is no text, naming topic and role", () => {
    // @ts-expect-error a number is no string
    const wrong = () => string.serialize(42, key);
    expect(wrong).toThrow(SerializationError);
    expect(wrong).toThrow("the key for orders must be a string, and is of type number");
  });
});

describe("bytes", () => {
  test("takes and gives bytes as they are", () => {
    const given = Buffer.from([0, 255]);
    expect(bytes.serialize(given, value)).toBe(given);
    expect(bytes.deserialize(given, value)).toBe(given);
  });

  test("refuses what is no Uint8Array, naming topic and role", () => {
    // @ts-expect-error text is no Uint8Array
    expect(() => bytes.serialize("text", value)).toThrow(
      "the value for orders must be a Uint8Array, and is of type string",
    );
  });
});

describe("json", () => {
  test("writes JSON text and reads it", () => {
    expect(json.serialize({ total: 7 }, value)).toBe('{"total":7}');
    expect(json.deserialize(Buffer.from('{"total":7}'), value)).toEqual({ total: 7 });
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => {}],
    ["a bigint", { total: 7n }],
  ])("refuses %s, which has no JSON form", (_, given) => {
    const wrong = () => json.serialize(given, value);
    expect(wrong).toThrow(SerializationError);
    expect(wrong).toThrow("the value for orders has no JSON form");
  });

  test("refuses a value that refers to itself, with the reason as its cause", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    expect(() => json.serialize(loop, value)).toThrow(
      expect.objectContaining({ code: "SERIALIZATION", cause: expect.any(TypeError) }),
    );
  });

  test("refuses bytes that are no JSON, without a word of what they hold", () => {
    const wrong = () => json.deserialize(Buffer.from("hunter2"), value);
    expect(wrong).toThrow("the value of a record of orders is no JSON");
    expect(wrong).toThrow(expect.not.objectContaining({ cause: expect.anything() }));
  });
});
