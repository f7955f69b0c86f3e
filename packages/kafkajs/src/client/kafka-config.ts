import type { ConnectionOptions } from "node:tls";
import type { logLevel } from "../log-level.ts";
import type { logCreator } from "../logger.ts";
import type { RetryOptions } from "../retry-options.ts";
import type { BrokersFunction } from "./brokers.ts";
import type { Mechanism, SASLOptions } from "./sasl.ts";
import type { ISocketFactory } from "./socket-factory.ts";

/** What `new Kafka` takes. */
export interface KafkaConfig {
  /** Where to connect first, as `host:port`; a function is asked each time that a client connects. */
  brokers: string[] | BrokersFunction;
  /** `true`, or what `tls.connect` of Node takes. @default not encrypted */
  ssl?: ConnectionOptions | boolean;
  /** How clients prove who they are. @default not at all */
  sasl?: SASLOptions | Mechanism;
  /** @default "kafkajs" */
  clientId?: string;
  /** How long a connection may take to be set up before another is tried, milliseconds; with `sasl`, `authenticationTimeout` on top. @default 1_000 */
  connectionTimeout?: number;
  /** @default 10_000 */
  authenticationTimeout?: number;
  /** Without effect: sessions are renewed when 85 to 95 % of them are over. */
  reauthenticationThreshold?: number;
  /** How long a request waits for its answer, milliseconds. @default 30_000 */
  requestTimeout?: number;
  /** `false`: requests wait for ever. @default true */
  enforceRequestTimeout?: boolean;
  retry?: RetryOptions;
  /** Opens the sockets to brokers, and encrypts them where `ssl` is given. @default `net` and `tls` of Node */
  socketFactory?: ISocketFactory;
  /** `KAFKAJS_LOG_LEVEL` wins over it. @default INFO */
  logLevel?: logLevel;
  /** @default lines of JSON on the console */
  logCreator?: logCreator;
}
