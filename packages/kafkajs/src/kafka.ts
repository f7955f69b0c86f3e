import { type Admin, type AdminConfig, createAdmin } from "./admin/admin.ts";
import type { KafkaConfig } from "./client/kafka-config.ts";
import { KnownCluster } from "./client/known-cluster.ts";
import { consoleLogCreator } from "./console-log-creator.ts";
import { type Consumer, createConsumer } from "./consumer/consumer.ts";
import type { ConsumerConfig } from "./consumer/consumer-config.ts";
import { logLevel } from "./log-level.ts";
import { createLogger, type Logger } from "./logger.ts";
import { createProducer, type Producer } from "./producer/producer.ts";
import type { ProducerConfig } from "./producer/producer-config.ts";

/** What a client is made of. One object, since what tools put around a factory hands on one argument. */
interface Making<Options> {
  readonly config: KafkaConfig;
  readonly options: Options;
  readonly logger: Logger;
  /** Tools keep it. */
  readonly cluster: KnownCluster;
}

export interface Factories {
  readonly producer: (making: Making<ProducerConfig>) => Producer;
  readonly consumer: (making: Making<ConsumerConfig>) => Consumer;
}

export const factories: Factories = {
  producer: ({ config, options, logger, cluster }) => createProducer(config, options, logger, cluster),
  consumer: ({ config, options, logger, cluster }) => createConsumer(config, options, logger, cluster),
};

/**
 * Makes producers, consumers and admin clients that have a configuration in common. It connects nowhere itself.
 *
 * Tools that instrument kafkajs look for a class of this name.
 */
export class Client {
  readonly #config: KafkaConfig;
  readonly #factories: Factories;
  readonly #logger: Logger;

  constructor(config: KafkaConfig);
  /** @internal with factories that tools may have put theirs around, see `index.js` beside this file */
  constructor(config: KafkaConfig, factories: Factories);
  constructor(config: KafkaConfig, makers: Factories = factories) {
    const { logLevel: level = logLevel.INFO, logCreator = consoleLogCreator } = config;
    this.#config = config;
    this.#factories = makers;
    this.#logger = createLogger(level, logCreator);
    if (config.reauthenticationThreshold !== undefined) {
      const logger = this.#logger.namespace("Cluster");
      logger.warn("reauthenticationThreshold has no effect: sessions are renewed when 85 to 95 % of them are over");
    }
  }

  /** @throws KafkaJSNonRetriableError for options that cannot be used */
  producer(config: ProducerConfig = {}): Producer {
    return this.#factories.producer(this.#making(config));
  }

  /** @throws KafkaJSNonRetriableError for options that cannot be used */
  consumer(config: ConsumerConfig): Consumer {
    return this.#factories.consumer(this.#making(config));
  }

  admin(config: AdminConfig = {}): Admin {
    return createAdmin(this.#config, config, this.#logger);
  }

  logger(): Logger {
    return this.#logger;
  }

  #making<Options>(options: Options): Making<Options> {
    return { config: this.#config, options, logger: this.#logger, cluster: new KnownCluster() };
  }
}
