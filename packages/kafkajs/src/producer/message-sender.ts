import { type Clock, type KafkaProducer, SendBatchError } from "odradek";
import { CompressionTypes } from "../constants.ts";
import { givenUp } from "../errors/error-translation.ts";
import { KafkaJSError, KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { ResolvedRetryOptions } from "../retry-options.ts";
import { type ProducerBatch, type ProducerRecord, recordOf, type TopicMessages } from "./message.ts";
import type { PartitionChoice } from "./partition-choice.ts";
import { type Delivery, deliveryOf } from "./producer-config.ts";
import { type RecordMetadata, recordMetadataOf } from "./record-metadata.ts";

export interface MessageSenderParts {
  readonly choice: PartitionChoice;
  readonly retry: ResolvedRetryOptions;
  readonly clock: Clock;
  /** Whether only `acks` -1 will do. */
  readonly isExact: boolean;
  /** Who takes them. @throws where the client is not connected */
  producerFor(delivery: Delivery): KafkaProducer;
}

/** `send` and `sendBatch`, of a producer or of a transaction. */
export class MessageSender {
  readonly #parts: MessageSenderParts;

  constructor(parts: MessageSenderParts) {
    this.#parts = parts;
  }

  send({ topic, messages, ...delivery }: ProducerRecord): Promise<RecordMetadata[]> {
    return this.sendBatch({ ...delivery, topicMessages: [{ topic, messages }] });
  }

  /**
   * @returns one for each partition; none with `acks` 0
   * @throws KafkaJSNonRetriableError for what cannot be sent, TypeError for keys and values that are neither text nor bytes, the error of
   *   the first message that failed, KafkaJSNumberOfRetriesExceeded where that may pass
   */
  async sendBatch({ topicMessages = [], acks = -1, compression }: ProducerBatch): Promise<RecordMetadata[]> {
    this.#check(topicMessages, acks);
    const delivery = deliveryOf(acks, compression ?? CompressionTypes.None);
    const producer = this.#parts.producerFor(delivery);
    const records = [];
    const nowMs = this.#parts.clock.wallTimeMs();
    for (const { topic, messages } of merged(topicMessages)) {
      if (messages.length === 0) continue;
      const partitions = await this.#partitionsOf(producer, topic);
      for (const message of messages) {
        const record = recordOf(topic, this.#parts.choice.partitionOf(topic, partitions, message), message);
        records.push({ ...record, timestamp: record.timestamp ?? nowMs });
      }
    }
    if (records.length === 0) return [];
    try {
      const sent = await producer.sendBatch(records);
      if (acks === 0) return [];
      return recordMetadataOf(
        sent,
        records.map(({ timestamp }) => timestamp),
      );
    } catch (error) {
      throw givenUp(error instanceof SendBatchError ? error.cause : error, this.#parts.retry);
    }
  }

  #check(topicMessages: readonly TopicMessages[], acks: number): void {
    if (topicMessages.some(({ topic }) => !topic)) throw new KafkaJSNonRetriableError("Invalid topic");
    if (this.#parts.isExact && acks !== -1) {
      throw new KafkaJSNonRetriableError(
        "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      );
    }
    for (const { topic, messages } of topicMessages) {
      if (!messages) {
        throw new KafkaJSNonRetriableError(`Invalid messages array [${String(messages)}] for topic "${topic}"`);
      }
      const bare = messages.find(({ value }) => value === undefined);
      if (bare === undefined) continue;
      throw new KafkaJSNonRetriableError(`Invalid message without value for topic "${topic}": ${JSON.stringify(bare)}`);
    }
  }

  /** @throws KafkaJSNonRetriableError with the broker's error as its cause, as kafkajs has what it finds in the metadata */
  async #partitionsOf(producer: KafkaProducer, topic: string) {
    try {
      return await producer.partitionsFor(topic);
    } catch (error) {
      const failure = givenUp(error, this.#parts.retry);
      const isFinal = failure instanceof KafkaJSError && !(failure instanceof KafkaJSNonRetriableError);
      throw isFinal ? new KafkaJSNonRetriableError(failure, { cause: failure }) : failure;
    }
  }
}

/** A topic that is named twice is sent once, with the messages of both. */
function merged(topicMessages: readonly TopicMessages[]): Iterable<TopicMessages> {
  const byTopic = new Map<string, TopicMessages>();
  for (const { topic, messages } of topicMessages) {
    const before = byTopic.get(topic)?.messages;
    byTopic.set(topic, { topic, messages: before === undefined ? messages : [...before, ...messages] });
  }
  return byTopic.values();
}
