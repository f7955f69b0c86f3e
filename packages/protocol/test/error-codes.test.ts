import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type BrokerErrorRow, brokerErrorByCode, brokerErrors, codeOf } from "../src/error-codes.ts";

/** A row as golden/java/ErrorTable.java prints it. */
interface KafkaError {
  readonly code: number;
  readonly name: string;
  readonly retriable: boolean;
  /** Its class extends InvalidMetadataException: the leaders have moved. */
  readonly invalidMetadata: boolean;
  /** Its class extends RefreshRetriableException. */
  readonly refreshRetriable: boolean;
  readonly message: string;
}

// The file is this repository's own, printed by the program beside it.
const kafkas = JSON.parse(readFileSync(join(import.meta.dirname, "golden/errors.json"), "utf8")) as KafkaError[];

/** InvalidMetadataException is a RefreshRetriableException; what is left of those speaks of the coordinator. */
const refreshOf = ({ invalidMetadata, refreshRetriable }: KafkaError): BrokerErrorRow["refresh"] => {
  if (invalidMetadata) return "metadata";
  return refreshRetriable ? "coordinator" : null;
};

describe("the table of broker errors", () => {
  test("has the rows of Kafka's Errors, and no others", () => {
    expect(brokerErrors.map(({ code, name }) => `${code} ${name}`)).toEqual(
      kafkas.map(({ code, name }) => `${code} ${name}`),
    );
    expect(brokerErrors).toHaveLength(138);
  });

  test.each(kafkas)("$name has Kafka's policy and words", (kafka) => {
    const { name, code, retriable, refresh, message } = brokerErrorByCode(kafka.code);
    expect({ name, code, retriable, refresh, message }).toEqual({
      name: kafka.name,
      code: kafka.code,
      retriable: kafka.retriable,
      refresh: refreshOf(kafka),
      message: kafka.message,
    });
    expect(codeOf(name)).toBe(kafka.code);
  });

  test("ends the producer and the member on the errors after which Kafka's own clients give up", () => {
    const fatalTo = (who: BrokerErrorRow["fatal"]): string[] =>
      brokerErrors.filter(({ fatal }) => fatal === who).map(({ name }) => name);
    expect(fatalTo("producer")).toEqual([
      "CLUSTER_AUTHORIZATION_FAILED",
      "UNSUPPORTED_VERSION",
      "INVALID_PRODUCER_ID_MAPPING",
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
      "PRODUCER_FENCED",
    ]);
    expect(fatalTo("member")).toEqual([
      "INCONSISTENT_GROUP_PROTOCOL",
      "INVALID_GROUP_ID",
      "INVALID_SESSION_TIMEOUT",
      "GROUP_AUTHORIZATION_FAILED",
      "GROUP_MAX_SIZE_REACHED",
      "FENCED_INSTANCE_ID",
      "UNRELEASED_INSTANCE_ID",
      "UNSUPPORTED_ASSIGNOR",
    ]);
    for (const { fatal, retriable } of brokerErrors) expect(fatal !== null && retriable).toBe(false);
  });

  test.each([-2, 137, 9_999, 32_767, Number.NaN])(
    "takes the unknown code %i for UNKNOWN_SERVER_ERROR, as Kafka does",
    (code) => {
      expect(brokerErrorByCode(code)).toMatchObject({ name: "UNKNOWN_SERVER_ERROR", code: -1, retriable: false });
    },
  );

  test("cannot be changed by who reads it", () => {
    expect(Object.isFrozen(brokerErrors)).toBe(true);
    for (const row of brokerErrors) expect(Object.isFrozen(row)).toBe(true);
  });
});
