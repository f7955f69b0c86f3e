import type { Header, Logger } from "@odradek/network";
import type { Delivery } from "./delivery.ts";
import type { DeliveryError } from "./delivery-error.ts";
import type { ProducerRecord } from "./producer-record.ts";
import { RecordMetadata } from "./record-metadata.ts";

/**
 * Looks at records on their way in, and at what became of them. Every method is optional. What one throws is logged, and changes
 * nothing for the record and for other interceptors.
 */
export interface ProducerInterceptor<K = Uint8Array | string, V = Uint8Array | string> {
  /**
   * Called inside of `send`, before anything else. Each interceptor gets the record that the one before gave.
   *
   * @returns the record to be sent: the same, or another, such as one with more headers
   */
  onSend?(record: ProducerRecord<K, V>): ProducerRecord<K, V>;
  /**
   * A record was acknowledged, or failed, be it before it was in a batch. Called before the callback or promise of `send` is told,
   * and in the way of everything else: it should be quick.
   *
   * @param metadata of a record that failed, its topic and its partition, -1 where none was chosen; nothing else is known then
   * @param error `null` where it was acknowledged
   * @param headers as they were sent
   */
  onAcknowledgement?(metadata: RecordMetadata, error: DeliveryError | null, headers: readonly Header[]): void;
  /** The producer is closed. */
  close?(): void;
}

const noHeaders: readonly Header[] = Object.freeze([]);

/** The interceptors of a producer, in their order. Source: Kafka's `ProducerInterceptors`. */
export class ProducerInterceptors<K, V> {
  readonly #interceptors: readonly ProducerInterceptor<K, V>[];
  readonly #logger: Logger;

  constructor(interceptors: readonly ProducerInterceptor<K, V>[], logger: Logger) {
    this.#interceptors = interceptors;
    this.#logger = logger;
  }

  /** The record that is to be sent. It never throws: the last record that an interceptor gave goes on. */
  onSend(given: ProducerRecord<K, V>): ProducerRecord<K, V> {
    let record = given;
    for (const interceptor of this.#interceptors) {
      if (interceptor.onSend === undefined) continue;
      try {
        const returned = interceptor.onSend(record);
        if (!isRecord(returned)) throw new TypeError("it gave no record, which is an object with a topic");
        record = returned;
      } catch (error) {
        this.#warn("onSend", error, record);
      }
    }
    return record;
  }

  /** Who is told of a record instead of `delivery`: the interceptors are told first. */
  deliveryOf(record: ProducerRecord<K, V>, delivery: Delivery, position: number): InterceptedDelivery<K, V> {
    return new InterceptedDelivery(this, record?.headers ?? noHeaders, delivery, position);
  }

  onAcknowledgement(metadata: RecordMetadata, error: DeliveryError | null, headers: readonly Header[]): void {
    for (const interceptor of this.#interceptors) {
      try {
        this.#watch("onAcknowledgement", interceptor.onAcknowledgement?.(metadata, error, headers), metadata);
      } catch (thrown) {
        this.#warn("onAcknowledgement", thrown, metadata);
      }
    }
  }

  close(): void {
    for (const interceptor of this.#interceptors) {
      try {
        this.#watch("close", interceptor.close?.(), null);
      } catch (error) {
        this.#warn("close", error, null);
      }
    }
  }

  /** An async function is an interceptor too, as far as types go, and its rejection would end the process. */
  #watch(method: string, returned: unknown, about: About | null): void {
    if (returned instanceof Promise) returned.catch((error: unknown) => this.#warn(method, error, about));
  }

  #warn(method: string, error: unknown, about: About | null): void {
    const reason = error instanceof Error ? error.message : String(error);
    const context = { topic: String(about?.topic ?? ""), partition: Number(about?.partition ?? -1) };
    this.#logger.warn(`${method} of an interceptor failed: ${reason}`, about === null ? {} : context);
  }
}

/** One record with whoever is told of it; the interceptors are told before. */
export class InterceptedDelivery<K, V> implements Delivery {
  readonly #interceptors: ProducerInterceptors<K, V>;
  readonly #delivery: Delivery;
  readonly #position: number;
  #headers: readonly Header[];

  constructor(
    interceptors: ProducerInterceptors<K, V>,
    headers: readonly Header[],
    delivery: Delivery,
    position: number,
  ) {
    this.#interceptors = interceptors;
    this.#headers = headers;
    this.#delivery = delivery;
    this.#position = position;
  }

  headersChanged(headers: readonly Header[]): void {
    this.#headers = headers;
  }

  delivered(metadata: RecordMetadata): void {
    this.#interceptors.onAcknowledgement(metadata, null, this.#headers);
    this.#delivery.delivered(metadata, this.#position);
  }

  failed(error: DeliveryError): void {
    const { topic, partition } = error;
    const outcome = { topic, partition: partition ?? -1, baseOffset: -1n, logAppendTimeMs: -1, logStartOffset: -1n };
    this.#interceptors.onAcknowledgement(new RecordMetadata(outcome, 0, -1, -1, -1), error, this.#headers);
    this.#delivery.failed(error, this.#position);
  }
}

/** What a message is about. */
interface About {
  readonly topic: string;
  readonly partition?: number | null | undefined;
}

/** @param returned anything, where the interceptor has no types */
const isRecord = (returned: { readonly topic?: unknown } | null | undefined): boolean =>
  typeof returned?.topic === "string";
