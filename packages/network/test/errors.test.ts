import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import {
  addressText,
  ClosedError,
  ConnectionError,
  OptionsError,
  SerializationError,
  StateError,
  TimeoutError,
} from "../src/errors.ts";

const broker = { host: "broker-1", port: 9_092 };

describe("an address", () => {
  test("is written as it is in bootstrapServers, IPv6 in brackets", () => {
    expect(addressText(broker)).toBe("broker-1:9092");
    expect(addressText({ host: "::1", port: 9_092 })).toBe("[::1]:9092");
  });
});

describe("an error", () => {
  test.each([
    [new ConnectionError(broker, "reset"), "CONNECTION", true, "connection to broker-1:9092: reset"],
    [new ConnectionError(null, "broker 7 is not known"), "CONNECTION", true, "no connection: broker 7 is not known"],
    [
      new ConnectionError(broker, "no broker", { retriable: false }),
      "CONNECTION",
      false,
      "connection to broker-1:9092: no broker",
    ],
    [new TimeoutError("Produce v9", 30_000.4), "TIMEOUT", true, "Produce v9: no answer after 30000 ms"],
    [new ClosedError("producer"), "CLOSED", false, "the producer is closed"],
    [new OptionsError("acks", 2, "0 or 1"), "OPTIONS", false, "option acks: 0 or 1 is expected, not 2"],
    [new StateError("no transaction is open"), "STATE", false, "no transaction is open"],
    [new SerializationError("no JSON"), "SERIALIZATION", false, "no JSON"],
  ])("%s has a code and says whether it may pass", (error, code, retriable, message) => {
    expect(error).toBeInstanceOf(KafkaError);
    expect(error).toMatchObject({ name: error.constructor.name, code, retriable, message });
  });

  test("of time that ran out says what went wrong last", () => {
    const cause = new ConnectionError(broker, "connect ECONNREFUSED");
    const error = new TimeoutError("Metadata to any broker", 500, { cause });
    expect(error.cause).toBe(cause);
    expect(error.message).toBe(
      "Metadata to any broker: no answer after 500 ms; last: connection to broker-1:9092: connect ECONNREFUSED",
    );
  });
});
