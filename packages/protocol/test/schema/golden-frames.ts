import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AnyType, Message } from "../../src/schema.ts";
import { apis, blobs } from "./apis.ts";
import { isStruct, type Struct } from "./defaults.ts";

/** What Kafka's own classes wrote; `golden/README.md` says how. */
export interface GoldenFrame {
  /** Such as `Fetch`. */
  readonly message: string;
  readonly version: number;
  readonly direction: "request" | "response" | "blob";
  readonly case: "default" | "full" | "null";
  /** The whole frame with its length; of a blob, its version and its fields. */
  readonly bytes: Buffer;
  /** The same with tags that no version knows in every struct, header included. Of flexible versions, where `full`. */
  readonly bytesWithUnknownTags?: Buffer;
  /** What Java reads from `bytes`. Of a response, the header is its correlation id; blobs have none. */
  readonly header: GoldenHeader;
  readonly value: Struct;
}

export interface GoldenHeader {
  readonly requestApiKey?: number;
  readonly requestApiVersion?: number;
  readonly correlationId: number;
  readonly clientId?: string | null;
}

const messages = new Map(
  [
    ...apis.flatMap(({ name, request, response }) => [
      { key: `${name} request`, message: request },
      { key: `${name} response`, message: response },
    ]),
    ...blobs.map((message) => ({ key: `${message.name} blob`, message })),
  ].map(({ key, message }): [string, Message] => [key, message]),
);

/** What a frame carries. */
export function messageOf({ message: name, direction }: Pick<GoldenFrame, "message" | "direction">): Message {
  const message = messages.get(`${name} ${direction}`);
  if (message === undefined) throw new Error(`${name} ${direction} is not declared`);
  return message;
}

export function readGoldenFrames(): GoldenFrame[] {
  const lines = readFileSync(join(import.meta.dirname, "../golden/frames.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    // The file is this repository's own, and what reads it here fails on any other shape.
    const { bytes, bytesWithUnknownTags, header, ...frame } = JSON.parse(line) as Line;
    return {
      ...frame,
      bytes: Buffer.from(bytes, "hex"),
      ...(bytesWithUnknownTags === undefined ? {} : { bytesWithUnknownTags: Buffer.from(bytesWithUnknownTags, "hex") }),
      header: header ?? { correlationId: 0 },
      value: reviveStruct(messageOf(frame).type, frame.value),
    };
  });
}

/** A line as MessageFrames.java prints it. */
type Line = Omit<GoldenFrame, "bytes" | "bytesWithUnknownTags" | "header"> & {
  readonly bytes: string;
  readonly bytesWithUnknownTags?: string;
  readonly header?: GoldenHeader;
};

function reviveStruct(type: AnyType, json: unknown): Struct {
  const value = revive(type, json);
  if (!isStruct(value)) throw new Error("a message is a struct");
  return value;
}

/** From JSON, where 64-bit integers are text and bytes are hexadecimal. A field that is not declared stays as it is. */
function revive({ form }: AnyType, json: unknown): unknown {
  if (form.kind === "array" && Array.isArray(json)) return json.map((item) => revive(form.item, item));
  if (form.kind === "struct" && isStruct(json)) {
    return Object.fromEntries(
      Object.entries(json).map(([name, value]) => {
        const type = form.fields[name];
        return [name, type === undefined ? value : revive(type, value)];
      }),
    );
  }
  if (typeof json !== "string") return json;
  if (form.kind === "int64") return BigInt(json);
  return form.kind === "bytes" || form.kind === "records" ? Buffer.from(json, "hex") : json;
}
