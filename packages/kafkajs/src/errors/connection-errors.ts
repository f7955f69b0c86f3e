import { type ErrorSource, KafkaJSError, KafkaJSNonRetriableError } from "./errors.ts";

export interface KafkaJSConnectionErrorMetadata {
  /** `host:port` */
  broker?: string | undefined;
  /** Node's own, such as `ECONNREFUSED`. */
  code?: string | undefined;
}

/** A connection that could not be made, or that ended. */
export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name: string = "KafkaJSConnectionError";
  declare readonly broker: string;
  declare readonly code?: string;

  constructor(source: ErrorSource, { broker, code }: KafkaJSConnectionErrorMetadata = {}) {
    super(source);
    Object.assign(this, { broker, code });
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
  broker: string;
  clientId: string;
  correlationId: number;
  createdAt: number;
  sentAt: number;
  pendingDuration: number;
}

/** A request that was not answered in time. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name: string = "KafkaJSRequestTimeoutError";
  declare readonly broker: string;
  declare readonly correlationId: number;
  declare readonly createdAt: number;
  declare readonly sentAt: number;
  declare readonly pendingDuration: number;

  constructor(source: ErrorSource, metadata: Partial<KafkaJSRequestTimeoutErrorMetadata> = {}) {
    super(source);
    const { broker, correlationId, createdAt, sentAt, pendingDuration } = metadata;
    Object.assign(this, { broker, correlationId, createdAt, sentAt, pendingDuration });
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
  apiKey: number;
  apiName: string;
}

/** The broker is too old, or too new, for what was asked. */
export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSServerDoesNotSupportApiKey";
  declare readonly apiKey: number;
  declare readonly apiName: string;

  constructor(source: ErrorSource, metadata?: KafkaJSServerDoesNotSupportApiKeyMetadata) {
    super(source);
    Object.assign(this, { apiKey: metadata?.apiKey, apiName: metadata?.apiName });
  }
}
