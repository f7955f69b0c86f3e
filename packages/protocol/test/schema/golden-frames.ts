import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AnyType } from "../../src/schema.ts";
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
  /** The same with tags that no version knows in every struct, header included. */
  readonly bytesWithUnknownTags: Buffer | null;
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

export function readGoldenFrames(): GoldenFrame[] {
  const lines = readFileSync(join(import.meta.dirname, "../golden/frames.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  const types = new Map<string, AnyType>([
    ...apis.flatMap(({ name, request, response }): [string, AnyType][] => [
      [`${name} request`, request.type],
      [`${name} response`, response.type],
    ]),
    ...blobs.map(({ name, type }): [string, AnyType] => [`${name} blob`, type]),
  ]);
  return lines.map((line) => {
    // The file is this repository's own, and what reads it here fails on any other shape.
    const frame = JSON.parse(line) as Line;
    const type = types.get(`${frame.message} ${frame.direction}`);
    if (type === undefined) throw new Error(`${frame.message} ${frame.direction} is not declared`);
    return {
      ...frame,
      bytes: Buffer.from(frame.bytes, "hex"),
      bytesWithUnknownTags:
        frame.bytesWithUnknownTags === undefined ? null : Buffer.from(frame.bytesWithUnknownTags, "hex"),
      header: frame.header ?? { correlationId: 0 },
      value: reviveStruct(type, frame.value),
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
