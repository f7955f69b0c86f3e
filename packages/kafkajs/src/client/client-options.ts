import type { Logger as ClientLogger, ClientOptions } from "odradek";
import { givenWholeNumber, longestMs } from "../given-number.ts";
import type { Logger } from "../logger.ts";
import { type ResolvedRetryOptions, totalRetryMs } from "../retry-options.ts";
import { brokersOf } from "./brokers.ts";
import type { KafkaConfig } from "./kafka-config.ts";
import { saslOptionsOf } from "./sasl.ts";
import { socketFactoryOf } from "./socket-factory.ts";

const defaultConnectionTimeout = 1_000;
const defaultAuthenticationTimeout = 10_000;
const defaultRequestTimeout = 30_000;

/** What the clients of one `Kafka` have in common, as the layer below takes it. */
export interface ClientSettings {
  readonly config: KafkaConfig;
  readonly retry: ResolvedRetryOptions;
  readonly metadataMaxAge: number;
}

/**
 * Asks for the brokers, and puts the options together; each time that a client connects.
 *
 * @throws what `brokersOf` and `saslOptionsOf` throw
 */
export async function clientOptionsOf(settings: ClientSettings, logger: Logger): Promise<ClientOptions> {
  const { config, retry, metadataMaxAge } = settings;
  const { clientId, ssl, sasl, socketFactory } = config;
  return {
    bootstrapServers: await brokersOf(config.brokers),
    clientId: clientId || "kafkajs",
    requestTimeoutMs: requestTimeoutMs(config),
    retryBackoffMs: Math.ceil(Math.min(retry.initialRetryTime, longestMs)),
    retryBackoffMaxMs: Math.ceil(Math.min(retry.maxRetryTime, longestMs)),
    socketConnectionSetupTimeoutMs: Math.min(longestMs, connectionMs(config) + authenticationMs(config)),
    metadataMaxAgeMs: metadataMaxAge,
    logger: clientLogger(logger),
    ...socketsOf(ssl, socketFactory),
    ...(sasl ? { sasl: saslOptionsOf(sasl, logger) } : {}),
  };
}

/** A factory encrypts by itself. */
function socketsOf(
  ssl: KafkaConfig["ssl"],
  socketFactory: KafkaConfig["socketFactory"],
): Pick<ClientOptions, "ssl" | "socketFactory"> {
  if (socketFactory) return { socketFactory: socketFactoryOf(socketFactory, ssl) };
  return ssl === undefined ? {} : { ssl };
}

const connectionMs = ({ connectionTimeout }: KafkaConfig): number =>
  givenWholeNumber(connectionTimeout, defaultConnectionTimeout, { least: 1 });

const authenticationMs = ({ sasl, authenticationTimeout }: KafkaConfig): number =>
  sasl ? givenWholeNumber(authenticationTimeout, defaultAuthenticationTimeout) : 0;

/** How long a request waits; what `false` asks for is the longest there is. */
export const requestTimeoutMs = ({ requestTimeout, enforceRequestTimeout = true }: KafkaConfig): number =>
  enforceRequestTimeout ? givenWholeNumber(requestTimeout, defaultRequestTimeout, { least: 1 }) : longestMs;

/** How long kafkajs would go on trying to connect: all its waits, as many attempts, and one authentication, which is final if it fails. */
export function connectTimeoutMs({ config, retry }: Pick<ClientSettings, "config" | "retry">): number {
  const attemptsMs = (retry.retries + 1) * connectionMs(config) + authenticationMs(config);
  return Math.min(longestMs, Math.ceil(totalRetryMs(retry)) + attemptsMs);
}

/** The same for a request. */
export function callTimeoutMs({ config, retry }: Pick<ClientSettings, "config" | "retry">): number {
  return Math.min(longestMs, Math.ceil(totalRetryMs(retry)) + (retry.retries + 1) * requestTimeoutMs(config));
}

/** What the layer below says goes to the loggers of kafkajs. */
const clientLogger = (logger: Logger): ClientLogger => ({
  debug: (message, context) => logger.debug(message, context),
  info: (message, context) => logger.info(message, context),
  warn: (message, context) => logger.warn(message, context),
  error: (message, context) => logger.error(message, context),
});
