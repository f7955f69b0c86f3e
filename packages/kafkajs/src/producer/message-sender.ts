import { type KafkaProducer, type PartitionSnapshot, SendBatchError } from "odradek";
import { givenUp } from "../errors/error-translation.ts";
import { KafkaJSError, KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { ResolvedRetryOptions } from "../retry-options.ts";
import {
  type ProducerBatch,
  type ProducerRecord,
  recordOf,
  type SendSettings,
  type SentMessage,
  type TopicMessages,
} from "./message.ts";
import type { PartitionChoice } from "./partition-choice.ts";
import { type RecordMetadata, recordMetadataOf } from "./record-metadata.ts";
import { sendOptionsOf } from "./send-options.ts";

export interface MessageSenderParts {
  /** `null` where the layer below chooses. */
  readonly choice: PartitionChoice | null;
  readonly retry: ResolvedRetryOptions;
  /** Whether only `acks` -1 will do. */
  readonly isExact: boolean;
  /** Who takes the messages. @throws where the client is not connected */
  producer(): KafkaProducer;
}

/** `send` and `sendBatch`, of a producer or of a transaction. */
export class MessageSender {
  readonly #parts: MessageSenderParts;
  /** What sends wait for before the layer below has their messages. */
  readonly #lookups = new Set<Promise<unknown>>();

  constructor(parts: MessageSenderParts) {
    this.#parts = parts;
  }

  send(record: ProducerRecord): Promise<RecordMetadata[]> {
    return this.#send(record, ({ topic, messages }) => [{ topic, messages }]);
  }

  /**
   * @returns one for each partition; none with `acks` 0
   * @throws KafkaJSNonRetriableError for what cannot be sent, TypeError for keys and values that are neither text nor bytes, the error of
   *   the first message that failed, KafkaJSNumberOfRetriesExceeded where that may pass
   */
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]> {
    return this.#send(batch, ({ topicMessages = [] }) => topicMessages);
  }

  async #send<T extends SendSettings>(
    given: T,
    topicMessagesOf: (given: T) => readonly TopicMessages[],
  ): Promise<RecordMetadata[]> {
    const { acks = -1 } = given;
    const topicMessages = topicMessagesOf(given);
    this.#check(topicMessages, acks);
    const options = sendOptionsOf(given);
    const producer = this.#parts.producer();
    const records: SentMessage[] = [];
    for (const { topic, messages } of merged(topicMessages)) {
      if (messages.length === 0) continue;
      const { choice } = this.#parts;
      if (choice === null) {
        for (const message of messages) records.push(recordOf(topic, message.partition, message));
        continue;
      }
      const partitions = producer.knownPartitionsFor(topic) ?? (await this.#lookUp(producer, topic));
      for (const message of messages) {
        records.push(recordOf(topic, choice.partitionOf(topic, partitions, message), message));
      }
    }
    const [first] = records;
    if (first === undefined) return [];
    try {
      // One alone is what most calls send, and needs nobody to collect.
      const sent =
        records.length === 1 ? [await producer.send(first, options)] : await producer.sendBatch(records, options);
      return acks === 0 ? [] : recordMetadataOf(sent);
    } catch (error) {
      throw givenUp(error instanceof SendBatchError ? error.cause : error, this.#parts.retry);
    }
  }

  /** Resolves when all that was sent is with the layer below, or has failed. */
  async handedOver(): Promise<void> {
    // A send to several topics looks for one after the other.
    while (this.#lookups.size > 0) await Promise.allSettled(this.#lookups);
  }

  #lookUp(producer: KafkaProducer, topic: string): Promise<readonly PartitionSnapshot[]> {
    const lookup = this.#partitionsOf(producer, topic).finally(() => this.#lookups.delete(lookup));
    this.#lookups.add(lookup);
    return lookup;
  }

  #check(topicMessages: readonly TopicMessages[], acks: number): void {
    for (const { topic } of topicMessages) if (!topic) throw new KafkaJSNonRetriableError("Invalid topic");
    if (this.#parts.isExact && acks !== -1) {
      throw new KafkaJSNonRetriableError(
        "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      );
    }
    for (const { topic, messages } of topicMessages) {
      if (!messages) {
        throw new KafkaJSNonRetriableError(`Invalid messages array [${String(messages)}] for topic "${topic}"`);
      }
      for (const message of messages) {
        if (message.value !== undefined) continue;
        const text = JSON.stringify(message);
        throw new KafkaJSNonRetriableError(`Invalid message without value for topic "${topic}": ${text}`);
      }
    }
  }

  /** @throws KafkaJSNonRetriableError with the broker's error as its cause, as kafkajs has what it finds in the metadata */
  async #partitionsOf(producer: KafkaProducer, topic: string): Promise<readonly PartitionSnapshot[]> {
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
  if (topicMessages.length < 2) return topicMessages;
  const byTopic = new Map<string, TopicMessages>();
  for (const { topic, messages } of topicMessages) {
    const before = byTopic.get(topic)?.messages;
    byTopic.set(topic, { topic, messages: before === undefined ? messages : [...before, ...messages] });
  }
  return byTopic.values();
}
