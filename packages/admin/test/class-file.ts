/** Bytes behind the tag of each kind of constant, but for texts, whose length is written with them. */
const constantBytes: Readonly<Record<number, number>> = {
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 2,
  8: 2,
  9: 4,
  10: 4,
  11: 4,
  12: 4,
  15: 3,
  16: 2,
  17: 4,
  18: 4,
  19: 2,
  20: 2,
};
const text = 1;
/** Long and double: each takes the place of two. */
const wide: ReadonlySet<number> = new Set([5, 6]);

/** The names of the methods that a Java class declares, those that are overloaded once. Source: JVM specification, chapter 4. */
export function methodNames(classFile: Buffer): ReadonlySet<string> {
  let at = 8;
  const uint16 = () => {
    at += 2;
    return classFile.readUInt16BE(at - 2);
  };
  const texts = new Map<number, string>();
  const constants = uint16();
  for (let index = 1; index < constants; index++) {
    const tag = classFile.readUInt8(at++);
    if (tag === text) {
      const bytes = uint16();
      texts.set(index, classFile.toString("utf8", at, at + bytes));
      at += bytes;
    } else {
      const bytes = constantBytes[tag];
      if (bytes === undefined) throw new Error(`constant ${index} is of kind ${tag}, which classes do not have`);
      at += bytes;
      if (wide.has(tag)) index++;
    }
  }
  // Access, this class, its superclass.
  at += 6;
  const interfaces = uint16();
  at += 2 * interfaces;
  const members = (): string[] =>
    Array.from({ length: uint16() }, () => {
      at += 2;
      const name = texts.get(uint16()) ?? "";
      at += 2;
      for (let attributes = uint16(); attributes > 0; attributes--) {
        at += 2;
        const bytes = classFile.readUInt32BE(at);
        at += 4 + bytes;
      }
      return name;
    });
  // Fields come first.
  members();
  return new Set(members());
}
