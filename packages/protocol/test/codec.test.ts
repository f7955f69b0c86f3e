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
import { DecodeError, EncodeError, UnsupportedVersionError } from "../src/errors.ts";
import {
  ApiVersions,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  Fetch,
  Heartbeat,
  Metadata,
  Produce,
} from "../src/messages/index.ts";
import type { RequestOf } from "../src/schema.ts";
import { apis, versionsOf } from "./schema/apis.ts";

const header = { correlationId: 7, clientId: "c1" };

/** A frame without its length. */
const payloadOf = ({ chunks }: { readonly chunks: readonly Buffer[] }): Buffer => Buffer.concat(chunks).subarray(4);

/** The error that decoding throws. */
function refusal(decode: () => unknown): DecodeError {
  try {
    decode();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a frame", () => {
  const produce = (...records: Buffer[]): RequestOf<typeof Produce> => ({
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: "t", partitionData: records.map((each, index) => ({ index, records: each })) }],
  });

  test.each([7, 9])("starts with the length of what follows, over all its chunks (Produce v%i)", (version) => {
    const frame = encodeRequest(Produce, version, header, produce(Buffer.alloc(1_000), Buffer.alloc(3)));
    const bytes = Buffer.concat(frame.chunks);
    expect(frame.bytes).toBe(bytes.length);
    expect(bytes.readInt32BE(0)).toBe(bytes.length - 4);
  });

  test.each([7, 9])("carries large records in the memory of the caller (Produce v%i)", (version) => {
    const [first, second] = [Buffer.alloc(64 * 1024, 1), Buffer.alloc(100_000, 2)];
    const { chunks } = encodeRequest(Produce, version, header, produce(first, second));
    expect(chunks).toHaveLength(version >= 9 ? 5 : 4);
    expect(chunks[1]).toBe(first);
    expect(chunks[3]).toBe(second);
    const read = decodeRequest(Produce, version, payloadOf({ chunks }));
    const records = read.topicData[0]?.partitionData.map((each) => each.records) ?? [];
    expect([first, second].map((each, i) => records[i]?.equals(each))).toEqual([true, true]);
  });

  test("carries small records as a copy, in one chunk with what is around them", () => {
    const small = Buffer.alloc(40, 1);
    const { chunks } = encodeRequest(Produce, 9, header, produce(small, small));
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.buffer).not.toBe(small.buffer);
  });

  test("that is decoded shares its memory with the records in it", () => {
    const records = Buffer.alloc(64 * 1024, 1);
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1n, abortedTransactions: null, records };
    const answer = { throttleTimeMs: 0, errorCode: 0, responses: [{ topic: "t", partitions: [partition] }] };
    const payload = payloadOf(encodeResponse(Fetch, 12, 7, answer));
    const read = decodeResponse(Fetch, 12, payload).responses[0]?.partitions[0]?.records;
    payload.fill(9);
    expect(read?.equals(Buffer.alloc(records.length, 9))).toBe(true);
  });

  test("may stand anywhere in a larger buffer", () => {
    const payload = payloadOf(encodeRequest(Metadata, 12, header, { topics: [{ name: "t1" }] }));
    const memory = Buffer.alloc(payload.length + 20, 0xff);
    payload.copy(memory, 10);
    const view = memory.subarray(10, 10 + payload.length);
    expect(decodeRequest(Metadata, 12, view)).toEqual(decodeRequest(Metadata, 12, payload));
  });

  test("may have bytes behind its body", () => {
    const payload = payloadOf(encodeResponse(Heartbeat, 4, 7, { throttleTimeMs: 0, errorCode: 27 }));
    const read = decodeResponse(Heartbeat, 4, Buffer.concat([payload, Buffer.of(1, 2, 3)]));
    expect(read).toEqual({ throttleTimeMs: 0, errorCode: 27 });
  });
});

describe("a header", () => {
  test("gives the correlation id before it is known what the response is", () => {
    expect(correlationIdOf(payloadOf(encodeResponse(Heartbeat, 4, -2, { errorCode: 0 })))).toBe(-2);
    expect(refusal(() => correlationIdOf(Buffer.alloc(3))).reason).toBe("4 bytes needed, 3 left");
  });

  test("says who asks what, whatever the version", () => {
    for (const version of [0, 3]) {
      const request = { clientSoftwareName: "", clientSoftwareVersion: "" };
      const payload = payloadOf(encodeRequest(ApiVersions, version, header, request));
      expect(decodeRequestHeader(payload)).toEqual({ apiKey: 18, apiVersion: version, ...header });
    }
  });

  test("that is cut off is refused in the name of its message, for every API and version", () => {
    for (const api of apis) {
      for (const version of versionsOf(api)) {
        const requestBytes = version >= api.flexible ? 13 : 12;
        for (let cut = 0; cut < requestBytes; cut++) {
          // The api key, the version, the correlation id, a client id of two letters, no tags.
          const payload = Buffer.from("00000000000000070002633100", "hex").subarray(0, cut);
          const error = refusal(() => decodeRequest(api, version, payload));
          expect(error.message).toContain(`cannot decode ${api.name}Request v${version} at offset`);
        }
        for (let cut = 0; cut < 4; cut++) {
          const error = refusal(() => decodeResponse(api, version, Buffer.alloc(cut)));
          expect(error.message).toContain(`cannot decode ${api.name}Response v${version} at offset`);
        }
      }
    }
  });

  test("with tags that are not known here is read past them", () => {
    const body = Buffer.from("00000000" + "001b" + "00", "hex");
    const payload = Buffer.concat([Buffer.from("00000007" + "01" + "2a02ffff", "hex"), body]);
    expect(decodeResponse(Heartbeat, 4, payload)).toEqual({ throttleTimeMs: 0, errorCode: 27 });
  });

  test("with a client id longer than its length can say is refused", () => {
    const clientId = "é".repeat(16_384);
    const request = (): unknown => encodeRequest(Metadata, 12, { correlationId: 1, clientId }, { topics: null });
    expect(request).toThrow(EncodeError);
    expect(request).toThrow("cannot encode MetadataRequest v12 clientId: 32768 bytes of text, 32767 at most");
  });
});

describe("a version", () => {
  test("that the API does not have is refused in either direction", () => {
    expect(() => encodeRequest(Fetch, 3, header, { maxWaitMs: 0, minBytes: 0, topics: [] })).toThrow(
      "FetchRequest v3: FetchRequest has versions 4 to 18, not 3",
    );
    expect(() => decodeResponse(Fetch, 19, Buffer.alloc(100))).toThrow(UnsupportedVersionError);
  });

  test("of ApiVersions that the broker does not have is refused by it in version 0", () => {
    const refused = payloadOf(
      encodeResponse(ApiVersions, 0, 7, {
        errorCode: 35,
        apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }],
      }),
    );
    expect(decodeResponse(ApiVersions, 4, refused)).toMatchObject({
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }],
      finalizedFeaturesEpoch: -1n,
    });
    expect(refusal(() => decodeResponse(ApiVersions, 4, refused.subarray(0, -1))).subject).toBe(
      "ApiVersionsResponse v0",
    );
  });
});

describe("a blob", () => {
  test("of a newer version is read as our newest", () => {
    const bytes = encodeBlob(ConsumerProtocolSubscription, 3, { topics: ["t"], rackId: "r" });
    bytes.writeInt16BE(9);
    const read = decodeBlob(ConsumerProtocolSubscription, Buffer.concat([bytes, Buffer.from("what was added")]));
    expect(read).toMatchObject({ version: 9, topics: ["t"], rackId: "r" });
  });

  test("of a version that never was is refused", () => {
    const error = refusal(() => decodeBlob(ConsumerProtocolAssignment, Buffer.from("ffff00000000ffffffff", "hex")));
    expect(error.message).toBe("cannot decode ConsumerProtocolAssignment at offset 0: version -1 is unknown");
  });

  test("without a version is refused in its name", () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1)]) {
      expect(refusal(() => decodeBlob(ConsumerProtocolAssignment, bytes)).subject).toContain(
        "ConsumerProtocolAssignment",
      );
    }
  });
});
