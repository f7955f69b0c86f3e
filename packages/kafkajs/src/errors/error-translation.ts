import {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  CorruptLogError,
  KafkaError,
  OffsetOutOfRangeError,
  TimeoutError,
  UnsupportedVersionError,
} from "odradek";
import { lastRetryMs, type ResolvedRetryOptions } from "../retry-options.ts";
import {
  KafkaJSConnectionError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
} from "./connection-errors.ts";
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from "./errors.ts";
import { protocolErrorOfCode, protocolErrorOfName } from "./protocol-errors.ts";
import { KafkaJSOffsetOutOfRange } from "./topic-errors.ts";

/**
 * What an error of the layer below is in kafkajs. Errors of others, such as a `TypeError` of the user's code, stay what they are. Where
 * kafkajs has no cause of its own, `cause` is the error from below: of a send it says with `persisted` whether the record may be in the log.
 */
export function translated(error: unknown): Error {
  if (!(error instanceof KafkaError)) return error instanceof Error ? error : new KafkaJSError(String(error));
  if (error instanceof AuthenticationError) return authenticationError(error);
  if (error instanceof ConnectionError) return connectionError(error);
  if (error instanceof TimeoutError) {
    return error.cause instanceof KafkaError ? translated(error.cause) : new KafkaJSRequestTimeoutError(error);
  }
  if (error instanceof UnsupportedVersionError) return new KafkaJSServerDoesNotSupportApiKey(error);
  if (error instanceof OffsetOutOfRangeError) return offsetOutOfRange(error);
  // What carries another, such as that a record was not delivered, has its code, and says more. Where a log is corrupt that is the place.
  const isPlace = error instanceof CorruptLogError;
  const isWrapper = !isPlace && error.cause instanceof KafkaError && error.cause.code === error.code;
  const innermost = isWrapper ? error.cause : error;
  if (isWrapper && !(innermost instanceof BrokerError)) return translated(innermost);
  const isUnknown = innermost instanceof BrokerError && !isKnown(innermost);
  if (isUnknown) return protocolErrorOfCode(innermost.errorCode);
  // The partitions may be another's by now: a coordinator says it with this name.
  const name = error.code === "COMMIT_FAILED" ? "ILLEGAL_GENERATION" : error.code;
  // What the user's own code has thrown, such as a codec.
  if (error.code === "ENCODE" && error.cause instanceof Error) return error.cause;
  const protocolError = protocolErrorOfName(name, error);
  if (protocolError !== null) return protocolError;
  const metadata = { cause: error };
  return error.retriable ? new KafkaJSError(error, metadata) : new KafkaJSNonRetriableError(error, metadata);
}

/**
 * What a call of kafkajs rejects with when the layer below gave up.
 *
 * @returns for an error that may pass, that it was tried too often
 */
export function givenUp(error: unknown, retry: ResolvedRetryOptions): Error {
  const cause = translated(error);
  if (!(cause instanceof KafkaJSError) || !cause.retriable) return cause;
  return new KafkaJSNumberOfRetriesExceeded(cause, { retryCount: retry.retries, retryTime: lastRetryMs(retry) });
}

/** A broker's number that this version does not know goes by the name of -1. */
const isKnown = ({ code, errorCode }: BrokerError): boolean => code !== "UNKNOWN_SERVER_ERROR" || errorCode === -1;

function connectionError(error: ConnectionError): KafkaJSConnectionError {
  const { host, port, cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
  return new KafkaJSConnectionError(`Connection error: ${error.message}`, {
    broker: host === null ? undefined : `${host}:${port}`,
    code,
  });
}

function authenticationError(error: AuthenticationError): Error {
  const { mechanism, reason, host, port, message, cause } = error;
  if (mechanism === "TLS") {
    const broken = new KafkaJSConnectionError(`Connection error: ${message}`, { broker: `${host}:${port}` });
    return new KafkaJSNonRetriableError(broken, { cause: broken });
  }
  // What the user's own mechanism has thrown, or provider of tokens.
  if (reason === "credentialsUnavailable" && cause instanceof Error) return cause;
  if (reason === "mechanismRefused") {
    const refused = protocolErrorOfName("UNSUPPORTED_SASL_MECHANISM", error);
    if (refused !== null) return refused;
  }
  // kafkajs leaves one of the two hyphens out.
  const name = mechanism.replace(/^SCRAM-SHA-/, "SCRAM SHA");
  return new KafkaJSSASLAuthenticationError(`SASL ${name} authentication failed: ${message}`, { cause: error });
}

function offsetOutOfRange(error: OffsetOutOfRangeError): Error {
  const [first] = error.positions;
  if (first === undefined) return new KafkaJSNonRetriableError(error, { cause: error });
  const { topic, partition } = first;
  const source = protocolErrorOfName("OFFSET_OUT_OF_RANGE", error) ?? error;
  return new KafkaJSOffsetOutOfRange(source, { topic, partition });
}
