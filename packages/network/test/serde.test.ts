import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SerializationError } from "../src/errors.ts";
import { bigint, bytes, double, int, json, nothing, type Serde, string, uuid } from "../src/serde.ts";

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

describe("what Java writes", () => {
  interface Golden {
    readonly serde: "string" | "int" | "bigint" | "double" | "uuid" | "nothing";
    /** As Java's text. */
    readonly value: string;
    readonly bytes: string | null;
  }
  const lines = readFileSync(join(import.meta.dirname, "golden/serializers.jsonl"), "utf8")
    .trim()
    .split("\n");
  const golden = lines.map((line) => JSON.parse(line) as Golden);

  /** The bytes of a serde in hexadecimal, and what it reads of them. */
  function through<T, In>(
    serde: Serde<T, In>,
    given: In,
  ): { readonly written: string | null; readonly read: T | null } {
    const encoded = serde.serialize(given, value);
    if (encoded === null) return { written: null, read: null };
    const written = Buffer.from(encoded as string);
    return { written: written.toString("hex"), read: serde.deserialize(written, value) };
  }

  test.each(golden)(
    "is what $serde writes of $value, and it reads that again",
    ({ serde, value: text, bytes: expected }) => {
      const cases = {
        string: () => [through(string, text), text],
        int: () => [through(int, Number(text)), Number(text)],
        bigint: () => [through(bigint, BigInt(text)), BigInt(text)],
        double: () => [through(double, Number(text)), Number(text)],
        uuid: () => [through(uuid, text), text.toLowerCase()],
        nothing: () => [through(nothing, null), null],
      } as const;
      const [{ written, read }, back] = cases[serde]() as [ReturnType<typeof through>, unknown];
      expect(written).toBe(expected);
      expect(read).toBe(back);
    },
  );

  test("has every serde that Java has", () => {
    expect([...new Set(golden.map(({ serde }) => serde))].sort()).toEqual([
      "bigint",
      "double",
      "int",
      "nothing",
      "string",
      "uuid",
    ]);
  });
});

describe("numbers", () => {
  test("come back as they went", () => {
    const same = <T, In>(serde: Serde<T, In>, given: In & T) => {
      expect(serde.deserialize(Buffer.from(serde.serialize(given, key) as Buffer), key)).toBe(given);
    };
    fc.assert(fc.property(fc.integer(), (given) => same(int, given)));
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (given) => same(bigint, given)));
    fc.assert(fc.property(fc.double(), (given) => same(double, given)));
  });

  test("are one key however NaN came about", () => {
    const zero = Number("0");
    for (const nan of [Number.NaN, zero / zero, -(zero / zero), Math.sqrt(-1), Number("x")]) {
      expect(double.serialize(nan, key)).toEqual(Buffer.from("7ff8000000000000", "hex"));
    }
  });

  test("that are exact may be written as bigint without being one", () => {
    expect(bigint.serialize(-2, key)).toEqual(bigint.serialize(-2n, key));
  });

  test.each([
    ["int", () => int.serialize(2 ** 31, key), "a whole number of 32 bits, and is of type number"],
    ["int", () => int.serialize(0.5, key), "a whole number of 32 bits"],
    ["int", () => int.serialize("1" as never, key), "a whole number of 32 bits, and is of type string"],
    ["bigint", () => bigint.serialize(2n ** 63n, key), "a whole number of 64 bits, and is of type bigint"],
    ["bigint", () => bigint.serialize(2 ** 53, key), "a whole number of 64 bits, and is of type number"],
    ["bigint", () => bigint.serialize("1" as never, key), "a whole number of 64 bits, and is of type string"],
    ["double", () => double.serialize(1n as never, key), "a number, and is of type bigint"],
  ])("that %s cannot hold are refused: %#", (_, wrong, reason) => {
    expect(wrong).toThrow(SerializationError);
    expect(wrong).toThrow(`the key for orders must be ${reason}`);
  });

  test.each([
    ["int", () => int.deserialize(Buffer.alloc(3), value), "has 3 bytes, and not 4"],
    ["bigint", () => bigint.deserialize(Buffer.alloc(4), value), "has 4 bytes, and not 8"],
    ["double", () => double.deserialize(Buffer.alloc(9), value), "has 9 bytes, and not 8"],
  ])("are not read as %s from another count of bytes", (_, wrong, reason) => {
    expect(wrong).toThrow(SerializationError);
    expect(wrong).toThrow(`the value of a record of orders ${reason}`);
  });
});

describe("uuid", () => {
  test("refuses what is none, in both directions, and shows none of it", () => {
    expect(() => uuid.serialize("123e4567e89b12d3a456426614174000", key)).toThrow(
      "the key for orders must be a UUID, and is of type string",
    );
    expect(() => uuid.deserialize(Buffer.from("hunter2"), key)).toThrow("the key of a record of orders is no UUID");
  });
});

describe("nothing", () => {
  test("takes null only, and reads nothing else", () => {
    expect(() => nothing.serialize("a" as never, value)).toThrow("the value for orders must be null");
    expect(() => nothing.deserialize(Buffer.from("a"), value)).toThrow("the value of a record of orders is not null");
  });
});
