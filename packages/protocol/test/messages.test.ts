import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMessage, writeMessage } from "../src/codec.ts";
import { Reader } from "../src/reader.ts";
import type { Message } from "../src/schema.ts";
import { Writer } from "../src/writer.ts";
import { allMessages, versionsOf } from "./schema/apis.ts";
import { arbitraryOf } from "./schema/arbitrary.ts";
import { asRead, isStruct, type Struct } from "./schema/defaults.ts";
import { layOut } from "./schema/layout.ts";

const runsPerVersion = 15;

function write(message: Message, version: number, value: Struct): Buffer {
  const writer = new Writer();
  writeMessage(writer, message, version, value);
  return Buffer.concat(writer.finish());
}

/** What a reader has to give, every field in it. */
function whole(message: Message, version: number, value: Struct): Struct {
  const struct = asRead(message.type, version, value);
  if (!isStruct(struct)) throw new Error(`${message.name} is not a struct`);
  return struct;
}

describe.each(allMessages)("$name", (message) => {
  test("is read as it was written, with defaults for what was left out", () => {
    for (const version of versionsOf(message)) {
      const property = fc.property(arbitraryOf(message, version), (value) => {
        const bytes = write(message, version, value);
        const reader = new Reader(bytes);
        expect(readMessage(reader, message, version)).toStrictEqual(whole(message, version, value));
        expect(reader.remaining).toBe(0);
      });
      fc.assert(property, { numRuns: runsPerVersion });
    }
  });

  test("is written as the protocol says, byte by byte", () => {
    for (const version of versionsOf(message)) {
      const property = fc.property(arbitraryOf(message, version), (value) => {
        const expected = layOut(message, version, whole(message, version, value)).bytes;
        expect(write(message, version, value).toString("hex")).toBe(expected.toString("hex"));
      });
      fc.assert(property, { numRuns: runsPerVersion });
    }
  });

  test("has its fields in the order of the declaration, whatever the version", () => {
    const { form } = message.type;
    if (form.kind !== "struct") throw new Error(`${message.name} is not a struct`);
    for (const version of versionsOf(message)) {
      const [value = {}] = fc.sample(arbitraryOf(message, version), { numRuns: 1, seed: version });
      const read = readMessage(new Reader(write(message, version, value)), message, version);
      expect(Object.keys(read)).toEqual(Object.keys(form.fields));
    }
  });
});

const everFlexible = allMessages.filter(({ flexible, versions }) => flexible <= versions[1]);

describe.each(everFlexible)("$name, where it is flexible", (message) => {
  test("is read without the tags that its version does not know", () => {
    const tag = fc.integer({ min: 40, max: 0x7fff_ffff });
    const unknownTags = fc
      .uniqueArray(fc.record({ tag, data: fc.uint8Array({ maxLength: 5 }).map((array) => Buffer.from(array)) }), {
        selector: (each) => each.tag,
        minLength: 1,
        maxLength: 3,
      })
      .map((tags) => tags.sort((a, b) => a.tag - b.tag));
    for (const version of versionsOf(message).filter((each) => each >= message.flexible)) {
      const property = fc.property(arbitraryOf(message, version), unknownTags, (value, tags) => {
        const expected = whole(message, version, value);
        const reader = new Reader(layOut(message, version, expected, tags).bytes);
        expect(readMessage(reader, message, version)).toStrictEqual(expected);
        expect(reader.remaining).toBe(0);
      });
      fc.assert(property, { numRuns: runsPerVersion });
    }
  });
});
