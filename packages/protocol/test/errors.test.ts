import { describe, expect, test } from "vitest";
import {
  BrokerError,
  DecodeError,
  EncodeError,
  isCodecError,
  KafkaError,
  UnsupportedVersionError,
} from "../src/errors.ts";

describe("every error", () => {
  test.each([
    [new KafkaError("x", { code: "TIMEOUT", retriable: true }), "KafkaError", "TIMEOUT", true],
    [new BrokerError(6, "Produce to broker 1"), "BrokerError", "NOT_LEADER_OR_FOLLOWER", true],
    [new BrokerError(10, "Produce to broker 1"), "BrokerError", "MESSAGE_TOO_LARGE", false],
    [new DecodeError("x", 0), "DecodeError", "DECODE", false],
    [new EncodeError("x"), "EncodeError", "ENCODE", false],
    [new UnsupportedVersionError("x"), "UnsupportedVersionError", "UNSUPPORTED_VERSION", false],
  ])("%s is a KafkaError with a name, a code and a policy", (error, name, code, retriable) => {
    expect(error).toBeInstanceOf(KafkaError);
    expect(error).toBeInstanceOf(Error);
    expect({ name: error.name, code: error.code, retriable: error.retriable }).toEqual({ name, code, retriable });
    expect(error.stack).toContain(name);
  });

  test("keeps its cause, and has none where none was given", () => {
    const cause = new Error("socket hang up");
    expect(new KafkaError("x", { code: "CONNECTION", cause }).cause).toBe(cause);
    expect("cause" in new KafkaError("x", { code: "CONNECTION" })).toBe(false);
    expect(new DecodeError("x", 3, { cause }).cause).toBe(cause);
    expect(new EncodeError("x", { cause }).cause).toBe(cause);
  });
});

describe("a broker's error", () => {
  test("says what was asked, Kafka's name and Kafka's words", () => {
    expect(new BrokerError(3, "Metadata of orders").message).toBe(
      "Metadata of orders: UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition.",
    );
  });

  test("prefers the broker's own words", () => {
    expect(new BrokerError(44, "CreateTopics", "at most 10 partitions").message).toBe(
      "CreateTopics: POLICY_VIOLATION: at most 10 partitions",
    );
    expect(new BrokerError(3, "Metadata", "").message).toContain("does not host");
    expect(new BrokerError(3, "Metadata", null).message).toContain("does not host");
  });

  test("keeps the number of a code that is not known here", () => {
    const error = new BrokerError(4_321, "Fetch");
    expect(error.errorCode).toBe(4_321);
    expect(error.code).toBe("UNKNOWN_SERVER_ERROR");
    expect(error.message).toContain("error code 4321");
  });
});

describe("an error of the codec", () => {
  test("gathers its path from the inside out", () => {
    const error = new DecodeError("null where the version allows none", 17);
    expect(error.within("name").within(3).within("partitions").within(0).within("topics").path).toBe(
      "topics[0].partitions[3].name",
    );
    expect(error.of("MetadataResponse v9").message).toBe(
      "cannot decode MetadataResponse v9 topics[0].partitions[3].name at offset 17: null where the version allows none",
    );
    expect(error.subject).toBe("MetadataResponse v9");
    expect(error.reason).toBe("null where the version allows none");
    expect(error.offset).toBe(17);
  });

  test("joins indexes of nested arrays without a dot", () => {
    expect(new EncodeError("x").within(1).within(0).within("groups").path).toBe("groups[0][1]");
  });

  test("reads well with and without a place", () => {
    expect(new DecodeError("x", 2).message).toBe("cannot decode bytes at offset 2: x");
    expect(new EncodeError("x").message).toBe("cannot encode value: x");
    expect(new EncodeError("x").within("acks").of("ProduceRequest v9").message).toBe(
      "cannot encode ProduceRequest v9 acks: x",
    );
    expect(new UnsupportedVersionError("no common version").message).toBe("no common version");
    expect(new UnsupportedVersionError("lost").within("rackId").of("FetchRequest v10").message).toBe(
      "FetchRequest v10 rackId: lost",
    );
  });

  test("is told from other errors", () => {
    expect(isCodecError(new DecodeError("x", 0))).toBe(true);
    expect(isCodecError(new KafkaError("x", { code: "STATE" }))).toBe(false);
    expect(isCodecError(new RangeError("x"))).toBe(false);
    expect(isCodecError(undefined)).toBe(false);
  });
});
