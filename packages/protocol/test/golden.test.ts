import { describe, expect, test } from "vitest";
import {
  correlationIdOf,
  decodeBlob,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeBlob,
  encodeRequest,
  encodeResponse,
} from "../src/codec.ts";
import type { Api } from "../src/schema.ts";
import { apis, blobs, versionsOf } from "./schema/apis.ts";
import { isStruct, type Struct, withoutDefaults } from "./schema/defaults.ts";
import { type GoldenFrame, readGoldenFrames } from "./schema/golden-frames.ts";

const frames = readGoldenFrames();
const framesOf = (name: string): GoldenFrame[] => frames.filter(({ message }) => message === name);
const label = ({ message, direction, version, case: which }: GoldenFrame): string =>
  `${message} ${direction} v${version}, ${which}`;

function encode(api: Api, { direction, version, header }: GoldenFrame, value: Struct): string {
  const { correlationId, clientId = null } = header;
  const frame =
    direction === "request"
      ? encodeRequest(api, version, { correlationId, clientId }, value)
      : encodeResponse(api, version, correlationId, value);
  const bytes = Buffer.concat(frame.chunks);
  expect(frame.bytes).toBe(bytes.length);
  return bytes.toString("hex");
}

const decode = (api: Api, { direction, version }: GoldenFrame, payload: Buffer): Struct =>
  direction === "request" ? decodeRequest(api, version, payload) : decodeResponse(api, version, payload);

/** A frame without its length. */
const payloadOf = (frame: Buffer): Buffer => frame.subarray(4);

function lazy(message: { readonly type: Api["request"]["type"] }, value: Struct): Struct {
  const left = withoutDefaults(message.type, value);
  if (!isStruct(left)) throw new Error("a message is a struct");
  return left;
}

describe.each(apis)("$name as Kafka's own classes write it", (api) => {
  const golden = framesOf(api.name);

  test("is here in both directions, at every version, with defaults, full and with nulls", () => {
    const expected = versionsOf(api).flatMap((version) =>
      ["default", "full", "null"].flatMap((which) => [
        `${api.name} request v${version}, ${which}`,
        `${api.name} response v${version}, ${which}`,
      ]),
    );
    expect(golden.map(label)).toEqual(expected);
  });

  test("is written as the same bytes", () => {
    for (const frame of golden) expect(encode(api, frame, frame.value), label(frame)).toBe(frame.bytes.toString("hex"));
  });

  test("is written as the same bytes where defaults are left out", () => {
    for (const frame of golden) {
      const value = lazy(frame.direction === "request" ? api.request : api.response, frame.value);
      expect(encode(api, frame, value), label(frame)).toBe(frame.bytes.toString("hex"));
    }
  });

  test("is read as the same values, with defaults for what the version lacks", () => {
    for (const frame of golden) {
      expect(decode(api, frame, payloadOf(frame.bytes)), label(frame)).toStrictEqual(frame.value);
    }
  });

  test("has the same header", () => {
    for (const { direction, header, bytes, ...frame } of golden) {
      if (direction === "response") {
        expect(correlationIdOf(payloadOf(bytes))).toBe(header.correlationId);
        continue;
      }
      const { requestApiKey: apiKey, requestApiVersion: apiVersion, correlationId, clientId } = header;
      expect(apiKey).toBe(api.key);
      expect(apiVersion).toBe(frame.version);
      expect(decodeRequestHeader(payloadOf(bytes))).toStrictEqual({ apiKey, apiVersion, correlationId, clientId });
    }
  });

  test("is read as the same values with tags that no version knows in every struct", () => {
    const tagged = golden.filter(({ bytesWithUnknownTags }) => bytesWithUnknownTags !== undefined);
    expect(tagged).toHaveLength(versionsOf(api).filter((version) => version >= api.flexible).length * 2);
    for (const frame of tagged) {
      const { bytesWithUnknownTags: bytes } = frame;
      if (bytes === undefined) continue;
      expect(bytes.length).toBeGreaterThan(frame.bytes.length);
      expect(decode(api, frame, payloadOf(bytes)), label(frame)).toStrictEqual(frame.value);
    }
  });
});

describe.each(blobs)("$name as Kafka's own classes write it", (blob) => {
  const golden = framesOf(blob.name);

  test("is here at every version, with defaults, full and with nulls", () => {
    expect(golden.map(label)).toEqual(
      versionsOf(blob).flatMap((version) =>
        ["default", "full", "null"].map((which) => `${blob.name} blob v${version}, ${which}`),
      ),
    );
  });

  test("is written as the same bytes, also where defaults are left out", () => {
    for (const { version, value, bytes } of golden) {
      expect(encodeBlob(blob, version, value).toString("hex")).toBe(bytes.toString("hex"));
      expect(encodeBlob(blob, version, lazy(blob, value)).toString("hex")).toBe(bytes.toString("hex"));
    }
  });

  test("is read as the same values", () => {
    for (const { version, value, bytes } of golden) {
      expect(decodeBlob(blob, bytes)).toStrictEqual({ version, ...value });
    }
  });
});
