import { type Admin, type AdminConfig, createAdmin } from "./admin/admin.ts";
import type { KafkaConfig } from "./client/kafka-config.ts";
import { consoleLogCreator } from "./console-log-creator.ts";
import { type Consumer, createConsumer } from "./consumer/consumer.ts";
import type { ConsumerConfig } from "./consumer/consumer-config.ts";
import { logLevel } from "./log-level.ts";
import { createLogger, type Logger } from "./logger.ts";
import { createProducer, type Producer } from "./producer/producer.ts";
import type { ProducerConfig } from "./producer/producer-config.ts";

/**
 * Makes producers, consumers and admin clients that have a configuration in common. It connects nowhere itself.
 *
 * Tools that instrument kafkajs look for a class of this name.
 */
export class Client {
  readonly #config: KafkaConfig;
  readonly #logger: Logger;

  constructor(config: KafkaConfig) {
    const { logLevel: level = logLevel.INFO, logCreator = consoleLogCreator } = config;
    this.#config = config;
    this.#logger = createLogger(level, logCreator);
  }

  /** @throws KafkaJSNonRetriableError, KafkaJSNotImplemented for options that cannot be used */
  producer(config: ProducerConfig = {}): Producer {
    return createProducer(this.#config, config, this.#logger);
  }

  /** @throws KafkaJSNonRetriableError, KafkaJSNotImplemented for options that cannot be used */
  consumer(config: ConsumerConfig): Consumer {
    return createConsumer(this.#config, config, this.#logger);
  }

  admin(config: AdminConfig = {}): Admin {
    return createAdmin(this.#config, config, this.#logger);
  }

  logger(): Logger {
    return this.#logger;
  }
}
