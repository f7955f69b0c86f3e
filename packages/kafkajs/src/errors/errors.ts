import type { PartitionMetadata } from "../partitioners/partitioner.ts";

/** What an error may be made of: a text, or another error whose message, `retriable`, `type` and the like are taken over. */
export type ErrorSource = string | (Error & { readonly helpUrl?: string | undefined }) | ProtocolErrorSource;

/** What a broker said, by kafkajs' names. */
export interface ProtocolErrorSource {
  readonly message: string;
  readonly type?: string;
  readonly code?: number;
  readonly retriable?: boolean;
  readonly helpUrl?: string | undefined;
}

export interface KafkaJSErrorMetadata {
  retriable?: boolean | undefined;
  cause?: Error | undefined;
  /** Without effect, as in kafkajs. */
  topic?: string;
  /** Without effect, as in kafkajs. */
  partitionId?: number;
  /** Without effect, as in kafkajs. */
  metadata?: PartitionMetadata;
}

const textOf = (source: ErrorSource): string => (typeof source === "string" ? source : source.message);

/**
 * The base of every error of this package. `retriable` unless said otherwise.
 *
 * What the classes below declare and assign is what kafkajs' types promise, also where whoever makes an error may leave it out.
 */
export class KafkaJSError extends Error {
  override readonly name: string = "KafkaJSError";
  readonly retriable: boolean;
  readonly helpUrl?: string | undefined;
  /** Not enumerable, as in any error: what prints or copies an error leaves it out. */
  declare readonly cause?: Error | undefined;

  constructor(source: ErrorSource = "", { retriable = true, cause }: KafkaJSErrorMetadata = {}) {
    super(textOf(source), { cause });
    this.retriable = retriable;
    this.helpUrl = typeof source !== "string" && "helpUrl" in source ? source.helpUrl : undefined;
  }
}

/** The same call would fail again. */
export class KafkaJSNonRetriableError extends KafkaJSError {
  override readonly name: string = "KafkaJSNonRetriableError";

  constructor(source: ErrorSource = "", { cause }: Pick<KafkaJSErrorMetadata, "cause"> = {}) {
    super(source, { retriable: false, cause });
  }
}

/** What a broker answered: `type` is the name of the error, `code` its number. */
export class KafkaJSProtocolError extends KafkaJSError {
  override readonly name: string = "KafkaJSProtocolError";
  declare readonly type: string;
  declare readonly code: number;

  constructor(source: ErrorSource, { retriable, cause }: KafkaJSErrorMetadata = {}) {
    const { type, code, retriable: usual }: Partial<ProtocolErrorSource> = typeof source === "string" ? {} : source;
    super(source, { retriable: retriable ?? usual, cause });
    Object.assign(this, { type, code });
  }
}

export interface KafkaJSNumberOfRetriesExceededMetadata {
  retryCount: number;
  retryTime: number;
}

/** It was tried as often as `retry` allows. `cause` is the last error. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSNumberOfRetriesExceeded";
  declare readonly stack: string;
  declare readonly retryCount: number;
  declare readonly retryTime: number;

  constructor(source: Error | string, metadata?: KafkaJSNumberOfRetriesExceededMetadata) {
    const cause = typeof source === "string" ? new KafkaJSError(source) : source;
    super(cause, { cause });
    const stack = `KafkaJSNonRetriableError\n  Caused by: ${cause.stack}`;
    Object.assign(this, { stack, retryCount: metadata?.retryCount, retryTime: metadata?.retryTime });
  }
}

/** Several errors of one call. */
export class KafkaJSAggregateError extends Error {
  override readonly name: string = "KafkaJSAggregateError";
  readonly errors: (Error | string)[];

  constructor(message: Error | string, errors: (Error | string)[]) {
    super(textOf(message));
    this.errors = errors;
  }
}

/** Something of kafkajs that is not there. */
export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSNotImplemented";
}

export class KafkaJSTimeout extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSTimeout";
}

export class KafkaJSLockTimeout extends KafkaJSTimeout {
  override readonly name: string = "KafkaJSLockTimeout";
}

/** A defect of this package: please report it. */
export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSInvariantViolation";

  constructor(source: ErrorSource) {
    super(`Invariant violated: ${textOf(source)}. This is likely a bug and should be reported.`);
  }
}

/** The name is that of its base, as in kafkajs. */
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {}

/** The name is that of its base, as in kafkajs. */
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {}

const defects = [TypeError, RangeError, ReferenceError, SyntaxError];

/** What to try again is of no use after: a defect of the user's code, or what says so of itself. */
export const isFinal = (error: unknown): boolean =>
  defects.some((defect) => error instanceof defect) ||
  (error instanceof Error && "retriable" in error && error.retriable === false);
