import { KafkaProducer, type ProducerOptions } from "odradek";
import { givenUp } from "../errors/error-translation.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { ProducerBatch, ProducerRecord } from "./message.ts";
import { MessageSender, type MessageSenderParts } from "./message-sender.ts";
import type { RecordMetadata } from "./record-metadata.ts";

export interface PartitionOffset {
  partition: number;
  /** Of the message that comes next. */
  offset: string;
}

export interface TopicOffsets {
  topic: string;
  partitions: PartitionOffset[];
}

export interface Offsets {
  topics: TopicOffsets[];
}

export type OffsetsByTopicPartition = Offsets;

/** What is sent through it counts together or not at all. */
export interface Transaction {
  send(record: ProducerRecord): Promise<RecordMetadata[]>;
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
  /** Commits where a group goes on, as a part of the transaction. */
  sendOffsets(offsets: Offsets & { consumerGroupId: string }): Promise<void>;
  /** Delivers what was sent, and has it count. Where it rejects, the transaction goes on: try again, or `abort`. */
  commit(): Promise<void>;
  abort(): Promise<void>;
  isActive(): boolean;
}

export type TransactionsParts = Omit<MessageSenderParts, "producer" | "isExact">;

/**
 * `active` takes messages and offsets; `ending` has a commit or abort under way, and becomes active again where that fails, so that it
 * can be tried again; `ended` counts, or does not.
 */
type TransactionState = "active" | "ending" | "ended";

/** The transactions of one producer, one after the other. */
export class Transactions {
  readonly #parts: TransactionsParts;
  readonly #producer: KafkaProducer;
  readonly #sender: MessageSender;
  #isInitialized = false;
  #isOngoing = false;

  /** @param requireOpen throws where the producer is not connected */
  constructor(options: ProducerOptions, parts: TransactionsParts, requireOpen: () => void) {
    this.#parts = parts;
    this.#producer = new KafkaProducer(options);
    const producer = () => {
      requireOpen();
      return this.#producer;
    };
    this.#sender = new MessageSender({ ...parts, isExact: true, producer });
  }

  /** @throws KafkaJSNonRetriableError where one is ongoing, and what keeps the producer from getting an id */
  async begin(): Promise<Transaction> {
    if (this.#isOngoing) {
      throw new KafkaJSNonRetriableError(
        "There is already an ongoing transaction for this producer. Please end the transaction before beginning another.",
      );
    }
    this.#isOngoing = true;
    try {
      if (!this.#isInitialized) await this.#producer.initTransactions();
      this.#isInitialized = true;
      this.#producer.beginTransaction();
    } catch (error) {
      this.#isOngoing = false;
      throw givenUp(error, this.#parts.retry);
    }
    return this.#transaction();
  }

  /** Aborts what is ongoing. */
  close(): Promise<void> {
    return this.#producer.close();
  }

  #transaction(): Transaction {
    let state: TransactionState = "active";
    const whileActive = async <T>(call: () => Promise<T>): Promise<T> => {
      if (state !== "active") throw new KafkaJSNonRetriableError("Cannot continue to use transaction once ended");
      return call();
    };
    const end = (call: () => Promise<void>) =>
      whileActive(async () => {
        state = "ending";
        try {
          await this.#carriedOut(call());
        } catch (error) {
          state = "active";
          throw error;
        }
        state = "ended";
        this.#isOngoing = false;
      });
    return {
      send: (record) => whileActive(() => this.#sender.send(record)),
      sendBatch: (batch) => whileActive(() => this.#sender.sendBatch(batch)),
      sendOffsets: (offsets) => whileActive(() => this.#sendOffsets(offsets)),
      commit: () => end(() => this.#producer.commitTransaction()),
      abort: () => end(() => this.#producer.abortTransaction()),
      isActive: () => state === "active",
    };
  }

  async #sendOffsets({ consumerGroupId, topics }: Offsets & { readonly consumerGroupId: string }): Promise<void> {
    if (!consumerGroupId) throw new KafkaJSNonRetriableError("Missing consumerGroupId");
    if (!topics) throw new KafkaJSNonRetriableError("Missing offset topics");
    await this.#carriedOut(this.#producer.sendOffsetsToTransaction(topics.flatMap(offsetsOf), consumerGroupId));
  }

  async #carriedOut(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      throw givenUp(error, this.#parts.retry);
    }
  }
}

const offsetsOf = ({ topic, partitions }: TopicOffsets) =>
  partitions.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) }));
