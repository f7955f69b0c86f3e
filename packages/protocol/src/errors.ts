import { type BrokerErrorName, brokerErrorByCode } from "./error-codes.ts";

/** The codes of errors that are found on this side of the connection. */
export type ClientErrorCode =
  | "ABORTED"
  | "ASSIGNOR"
  | "AUTHENTICATION"
  | "CLOSED"
  | "COMMIT_FAILED"
  | "CONNECTION"
  | "DECODE"
  | "ENCODE"
  | "LISTENER"
  | "NOTHING_PREPARED"
  | "NO_OFFSET"
  | "OPTIONS"
  | "SERIALIZATION"
  | "STATE"
  | "TIMEOUT"
  | "TRANSACTION_ABORTED"
  | "UNSUPPORTED_VERSION"
  | "WAKEUP";

/** What `error.code` can be: one of ours, or the broker's own name for what happened. */
export type KafkaErrorCode = ClientErrorCode | BrokerErrorName;

export interface KafkaErrorOptions {
  readonly code: KafkaErrorCode;
  /** Whether the same call may succeed later without a change on the caller's side. */
  readonly retriable?: boolean;
  readonly cause?: unknown;
}

/**
 * The base of every error that Odradek throws or rejects with. The contract is `code` and `retriable`;
 * `instanceof` is a convenience.
 */
export class KafkaError extends Error {
  readonly code: KafkaErrorCode;
  readonly retriable: boolean;

  constructor(message: string, options: KafkaErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retriable = options.retriable ?? false;
  }
}

/** The most of a peer's words that goes into a message. */
const longestWords = 300;

/** What a peer says, so that it can stand in a message: not too much of it, and on one line. */
export function inOneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return line.length > longestWords ? `${line.slice(0, longestWords)}…` : line;
}

/** An error code that a broker answered, with Kafka's own name, text and policy from the table in `error-codes.ts`. */
export class BrokerError extends KafkaError {
  /** Kafka's number, also where this version of the client does not know it. */
  readonly errorCode: number;
  #mayHaveSucceeded = false;

  /**
   * @param errorCode Kafka's number
   * @param about what was asked, of whom: it opens the message
   * @param brokerMessage the broker's own words, where the API carries them
   */
  constructor(errorCode: number, about: string, brokerMessage?: string | null) {
    const row = brokerErrorByCode(errorCode);
    const known = row.code === errorCode ? row.name : `error code ${errorCode}`;
    super(`${about}: ${known}: ${inOneLine(brokerMessage || row.message)}`, {
      code: row.name,
      retriable: row.retriable,
    });
    this.errorCode = errorCode;
  }

  /**
   * Whether it may be what became of one's own success: the same was asked before, its answer was lost, and by now nothing is left to
   * do. `TOPIC_ALREADY_EXISTS` is then a topic that was created by this very call, or by somebody else; `cause` is how the answer was lost.
   * `false` is no promise: brokers pass changes on to the controller, and ask again themselves where its answer is lost.
   */
  get mayHaveSucceeded(): boolean {
    return this.#mayHaveSucceeded;
  }

  /** Says that the answer to an earlier request, which may have done what was asked, was lost; once, though it is for several things. */
  behindLostAnswer(cause: KafkaError): this {
    if (this.#mayHaveSucceeded) return this;
    this.#mayHaveSucceeded = true;
    this.cause = cause;
    this.message += `; or it was done by an earlier request of this call, whose answer was lost (${cause.message})`;
    return this;
  }
}

/** An error of the codec: it knows the message, its version and the field, added while the codec unwinds. */
abstract class CodecError extends KafkaError {
  /** What is wrong. */
  readonly reason: string;
  #path = "";
  #subject = "";

  constructor(reason: string, options: KafkaErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }

  /** The field, such as `responses[0].partitionResponses[3].baseOffset`. */
  get path(): string {
    return this.#path;
  }

  /** The message and its version, such as `ProduceResponse v9`, or the batch. */
  get subject(): string {
    return this.#subject;
  }

  /** Puts a field or an index around what is already known. */
  within(segment: string | number): this {
    const head = typeof segment === "number" ? `[${segment}]` : segment;
    this.#path = this.#path === "" || this.#path.startsWith("[") ? head + this.#path : `${head}.${this.#path}`;
    return this.of(this.#subject);
  }

  /** Says what was being read or written. */
  of(subject: string): this {
    this.#subject = subject;
    this.message = this.describe([subject, this.#path].filter(Boolean).join(" "));
    return this;
  }

  protected abstract describe(place: string): string;
}

/** Bytes of a peer that do not mean what the protocol says they must. The connection they came by is closed. */
export class DecodeError extends CodecError {
  /** Where in the frame, in bytes behind its length. */
  readonly offset: number;

  constructor(reason: string, offset: number, options: { readonly cause?: unknown } = {}) {
    super(reason, { code: "DECODE", ...options });
    this.offset = offset;
    this.of("");
  }

  protected override describe(place: string): string {
    return `cannot decode ${place || "bytes"} at offset ${this.offset}: ${this.reason}`;
  }
}

/** A value that does not fit the field it was given for. */
export class EncodeError extends CodecError {
  constructor(reason: string, options: { readonly cause?: unknown } = {}) {
    super(reason, { code: "ENCODE", ...options });
    this.of("");
  }

  protected override describe(place: string): string {
    return `cannot encode ${place || "value"}: ${this.reason}`;
  }
}

/** Something was asked that the negotiated version of an API, or the broker, does not have. */
export class UnsupportedVersionError extends CodecError {
  constructor(reason: string) {
    super(reason, { code: "UNSUPPORTED_VERSION" });
  }

  protected override describe(place: string): string {
    return place === "" ? this.reason : `${place}: ${this.reason}`;
  }
}

/** Lets the layers of the codec add where it happened. */
export const isCodecError = (error: unknown): error is CodecError => error instanceof CodecError;
