import { describe, expect, test } from "vitest";
import { readMessage, writeMessage } from "../src/codec.ts";
import { codecOf } from "../src/compile.ts";
import { EncodeError, UnsupportedVersionError } from "../src/errors.ts";
import { Reader } from "../src/reader.ts";
import { type AnyType, array, blob, int8, type Message, type Primitive, struct } from "../src/schema.ts";
import { Writer } from "../src/writer.ts";
import { allMessages } from "./schema/apis.ts";
import { defaultOf, isOptional, isStruct } from "./schema/defaults.ts";
import { messageOf, readGoldenFrames } from "./schema/golden-frames.ts";
import { type Site, sitesOf } from "./schema/sites.ts";

/** A message at one version with all its fields set, and the places where something else could stand. */
interface Subject {
  readonly message: Message;
  readonly version: number;
  readonly value: unknown;
  readonly sites: readonly Site[];
}

/** Every message at every version. */
const subjects = readGoldenFrames()
  .filter((frame) => frame.case === "full")
  .map((frame): Subject => {
    const { version, value } = frame;
    const message = messageOf(frame);
    return { message, version, value, sites: [...sitesOf(message.type, version, value)] };
  });

function write(message: Message, version: number, value: unknown): string {
  if (!isStruct(value)) throw new Error("a message is a struct");
  const writer = new Writer();
  writeMessage(writer, message, version, value);
  return Buffer.concat(writer.finish()).toString("hex");
}

/** A value that must not be written, and the error that says so. */
interface Mistake {
  readonly subject: Subject;
  readonly site: Site;
  readonly value: unknown;
  readonly error?: typeof EncodeError | typeof UnsupportedVersionError;
  readonly reason: RegExp;
}

/** Checks that every mistake is refused with its place, and that there were enough of them for this to mean something. */
function expectRefusal(mistakes: Iterable<Mistake>, atLeast: number): void {
  const found: string[] = [];
  let count = 0;
  for (const mistake of mistakes) {
    count++;
    const complaint = complaintOf(mistake);
    if (complaint !== null) found.push(complaint);
  }
  expect(found.slice(0, 20)).toEqual([]);
  expect(count).toBeGreaterThan(atLeast);
}

function complaintOf({ subject, site, value, error: expected = EncodeError, reason }: Mistake): string | null {
  const { message, version } = subject;
  const place = `${message.name} v${version} ${site.path}`;
  try {
    write(message, version, site.with(value));
  } catch (error) {
    if (!(error instanceof expected)) return `${place}, ${shown(value)}: ${String(error)}`;
    const holds =
      error.subject === `${message.name} v${version}` &&
      error.path === site.path &&
      error.message.includes(place) &&
      reason.test(error.reason);
    return holds ? null : `${place}, ${shown(value)}: ${error.message}`;
  }
  return `${place}, ${shown(value)}: was written`;
}

const shown = (value: unknown): string => `${typeof value} ${String(value).slice(0, 40)}`;

function* everySite(wanted: (site: Site) => boolean): Iterable<{ subject: Subject; site: Site }> {
  for (const subject of subjects) {
    for (const site of subject.sites) if (wanted(site)) yield { subject, site };
  }
}

const integers: Readonly<Partial<Record<string, readonly [number, number]>>> = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
};

// Each of these goes through every message; the limit is for a machine that is busy with something else.
describe("a writer refuses, naming message, version and field", { timeout: 60_000 }, () => {
  test("a number out of range", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present }) => present)) {
        const [min, max] = integers[at.site.type.form.kind] ?? [];
        if (min === undefined || max === undefined) continue;
        for (const value of [min - 1, max + 1, 2 ** 53]) {
          yield { ...at, value, reason: /out of range/ };
        }
      }
    }
    expectRefusal(mistakes(), 4_000);
  });

  test("a 64-bit integer out of range", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present, type }) => present && type.form.kind === "int64")) {
        for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) yield { ...at, value, reason: /out of range/ };
      }
    }
    expectRefusal(mistakes(), 500);
  });

  test("a number that is not an integer", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present, type }) => present && integers[type.form.kind] !== undefined)) {
        for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) yield { ...at, value, reason: /integer/ };
      }
    }
    expectRefusal(mistakes(), 4_000);
  });

  test("a value of another type", () => {
    const accepted: Readonly<Record<Primitive | "array" | "struct", RegExp>> = {
      bool: /boolean/,
      int8: /number|integer/,
      int16: /number|integer/,
      uint16: /number|integer/,
      int32: /number|integer/,
      int64: /bigint/,
      float64: /number/,
      string: /string/,
      uuid: /string/,
      bytes: /Buffer/,
      records: /Buffer/,
      array: /array/,
      struct: /object/,
    };
    const values: readonly [string, unknown][] = [
      ["boolean", true],
      ["number", 1],
      ["bigint", 1n],
      ["string", "1"],
      ["Buffer", Buffer.of(1)],
      ["array", [1]],
      ["function", () => 1],
    ];
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present }) => present)) {
        const { kind } = at.site.type.form;
        for (const [type, value] of values) {
          // A UUID is text, so other text is refused for other reasons; any object could be a struct.
          if (accepted[kind].test(type) || (kind === "struct" && typeof value === "object")) continue;
          yield { ...at, value, reason: accepted[kind] };
        }
      }
    }
    expectRefusal(mistakes(), 25_000);
  });

  test("null where the version allows none", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present }) => present)) {
        const { rules } = at.site.type;
        if (at.subject.version >= rules.nullableSince) continue;
        yield { ...at, value: null, reason: /null/ };
      }
    }
    expectRefusal(mistakes(), 4_000);
  });

  test("a field that is missing", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present, item, type }) => present && !item && !isOptional(type))) {
        yield { ...at, value: undefined, reason: /missing/ };
      }
    }
    expectRefusal(mistakes(), 3_000);
  });

  test("an item that is missing", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ item }) => item)) yield { ...at, value: undefined, reason: /undefined/ };
    }
    expectRefusal(mistakes(), 500);
  });

  test("text that is not a UUID", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present, type }) => present && type.form.kind === "uuid")) {
        for (const value of ["", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAA!AAAAAAAAAAA"]) {
          yield { ...at, value, reason: /not a UUID/ };
        }
      }
    }
    expectRefusal(mistakes(), 100);
  });

  test("more than 32767 bytes of text where the length is an int16", () => {
    // One byte too many in UTF-8, although there are fewer characters.
    const text = "é".repeat(16_384);
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present, type }) => present && type.form.kind === "string")) {
        if (at.subject.version < at.subject.message.flexible) yield { ...at, value: text, reason: /32767 at most/ };
      }
    }
    expectRefusal(mistakes(), 300);
  });

  test("a value that its version has no field for, unless it is the default", () => {
    function* mistakes(): Iterable<Mistake> {
      for (const at of everySite(({ present, type }) => !present && !type.rules.ignorable)) {
        const value = otherThanDefault(at.site.type);
        yield { ...at, value, error: UnsupportedVersionError, reason: /no such field/ };
      }
    }
    expectRefusal(mistakes(), 200);
  });
});

describe("a writer drops", () => {
  test("what may be ignored, where the version has no field for it", () => {
    let count = 0;
    for (const { subject, site } of everySite(({ present, type }) => !present && type.rules.ignorable)) {
      const { message, version, value } = subject;
      count++;
      expect(write(message, version, site.with(otherThanDefault(site.type)))).toBe(write(message, version, value));
    }
    expect(count).toBeGreaterThan(200);
  });

  test("the default of a field that its version lacks, also where it may not be ignored", () => {
    let count = 0;
    for (const { subject, site } of everySite(({ present }) => !present)) {
      const { message, version, value } = subject;
      count++;
      expect(write(message, version, site.with(defaultOf(site.type)))).toBe(write(message, version, value));
      expect(write(message, version, site.with(undefined))).toBe(write(message, version, value));
    }
    expect(count).toBeGreaterThan(500);
  });
});

test("a struct that may be null is there unless the byte in front of it is negative, as Java reads it", () => {
  const message = blob({ name: "Maybe", versions: [0, 0], fields: { inner: struct({ id: int8 }).nullable() } });
  const read = (first: number): unknown => readMessage(new Reader(Buffer.of(first, 7)), message, 0);
  for (const first of [0, 1, 0x7f]) expect(read(first)).toEqual({ inner: { id: 7 } });
  for (const first of [0x80, 0xfe, 0xff]) expect(read(first)).toEqual({ inner: null });
});

test("tags are written in the order of their numbers, wherever their fields are declared", () => {
  const fields = { last: int8.tagged(9), first: int8.tagged(2), middle: int8.tagged(5) };
  const message = blob({ name: "Tags", versions: [0, 0], flexible: 0, fields });
  expect(write(message, 0, { last: 3, first: 1, middle: 2 })).toBe("03" + "020101" + "050102" + "090103");
});

test("a count of structs without fields is held against the tag section that each of them has", () => {
  const message = blob({ name: "Empty", versions: [0, 0], flexible: 0, fields: { items: array({}) } });
  const read = (hex: string): unknown => readMessage(new Reader(Buffer.from(hex, "hex")), message, 0);
  expect(read("03" + "00" + "00" + "00")).toEqual({ items: [{}, {}] });
  expect(() => read("ffffffff07" + "00")).toThrow(
    "Empty v0 items at offset 5: 2147483646 items announced, 1 bytes left",
  );
});

test("a version that a message does not have is refused by name", () => {
  for (const message of allMessages) {
    const [first, last] = message.versions;
    for (const version of [first - 1, last + 1, Number.NaN, first + 0.5]) {
      expect(() => write(message, version, {})).toThrow(UnsupportedVersionError);
      expect(() => codecOf(message, version)).toThrow(`${message.name} has versions ${first} to ${last}`);
    }
  }
});

/** Something of the right type that is not the default. */
function otherThanDefault(type: AnyType): unknown {
  const { form } = type;
  switch (form.kind) {
    case "array":
      return [otherThanDefault(form.item)];
    case "struct":
      return Object.fromEntries(Object.entries(form.fields).map(([name, field]) => [name, otherThanDefault(field)]));
    case "bool":
      return defaultOf(type) === false;
    case "int64":
      return 77n;
    case "string":
      return "other";
    case "bytes":
    case "records":
      return Buffer.of(7);
    case "uuid":
      return "BBBBBBBBBBBBBBBBBBBBBA";
    default:
      return 77;
  }
}
