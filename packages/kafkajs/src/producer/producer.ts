import { type ClientOptions, type Clock, KafkaProducer, systemClock } from "odradek";
import { clientOptionsOf } from "../client/client-options.ts";
import { connectPatiently } from "../client/connecting.ts";
import {
  Instrumentation,
  type Listen,
  type RequestPayload,
  type RequestQueueSizePayload,
  type RequestTimeoutPayload,
} from "../client/instrumentation.ts";
import type { KafkaConfig } from "../client/kafka-config.ts";
import type { KnownCluster } from "../client/known-cluster.ts";
import { requestListener } from "../client/request-events.ts";
import { givenUp } from "../errors/error-translation.ts";
import { KafkaJSError, KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { Logger } from "../logger.ts";
import type { ProducerBatch, ProducerRecord } from "./message.ts";
import { MessageSender } from "./message-sender.ts";
import { PartitionChoice } from "./partition-choice.ts";
import { type ProducerConfig, producerOptionsOf, resolveProducerConfig } from "./producer-config.ts";
import type { RecordMetadata } from "./record-metadata.ts";
import { type Transaction, Transactions } from "./transactions.ts";

const events = Object.freeze({
  CONNECT: "producer.connect",
  DISCONNECT: "producer.disconnect",
  REQUEST: "producer.network.request",
  REQUEST_TIMEOUT: "producer.network.request_timeout",
  REQUEST_QUEUE_SIZE: "producer.network.request_queue_size",
});

export type ProducerEvents = typeof events;

/** What each event tells. */
export interface ProducerEventPayloads {
  "producer.connect": null;
  "producer.disconnect": null;
  "producer.network.request": RequestPayload;
  "producer.network.request_timeout": RequestTimeoutPayload;
  "producer.network.request_queue_size": RequestQueueSizePayload;
}

/** Sends messages to topics. Its methods need no `this`, and may be replaced. */
export interface Producer {
  /** Connects; nothing can be sent before. @throws KafkaJSNumberOfRetriesExceeded, KafkaJSSASLAuthenticationError */
  connect(): Promise<void>;
  /** Delivers what was sent, aborts an open transaction, and closes every connection. It may be connected again. */
  disconnect(): Promise<void>;
  send(record: ProducerRecord): Promise<RecordMetadata[]>;
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
  /** Begins a transaction. What `producer.send` sends is no part of it. */
  transaction(): Promise<Transaction>;
  isIdempotent(): boolean;
  readonly events: ProducerEvents;
  on: Listen<ProducerEventPayloads>;
  logger(): Logger;
}

/** What is open while the producer is connected. */
interface Connected {
  readonly client: ClientOptions;
  readonly producer: KafkaProducer;
  transactions: Transactions | null;
}

/** @throws KafkaJSNonRetriableError for options that cannot be used */
export function createProducer(
  config: KafkaConfig,
  given: ProducerConfig,
  rootLogger: Logger,
  cluster: KnownCluster,
  clock: Clock = systemClock,
): Producer {
  const resolved = resolveProducerConfig(given, config.retry);
  const { retry, idempotent, transactionalId, transactionTimeout } = resolved;
  const logger = rootLogger.namespace("Producer");
  if (idempotent && retry.retries < Number.MAX_SAFE_INTEGER) {
    logger.warn("Limiting retries for the idempotent producer may invalidate EoS guarantees");
  }
  const isChosenBelow = resolved.odradek.partitioner !== undefined;
  const choice = isChosenBelow ? null : new PartitionChoice(resolved.createPartitioner, logger);
  const instrumentation = new Instrumentation("producer", events, logger, clock);
  let connected: Connected | null = null;
  let connecting: Promise<void> | null = null;
  let disconnecting: Promise<void> | null = null;

  const open = (): Connected => {
    if (disconnecting !== null) {
      throw new KafkaJSNonRetriableError(
        "The producer is disconnecting; therefore, it can't safely accept messages anymore",
      );
    }
    if (connected === null) throw new KafkaJSError("The producer is disconnected");
    return connected;
  };
  /** Something of the layer below, which refuses options that cannot be used. */
  const made = <T>(make: () => T): T => {
    try {
      return make();
    } catch (error) {
      throw givenUp(error, retry);
    }
  };
  const parts = { choice, retry };
  const sender = new MessageSender({
    ...parts,
    isExact: idempotent,
    producer: () => open().producer,
  });

  const connect = async (): Promise<void> => {
    await disconnecting;
    if (connected !== null) return;
    const common = await clientOptionsOf({ ...resolved, config }, rootLogger.namespace("Cluster"));
    const client = { ...common, diagnostics: requestListener(instrumentation) };
    const producer = made(() => new KafkaProducer(producerOptionsOf(client, config, resolved, idempotent)));
    try {
      await connectPatiently(() => producer.connect(), { config, retry }, instrumentation);
    } catch (error) {
      await producer.close();
      throw givenUp(error, retry);
    }
    connected = { client, producer, transactions: null };
    cluster.readBy(producer);
  };

  const disconnect = async (): Promise<void> => {
    await connecting?.catch(() => {});
    const ending = connected;
    await sender.handedOver();
    await Promise.all([ending?.producer.close(), ending?.transactions?.close()]);
    connected = null;
  };

  const transactionsOf = (): Transactions => {
    if (transactionalId === null) {
      throw new KafkaJSNonRetriableError("Must provide transactional id for transactional producer");
    }
    const { client, transactions } = open();
    if (transactions !== null) return transactions;
    const common = producerOptionsOf(client, config, resolved, true);
    const begun = made(
      () => new Transactions({ ...common, transactionalId, transactionTimeoutMs: transactionTimeout }, parts, open),
    );
    open().transactions = begun;
    return begun;
  };

  return {
    async connect() {
      connecting ??= connect().finally(() => {
        connecting = null;
      });
      await connecting;
      instrumentation.emit(events.CONNECT);
    },
    async disconnect() {
      disconnecting ??= disconnect().finally(() => {
        disconnecting = null;
      });
      await disconnecting;
      instrumentation.emit(events.DISCONNECT);
    },
    isIdempotent: () => idempotent,
    events,
    on: (eventName: string, listener: (event: never) => void) => instrumentation.on(eventName, listener),
    send: (record) => sender.send(record),
    sendBatch: (batch) => sender.sendBatch(batch),
    transaction: async () => transactionsOf().begin(),
    logger: () => logger,
  };
}
