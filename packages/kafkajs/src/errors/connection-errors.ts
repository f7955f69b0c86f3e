import { type ErrorSource, KafkaJSError, KafkaJSNonRetriableError } from "./errors.ts";

export interface KafkaJSConnectionErrorMetadata {
  /** `host:port` */
  readonly broker?: string | undefined;
  /** Node's own, such as `ECONNREFUSED`. */
  readonly code?: string | undefined;
}

/** A connection that could not be made, or that ended. */
export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name: string = "KafkaJSConnectionError";
  readonly broker: string | undefined;
  readonly code: string | undefined;

  constructor(source: ErrorSource, { broker, code }: KafkaJSConnectionErrorMetadata = {}) {
    super(source);
    this.broker = broker;
    this.code = code;
  }
}

export interface KafkaJSConnectionClosedErrorMetadata {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** A connection that was closed with requests under way. */
export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  override readonly name: string = "KafkaJSConnectionClosedError";
  readonly host: string | undefined;
  readonly port: number | undefined;

  constructor(source: ErrorSource, { host, port }: KafkaJSConnectionClosedErrorMetadata = {}) {
    super(source, { broker: `${host}:${port}` });
    this.host = host;
    this.port = port;
  }
}

export interface KafkaJSRequestTimeoutErrorMetadata {
  readonly broker?: string | undefined;
  readonly correlationId?: number | undefined;
  readonly createdAt?: number | undefined;
  readonly sentAt?: number | undefined;
  readonly pendingDuration?: number | undefined;
}

/** A request that was not answered in time. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name: string = "KafkaJSRequestTimeoutError";
  readonly broker: string | undefined;
  readonly correlationId: number | undefined;
  readonly createdAt: number | undefined;
  readonly sentAt: number | undefined;
  readonly pendingDuration: number | undefined;

  constructor(source: ErrorSource, metadata: KafkaJSRequestTimeoutErrorMetadata = {}) {
    super(source);
    this.broker = metadata.broker;
    this.correlationId = metadata.correlationId;
    this.createdAt = metadata.createdAt;
    this.sentAt = metadata.sentAt;
    this.pendingDuration = metadata.pendingDuration;
  }
}

/** The broker and the client do not trust each other. */
export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSSASLAuthenticationError";
}

export class KafkaJSBrokerNotFound extends KafkaJSError {
  override readonly name: string = "KafkaJSBrokerNotFound";
}

export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  override readonly name: string = "KafkaJSNoBrokerAvailableError";

  constructor() {
    super("No broker available");
  }
}

export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
  readonly apiKey?: number | undefined;
  readonly apiName?: string | undefined;
}

/** The broker is too old, or too new, for what was asked. */
export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSServerDoesNotSupportApiKey";
  readonly apiKey: number | undefined;
  readonly apiName: string | undefined;

  constructor(source: ErrorSource, { apiKey, apiName }: KafkaJSServerDoesNotSupportApiKeyMetadata = {}) {
    super(source);
    this.apiKey = apiKey;
    this.apiName = apiName;
  }
}
