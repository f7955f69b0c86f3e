import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeRequest, decodeResponse, readMessage } from "../src/codec.ts";
import { DecodeError } from "../src/errors.ts";
import { Reader } from "../src/reader.ts";
import type { Message } from "../src/schema.ts";
import { apis } from "./schema/apis.ts";
import { messageOf, readGoldenFrames } from "./schema/golden-frames.ts";
import { type Layout, layOut, type Part, uvarint } from "./schema/layout.ts";

/** A message at one version, all its fields set, of which the meaning of every byte is known. */
interface Subject {
  readonly message: Message;
  readonly version: number;
  readonly layout: Layout;
}

// Errors are made by the hundred thousand here; their stacks say nothing and cost most of the time.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

const golden = readGoldenFrames();
const unknownTags = [
  { tag: 100, data: Buffer.of(1, 2, 3) },
  { tag: 101, data: Buffer.alloc(0) },
];

/** Every message at every version. */
const subjects = golden
  .filter((frame) => frame.case === "full")
  .map((frame): Subject => {
    const { version, value } = frame;
    const message = messageOf(frame);
    return { message, version, layout: layOut(message, version, value, unknownTags) };
  });
const isCompact = ({ message, version }: Subject): boolean => version >= message.flexible;
const flexible = subjects.filter(isCompact);

/** Bytes that are not what they should be, and what the error has to say of them besides being one. */
interface Lie {
  readonly subject: Subject;
  readonly bytes: Buffer;
  readonly about: string;
  readonly path?: string;
  /** The path is this one, or leads to it. */
  readonly towards?: string;
  readonly offset?: number;
  readonly reason?: RegExp;
}

/** Checks that every lie is refused, and that there were enough of them for this to mean something. */
function expectRefusal(lies: Iterable<Lie>, atLeast: number): void {
  // One `expect` for all: there are too many for one each.
  const found: string[] = [];
  let count = 0;
  for (const lie of lies) {
    count++;
    const complaint = complaintOf(lie);
    if (complaint !== null) found.push(complaint);
  }
  expect(found.slice(0, 20)).toEqual([]);
  expect(count).toBeGreaterThan(atLeast);
}

/** What is wrong about how a lie is refused. */
function complaintOf({ subject: { message, version }, bytes, about, ...expected }: Lie): string | null {
  const reader = new Reader(bytes);
  const subject = `${message.name} v${version}`;
  try {
    readMessage(reader, message, version);
  } catch (error) {
    if (!(error instanceof DecodeError)) return `${subject}, ${about}: ${String(error)}`;
    const { path, offset, reason } = error;
    const holds =
      error.subject === subject &&
      error.message === `cannot decode ${[subject, path].filter(Boolean).join(" ")} at offset ${offset}: ${reason}` &&
      offset <= bytes.length &&
      reader.offset <= bytes.length &&
      path === (expected.path ?? path) &&
      (expected.towards ?? path).startsWith(path) &&
      offset === (expected.offset ?? offset) &&
      (expected.reason ?? /./).test(reason);
    return holds ? null : `${subject}, ${about}: ${error.message}`;
  }
  return `${subject}, ${about}: was read`;
}

/** The bytes with others in the place of a part. */
const replaced = ({ layout }: Subject, { start, end }: Pick<Part, "start" | "end">, bytes: Buffer): Buffer =>
  Buffer.concat([layout.bytes.subarray(0, start), bytes, layout.bytes.subarray(end)]);

const partsOf = ({ layout }: Subject, ...kinds: Part["kind"][]): Part[] =>
  layout.parts.filter(({ kind }) => kinds.includes(kind));

/** Whether a size can be said in the bytes of a part. */
const fits = (subject: Subject, { start, end }: Part, size: number): boolean =>
  isCompact(subject) || size < 2 ** ((end - start) * 8 - 1);

/** A length or a count of another size, in the form that the part has. */
function sized(subject: Subject, part: Part, size: number): Buffer {
  if (isCompact(subject)) return uvarint(size + 1);
  const bytes = Buffer.alloc(part.end - part.start);
  bytes.writeIntBE(size, 0, bytes.length);
  return bytes;
}

// Each of these goes through every message; the limit is for a machine that is busy with something else.
describe("a message of a peer that lies is refused", { timeout: 60_000 }, () => {
  test("when it is cut at any byte, and nothing behind the cut is read", () => {
    function* lies(): Iterable<Lie> {
      for (const subject of subjects) {
        for (const { start, end, path } of subject.layout.parts) {
          for (let cut = start; cut < end; cut++) {
            // What is missing stands right behind the view, so a read past its end would succeed. The path may end
            // earlier: a count is refused before its items when they cannot all be there.
            yield { subject, bytes: subject.layout.bytes.subarray(0, cut), about: `cut at ${cut}`, towards: path };
          }
        }
      }
    }
    expectRefusal(lies(), 60_000);
  });

  test("when a length or a count is larger than what is left", () => {
    function* lies(): Iterable<Lie> {
      for (const subject of subjects) {
        for (const part of partsOf(subject, "length", "count")) {
          const left = subject.layout.bytes.length - part.end;
          for (const size of [left + 1, 0x7fff, 0x7fff_ffff]) {
            if (size <= left || !fits(subject, part, size)) continue;
            const bytes = replaced(subject, part, sized(subject, part, size));
            yield { subject, bytes, about: `size ${size}`, path: part.path };
          }
        }
      }
    }
    expectRefusal(lies(), 10_000);
  });

  test("when a length or a count is negative, or null where the version allows none", () => {
    function* lies(): Iterable<Lie> {
      for (const subject of subjects) {
        for (const part of partsOf(subject, "length", "count")) {
          const { path, start: offset } = part;
          for (const size of [-1, -2, -0x8000]) {
            if (size === -1 ? part.nullable : isCompact(subject)) continue;
            const bytes = replaced(subject, part, sized(subject, part, size));
            yield { subject, bytes, about: `size ${size}`, path, offset, reason: size === -1 ? /null/ : /negative/ };
          }
        }
      }
    }
    expectRefusal(lies(), 5_000);
  });

  const varints: { what: string; bytes: Buffer }[] = [
    { what: "a varint of six bytes", bytes: Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x01) },
    { what: "a varint of 33 bits", bytes: Buffer.of(0xff, 0xff, 0xff, 0xff, 0x1f) },
    { what: "a varint without an end", bytes: Buffer.alloc(64, 0xff) },
  ];
  test.each(varints)("for $what in the place of any other", ({ what, bytes }) => {
    function* lies(): Iterable<Lie> {
      for (const subject of flexible) {
        for (const part of partsOf(subject, "length", "count", "tagCount", "tag", "tagSize")) {
          yield { subject, bytes: replaced(subject, part, bytes), about: what, path: part.path, reason: /varint/ };
        }
      }
    }
    expectRefusal(lies(), 10_000);
  });

  test("when there are not as many tags as announced, or a tag is larger than what is left", () => {
    function* lies(): Iterable<Lie> {
      for (const subject of flexible) {
        for (const part of partsOf(subject, "tagCount", "tagSize")) {
          const left = subject.layout.bytes.length - part.end;
          for (const size of [left + 1, 0x7fff_ffff, 0xffff_ffff]) {
            const bytes = replaced(subject, part, uvarint(size));
            yield { subject, bytes, about: `${part.kind} ${size}`, path: part.path };
          }
        }
      }
    }
    expectRefusal(lies(), 10_000);
  });

  test("when a tag comes twice, or after a larger one", () => {
    function* lies(): Iterable<Lie> {
      for (const subject of flexible) {
        const tags = partsOf(subject, "tag");
        for (const [i, part] of tags.entries()) {
          const { path, start: offset } = part;
          const earlier = tags.slice(0, i).findLast((each) => each.path === path);
          if (earlier === undefined) continue;
          const same = subject.layout.bytes.subarray(earlier.start, earlier.end);
          yield { subject, bytes: replaced(subject, part, same), about: "the same tag", path, offset };
          const larger = uvarint(0xffff);
          yield {
            subject,
            bytes: replaced(subject, earlier, larger),
            about: "a larger tag",
            path,
            reason: /after tag/,
          };
        }
      }
    }
    expectRefusal(lies(), 2_000);
  });

  test("when a tag that we know does not end where its size says", () => {
    function* lies(): Iterable<Lie> {
      for (const subject of flexible) {
        const { bytes, parts } = subject.layout;
        for (const [i, part] of parts.entries()) {
          const tag = parts[i - 1];
          if (part.kind !== "tagSize" || tag === undefined || bytes.readUInt8(tag.start) >= 100) continue;
          const size = bytes.readUInt8(part.start);
          const towards = parts[i + 1]?.path ?? "";
          const data = bytes.subarray(part.end, part.end + size);
          const shorter = replaced(subject, part, uvarint(size - 1));
          yield { subject, bytes: shorter, about: "a byte too few", towards, reason: /took/ };
          const longer = Buffer.concat([uvarint(size + 1), data, Buffer.of(0)]);
          const whole = { start: part.start, end: part.end + size };
          yield { subject, bytes: replaced(subject, whole, longer), about: "a byte too many", towards, reason: /took/ };
        }
      }
    }
    expectRefusal(lies(), 100);
  });
});

test("a frame in which any bytes were changed is read, or refused by a DecodeError", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
  const frames = golden.filter(({ direction }) => direction !== "blob");
  let refused = 0;
  const property = fc.property(fc.constantFrom(...frames), flips, (frame, changes) => {
    const api = apis.find(({ name }) => name === frame.message);
    if (api === undefined) throw new Error(`${frame.message} is not declared`);
    const payload = Buffer.from(frame.bytes.subarray(4));
    for (const [at, mask] of changes) {
      const offset = at % payload.length;
      payload.writeUInt8(payload.readUInt8(offset) ^ mask, offset);
    }
    try {
      if (frame.direction === "request") decodeRequest(api, frame.version, payload);
      else decodeResponse(api, frame.version, payload);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
      refused++;
    }
  });
  fc.assert(property, { numRuns: 5_000 });
  expect(refused).toBeGreaterThan(500);
});
