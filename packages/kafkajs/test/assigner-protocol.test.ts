import { describe, expect, test } from "vitest";
import { call, libraries } from "./libraries.ts";

describe.each(libraries)("AssignerProtocol of %s", (_, library) => {
  const part = (name: string): unknown => Reflect.get(Object(library["AssignerProtocol"]), name);

  test("MemberMetadata", () => {
    const metadata = part("MemberMetadata");
    const bytes = Buffer.from("0001000000020001610001620000000163", "hex");
    const value = { version: 1, topics: ["a", "b"], userData: Buffer.from("c") };
    expect(call(metadata, "encode", value)).toEqual(bytes);
    expect(call(metadata, "decode", bytes)).toEqual(value);
    expect(call(metadata, "encode", { version: 1, topics: ["é"] })).toEqual(
      Buffer.from("000100000001" + "0002c3a9" + "00000000", "hex"),
    );
  });

  test("MemberAssignment", () => {
    const assignment = part("MemberAssignment");
    const bytes = Buffer.from("0001" + "00000001" + "000161" + "00000002" + "0000000000000001" + "00000000", "hex");
    const value = { version: 1, assignment: { a: [0, 1] }, userData: Buffer.alloc(0) };
    expect(call(assignment, "encode", { version: 1, assignment: { a: [0, 1] } })).toEqual(bytes);
    expect(call(assignment, "decode", bytes)).toEqual(value);
  });

  test("members of Java have no user data, which is null", () => {
    for (const [name, bytes, value] of [
      ["MemberMetadata", "0001" + "00000001" + "000161" + "ffffffff", { version: 1, topics: ["a"], userData: null }],
      ["MemberAssignment", "0001" + "00000000" + "ffffffff", { version: 1, assignment: {}, userData: null }],
    ] as const) {
      expect(call(part(name), "encode", value)).toEqual(Buffer.from(bytes, "hex"));
      expect(call(part(name), "decode", Buffer.from(bytes, "hex"))).toEqual(value);
    }
  });

  test("what members that know more put behind it is ignored", () => {
    const bytes = Buffer.from("0003" + "00000001" + "000161" + "00000000" + "00000000ffffffff", "hex");
    expect(call(part("MemberMetadata"), "decode", bytes)).toMatchObject({ version: 3, topics: ["a"] });
  });

  test("no assignment is null", () => {
    expect(call(part("MemberAssignment"), "decode", Buffer.alloc(0))).toBe(null);
  });
});

test("bytes that are missing are an error, and no endless list", () => {
  const { MemberMetadata } = Object(libraries[1]?.[1]["AssignerProtocol"]);
  expect(() => call(MemberMetadata, "decode", Buffer.from("00007fffffff000161", "hex"))).toThrow(RangeError);
});
