import {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  DeliveryError,
  KafkaError,
  OffsetOutOfRangeError,
  TimeoutError,
  UnsupportedVersionError,
} from "odradek";
import { describe, expect, test } from "vitest";
import { givenUp, translated } from "../src/errors/error-translation.ts";
import { KafkaJSNumberOfRetriesExceeded } from "../src/errors/errors.ts";
import { resolveRetryOptions } from "../src/retry-options.ts";

const broker = { host: "b", port: 9092 };
const refused = new ConnectionError(broker, "refused", {
  cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
});
const notLeader = new BrokerError(6, "Produce to b:9092");
const delivery = new DeliveryError("t", 1, "no", notLeader);

describe("what an error of the layer below is in kafkajs", () => {
  test.each([
    [
      "a broker's answer",
      notLeader,
      { name: "KafkaJSProtocolError", type: "NOT_LEADER_FOR_PARTITION", code: 6, retriable: true },
    ],
    [
      "one that nobody knows",
      new BrokerError(4_000, "Produce"),
      { type: "KAFKAJS_UNKNOWN_ERROR_CODE", code: -99, retriable: false },
    ],
    [
      "a record that was not delivered",
      delivery,
      { name: "KafkaJSProtocolError", code: 6, message: delivery.message, cause: { persisted: "no" } },
    ],
    [
      "one that is too large for the client",
      new DeliveryError("t", 1, "no", new KafkaError("too large", { code: "MESSAGE_TOO_LARGE" })),
      { name: "KafkaJSProtocolError", type: "MESSAGE_TOO_LARGE", code: 10, retriable: false },
    ],
    [
      "a connection",
      refused,
      { name: "KafkaJSConnectionError", broker: "b:9092", code: "ECONNREFUSED", retriable: true },
    ],
    ["a timeout with a reason", new TimeoutError("it", 5, { cause: refused }), { name: "KafkaJSConnectionError" }],
    ["a timeout without one", new TimeoutError("it", 5), { name: "KafkaJSRequestTimeoutError", retriable: true }],
    [
      "SCRAM",
      new AuthenticationError(broker, "SCRAM-SHA-256", "credentialsRefused", "wrong"),
      {
        name: "KafkaJSSASLAuthenticationError",
        message: expect.stringMatching(/^SASL SCRAM SHA256 authentication failed: /),
        retriable: false,
      },
    ],
    [
      "a mechanism",
      new AuthenticationError(broker, "PLAIN", "mechanismRefused", "wrong"),
      { name: "KafkaJSProtocolError", type: "UNSUPPORTED_SASL_MECHANISM", code: 33, retriable: false },
    ],
    [
      "a provider of tokens",
      new AuthenticationError(broker, "OAUTHBEARER", "credentialsUnavailable", "away", { cause: new Error("away") }),
      { name: "Error", message: "away" },
    ],
    [
      "TLS",
      new AuthenticationError(broker, "TLS", "certificateUntrusted", "wrong"),
      { name: "KafkaJSNonRetriableError", cause: { name: "KafkaJSConnectionError", broker: "b:9092" } },
    ],
    [
      "a version",
      new UnsupportedVersionError("no Fetch"),
      { name: "KafkaJSServerDoesNotSupportApiKey", message: "no Fetch" },
    ],
    [
      "an offset",
      new OffsetOutOfRangeError([{ topic: "t", partition: 1, offset: 5n }]),
      { name: "KafkaJSOffsetOutOfRange", type: "OFFSET_OUT_OF_RANGE", code: 1, topic: "t", partition: 1 },
    ],
    [
      "anything else",
      new KafkaError("no", { code: "STATE" }),
      { name: "KafkaJSNonRetriableError", cause: { code: "STATE" } },
    ],
    [
      "what may pass",
      new KafkaError("no", { code: "WAKEUP", retriable: true }),
      { name: "KafkaJSError", retriable: true },
    ],
  ])("%s", (_, error, expected) => {
    expect(translated(error)).toMatchObject(expected);
  });

  test("errors of others stay what they are", () => {
    const error = new TypeError("mine");
    expect(translated(error)).toBe(error);
  });
});

describe("a call that was given up", () => {
  const retry = resolveRetryOptions({ retries: 2, initialRetryTime: 100, multiplier: 2 });

  test("says how often it was tried where the error may pass", () => {
    const error = givenUp(delivery, retry);
    expect(error).toBeInstanceOf(KafkaJSNumberOfRetriesExceeded);
    expect(error).toMatchObject({ retryCount: 2, retryTime: 400, cause: { type: "NOT_LEADER_FOR_PARTITION" } });
  });

  test("says what happened where it cannot", () => {
    const large = new DeliveryError("t", 1, "no", new BrokerError(10, "Produce"));
    expect(givenUp(large, retry)).toMatchObject({ name: "KafkaJSProtocolError", type: "MESSAGE_TOO_LARGE" });
  });
});
