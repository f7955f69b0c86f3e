import { describe, expect, test } from "vitest";
import { decodeBlob, encodeBlob, encodeRequest, encodeResponse, readMessage, writeMessage } from "../src/codec.ts";
import {
  ApiVersions,
  ConsumerGroupHeartbeat,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  Fetch,
  FindCoordinator,
  Metadata,
  SaslAuthenticate,
  SaslHandshake,
} from "../src/messages/index.ts";
import { Reader } from "../src/reader.ts";
import type { Api, Fields, Input } from "../src/schema.ts";
import { Writer } from "../src/writer.ts";

// What Java's client puts on the wire for requests that one can read, where golden.test.ts has all there are.

/** A request without its header. */
function body<Req extends Fields>(api: Api<Req, Fields>, version: number, value: Input<Req>): string {
  const writer = new Writer();
  writeMessage(writer, api.request, version, value);
  return Buffer.concat(writer.finish()).toString("hex");
}

describe("the header of a request", () => {
  const hex = (api: Api, version: number, correlationId: number, clientId: string | null, value: object): string =>
    Buffer.concat(encodeRequest(api, version, { correlationId, clientId }, { ...value }).chunks).toString("hex", 4);

  test("is version 1 where the request is not flexible", () => {
    expect(hex(ApiVersions, 0, 1, "c1", {})).toBe("001200000000000100026331");
    expect(hex(SaslHandshake, 1, 2_147_483_640, "c1", { mechanism: "SCRAM-SHA-256" })).toBe(
      "001100017ffffff800026331" + "000d534352414d2d5348412d323536",
    );
  });

  test("is version 2 where it is, with a client id that keeps its long length", () => {
    const software = { clientSoftwareName: "node-kafka", clientSoftwareVersion: "1.0.0" };
    const bytes = "0b6e6f64652d6b61666b6106312e302e3000";
    expect(hex(ApiVersions, 3, 1, "c1", software)).toBe(`00120003000000010002633100${bytes}`);
    expect(hex(ApiVersions, 4, 1, null, software)).toBe(`0012000400000001ffff00${bytes}`);
  });
});

test("the header of a response is the correlation id, with a tag section where it is flexible", () => {
  const hex = (version: number): string =>
    Buffer.concat(encodeResponse(FindCoordinator, version, 7, lookedUp).chunks).toString("hex", 4);
  const lookedUp = { errorCode: 0, nodeId: 0, host: "", port: 0, errorMessage: "" };
  expect(hex(2).slice(0, 10)).toBe("0000000700");
  expect(hex(2)).toBe("00000007" + "00000000" + "0000" + "0000" + "00000000" + "0000" + "00000000");
  expect(hex(3)).toBe("0000000700" + "00000000" + "0000" + "01" + "00000000" + "01" + "00000000" + "00");
});

describe("Metadata of a topic", () => {
  const request = { topics: [{ name: "t1" }], allowAutoTopicCreation: false };

  test.each([
    [1, "0000000100027431"],
    [4, "000000010002743100"],
    [7, "000000010002743100"],
    [8, "0000000100027431000000"],
    [9, "020374310000000000"],
    [12, "020000000000000000000000000000000003743100000000"],
    [13, "020000000000000000000000000000000003743100000000"],
  ])("at version %i", (version, bytes) => {
    const { allowAutoTopicCreation, ...old } = request;
    expect(body(Metadata, version, version < 4 ? old : { ...old, allowAutoTopicCreation })).toBe(bytes);
  });

  test("of all topics is null", () => {
    expect(body(Metadata, 9, { topics: null })).toBe("0001000000");
  });
});

test("SaslAuthenticate carries the mechanism's own bytes", () => {
  expect(body(SaslAuthenticate, 2, { authBytes: Buffer.from("\0u\0p") })).toBe("050075007000");
});

test("FindCoordinator asks for one key, later for several", () => {
  expect(body(FindCoordinator, 2, { key: "g1" })).toBe("0002673100");
  expect(body(FindCoordinator, 4, { coordinatorKeys: ["g1"] })).toBe("000203673100");
});

test("ConsumerGroupHeartbeat of a member that joins", () => {
  const request = {
    groupId: "g1",
    memberId: "AAAAAAAAAAAAAAAAAAAAAQ",
    memberEpoch: 0,
    rebalanceTimeoutMs: 300_000,
    subscribedTopicNames: ["t1"],
    topicPartitions: [],
  };
  expect(body(ConsumerGroupHeartbeat, 1, request)).toBe(
    "0367311741414141414141414141414141414141414141414151000000000000000493e00203743100000100",
  );
});

describe("Fetch of one partition", () => {
  const partition = { partition: 0, currentLeaderEpoch: 5, fetchOffset: 100n, partitionMaxBytes: 1_048_576 };
  const named = { topic: "t1", topicId: "AAAAAAAAAAEAAAAAAAAAAg", partitions: [partition] };
  const request = {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 52_428_800,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: 0,
    topics: [named],
    rackId: "r1",
  };
  const v10 =
    "ffffffff000001f4000000010320000001000000000000000000000001000274310000000100000000" +
    "000000050000000000000064ffffffffffffffff0010000000000000";
  const v13 =
    "ffffffff000001f40000000103200000010000000000000000020000000000000001000000000000000202" +
    "00000000000000050000000000000064ffffffffffffffffffffffff0010000000000103723100";

  test.each([
    [10, v10],
    [11, `${v10}00027231`],
    [
      12,
      "ffffffff000001f4000000010320000001000000000000000002037431020000000000000005" +
        "0000000000000064ffffffffffffffffffffffff0010000000000103723100",
    ],
    [13, v13],
    [17, v13.slice(8)],
  ])("at version %i", (version, bytes) => {
    expect(body(Fetch, version, request)).toBe(bytes);
    const read = readMessage(new Reader(Buffer.from(bytes, "hex")), Fetch.request, version);
    expect(read.topics[0]?.partitions[0]).toMatchObject(partition);
  });
});

describe("what a group's members tell each other", () => {
  const subscription = {
    topics: ["t1", "t2"],
    ownedPartitions: [{ topic: "t1", partitions: [0, 1] }],
    generationId: 9,
    rackId: "r1",
  };
  const v0 = "000000020002743100027432ffffffff";
  const v1 = `${v0}0000000100027431000000020000000000000001`;

  test.each([
    [0, `0000${v0}`],
    [1, `0001${v1}`],
    [2, `0002${v1}00000009`],
    [3, `0003${v1}0000000900027231`],
  ])("is its subscription, at version %i", (version, bytes) => {
    expect(encodeBlob(ConsumerProtocolSubscription, version, subscription).toString("hex")).toBe(bytes);
    expect(decodeBlob(ConsumerProtocolSubscription, Buffer.from(bytes, "hex"))).toEqual({
      version,
      topics: ["t1", "t2"],
      userData: null,
      ownedPartitions: version < 1 ? [] : subscription.ownedPartitions,
      generationId: version < 2 ? -1 : 9,
      rackId: version < 3 ? null : "r1",
    });
  });

  test.each([0, 1, 2, 3])("is the leader's assignment, at version %i", (version) => {
    const assignment = {
      assignedPartitions: [
        { topic: "t1", partitions: [0, 2] },
        { topic: "t2", partitions: [1] },
      ],
    };
    const bytes = `000${version}0000000200027431000000020000000000000002000274320000000100000001ffffffff`;
    expect(encodeBlob(ConsumerProtocolAssignment, version, assignment).toString("hex")).toBe(bytes);
    expect(decodeBlob(ConsumerProtocolAssignment, Buffer.from(bytes, "hex"))).toEqual({
      version,
      ...assignment,
      userData: null,
    });
  });
});
