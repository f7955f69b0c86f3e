import { type BrokerErrorName, type BrokerErrorRow, brokerErrors } from "odradek";
import { KafkaJSProtocolError, type ProtocolErrorSource } from "./errors.ts";

/** Where kafkajs' names are not those of today's Kafka. Services compare them with `error.type`. */
const types: Readonly<Partial<Record<BrokerErrorName, string>>> = {
  UNKNOWN_SERVER_ERROR: "UNKNOWN",
  NOT_LEADER_OR_FOLLOWER: "NOT_LEADER_FOR_PARTITION",
  COORDINATOR_LOAD_IN_PROGRESS: "GROUP_LOAD_IN_PROGRESS",
  COORDINATOR_NOT_AVAILABLE: "GROUP_COORDINATOR_NOT_AVAILABLE",
  NOT_COORDINATOR: "NOT_COORDINATOR_FOR_GROUP",
};

/** Where kafkajs says more. */
const helpUrls: Readonly<Partial<Record<BrokerErrorName, string>>> = {
  REBALANCE_IN_PROGRESS: "https://kafka.js.org/docs/faq#what-does-it-mean-to-get-rebalance-in-progress-errors",
  SASL_AUTHENTICATION_FAILED: "https://kafka.js.org/docs/configuration#sasl",
};

/** What an error of the broker is in kafkajs. */
const sourceOf = ({ name, code, retriable, message }: BrokerErrorRow): Required<ProtocolErrorSource> => ({
  message,
  type: types[name] ?? name,
  code,
  retriable,
  helpUrl: helpUrls[name],
});

const unknownCode = (code: number): ProtocolErrorSource => ({
  type: "KAFKAJS_UNKNOWN_ERROR_CODE",
  code: -99,
  message: `Unknown error code ${code}`,
  retriable: false,
});

const byName: ReadonlyMap<string, BrokerErrorRow> = new Map(brokerErrors.map((row) => [row.name, row]));
const byCode: ReadonlyMap<number, BrokerErrorRow> = new Map(brokerErrors.map((row) => [row.code, row]));

/** What a broker's number means in kafkajs; numbers that nobody knows have the type `KAFKAJS_UNKNOWN_ERROR_CODE`. */
export function protocolErrorOfCode(code: number): KafkaJSProtocolError {
  const row = byCode.get(code);
  return new KafkaJSProtocolError(row === undefined ? unknownCode(code) : sourceOf(row));
}

/**
 * The same by today's name.
 *
 * @param cause says what was asked, and of whom; its message is taken
 * @returns `null` for what is no name of a broker's error
 */
export function protocolErrorOfName(name: string, cause: Error): KafkaJSProtocolError | null {
  const row = byName.get(name);
  return row === undefined ? null : new KafkaJSProtocolError({ ...sourceOf(row), message: cause.message }, { cause });
}
