import { KafkaProducer, type ProducerOptions } from "odradek";
import { givenUp } from "../errors/error-translation.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { ResolvedRetryOptions } from "../retry-options.ts";
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

export interface TransactionsParts extends Omit<MessageSenderParts, "producer" | "isExact"> {
  readonly retry: ResolvedRetryOptions;
}

/** The transactions of one producer, one after the other. */
export class Transactions {
  readonly #parts: TransactionsParts;
  readonly #producer: KafkaProducer;
  readonly #sender: MessageSender;
  #isInitialized = false;
  #isOngoing = false;

  constructor(options: ProducerOptions, parts: TransactionsParts) {
    this.#parts = parts;
    this.#producer = new KafkaProducer(options);
    this.#sender = new MessageSender({ ...parts, isExact: true, producer: () => this.#producer });
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
    let isActive = true;
    const whileActive = async <T>(call: () => Promise<T>): Promise<T> => {
      if (!isActive) throw new KafkaJSNonRetriableError("Cannot continue to use transaction once ended");
      return call();
    };
    const end = (call: () => Promise<void>) =>
      whileActive(async () => {
        await this.#carriedOut(call());
        isActive = false;
        this.#isOngoing = false;
      });
    return {
      send: (record) => whileActive(() => this.#sender.send(record)),
      sendBatch: (batch) => whileActive(() => this.#sender.sendBatch(batch)),
      sendOffsets: ({ consumerGroupId, topics }) =>
        whileActive(() =>
          this.#carriedOut(this.#producer.sendOffsetsToTransaction(topics.flatMap(offsetsOf), consumerGroupId)),
        ),
      commit: () => end(() => this.#producer.commitTransaction()),
      abort: () => end(() => this.#producer.abortTransaction()),
      isActive: () => isActive,
    };
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
