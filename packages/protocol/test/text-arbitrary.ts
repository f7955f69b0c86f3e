import fc from "fast-check";

/** Of one, two or three, and four bytes in UTF-8. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0x10ffff }),
  )
  .map((codePoint) => String.fromCodePoint(codePoint));

/** Any text without half characters. What fast-check has for it, `unit: "binary"`, takes more than a second to begin with. */
export const textOf = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: character, maxLength });
