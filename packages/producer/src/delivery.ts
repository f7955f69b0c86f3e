import type { Header, Logger } from "@odradek/network";
import { type DeliveryError, SendBatchError } from "./delivery-error.ts";
import type { RecordMetadata } from "./record-metadata.ts";

/** Who is told what became of records: once for each, records of one partition in the order in which they were sent. */
export interface Delivery {
  /** @param position where the record stands among those of this delivery */
  delivered(metadata: RecordMetadata, position: number): void;
  failed(error: DeliveryError, position: number): void;
  /** A serializer has changed the headers of the record, which is in no batch yet. */
  headersChanged?(headers: readonly Header[]): void;
}

/** What `send` calls when it was given a callback: with an error or with metadata, the other being `null`. */
export type SendCallback = (error: DeliveryError | null, metadata: RecordMetadata | null) => void;

/** One record, told by a promise. */
export class PromisedDelivery implements Delivery {
  readonly promise: Promise<RecordMetadata>;
  #resolve: (metadata: RecordMetadata) => void = unset;
  #reject: (error: DeliveryError) => void = unset;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  delivered(metadata: RecordMetadata): void {
    this.#resolve(metadata);
  }

  failed(error: DeliveryError): void {
    this.#reject(error);
  }
}

/** One record, told by a callback. What the callback throws is logged, and stops nobody. */
export class CallbackDelivery implements Delivery {
  readonly #callback: SendCallback;
  readonly #logger: Logger;

  constructor(callback: SendCallback, logger: Logger) {
    this.#callback = callback;
    this.#logger = logger;
  }

  delivered(metadata: RecordMetadata): void {
    this.#call(null, metadata);
  }

  failed(error: DeliveryError): void {
    this.#call(error, null);
  }

  #call(error: DeliveryError | null, metadata: RecordMetadata | null): void {
    const about = error ?? metadata;
    try {
      const returned: unknown = this.#callback(error, metadata);
      // An async function is a callback too, as far as types go, and its rejection would end the process.
      if (returned instanceof Promise) returned.catch((thrown: unknown) => this.#log(thrown, about));
    } catch (thrown) {
      this.#log(thrown, about);
    }
  }

  #log(thrown: unknown, about: DeliveryError | RecordMetadata | null): void {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const context = about === null ? {} : { topic: about.topic, partition: about.partition };
    this.#logger.error(`the callback of a send failed: ${reason}`, context);
  }
}

/** Many records, told by one promise when the last of them is settled. */
export class CollectedDelivery implements Delivery {
  readonly promise: Promise<readonly RecordMetadata[]>;
  readonly #delivered: RecordMetadata[];
  /** The errors by position; `null` while all goes well. */
  #failed: Map<number, DeliveryError> | null = null;
  #openCount: number;
  #resolve: (metadata: readonly RecordMetadata[]) => void = unset;
  #reject: (error: SendBatchError) => void = unset;

  constructor(recordCount: number) {
    this.#openCount = recordCount;
    this.#delivered = new Array(recordCount);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (recordCount === 0) this.#resolve(this.#delivered);
  }

  delivered(metadata: RecordMetadata, position: number): void {
    this.#delivered[position] = metadata;
    this.#openCount -= 1;
    if (this.#openCount === 0) this.#finish();
  }

  failed(error: DeliveryError, position: number): void {
    this.#failed ??= new Map();
    this.#failed.set(position, error);
    this.#openCount -= 1;
    if (this.#openCount === 0) this.#finish();
  }

  #finish(): void {
    const [first, ...others] = this.#failed?.values() ?? [];
    if (first === undefined) {
      this.#resolve(this.#delivered);
      return;
    }
    const results: (RecordMetadata | DeliveryError)[] = [...this.#delivered];
    for (const [position, error] of this.#failed ?? []) results[position] = error;
    this.#reject(new SendBatchError(results, [first, ...others]));
  }
}

/** Stands in for the functions of a promise until its constructor has given them, which is at once. */
const unset = (): never => {
  throw new Error("settled before the promise was made");
};
