import type { Header } from "@odradek/network";
import { type DeliveryError, SendAllError } from "./delivery-error.ts";
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

/** One record, told by a callback. What the callback throws is for the process to know, and stops nobody here. */
export class CallbackDelivery implements Delivery {
  readonly #callback: SendCallback;

  constructor(callback: SendCallback) {
    this.#callback = callback;
  }

  delivered(metadata: RecordMetadata): void {
    this.#call(null, metadata);
  }

  failed(error: DeliveryError): void {
    this.#call(error, null);
  }

  #call(error: DeliveryError | null, metadata: RecordMetadata | null): void {
    try {
      this.#callback(error, metadata);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}

/** Many records, told by one promise when the last of them is settled. */
export class CollectedDelivery implements Delivery {
  readonly promise: Promise<readonly RecordMetadata[]>;
  readonly #delivered: RecordMetadata[];
  /** The errors by position; empty where all goes well. */
  readonly #failed = new Map<number, DeliveryError>();
  #openCount: number;
  #resolve: (metadata: readonly RecordMetadata[]) => void = unset;
  #reject: (error: SendAllError) => void = unset;

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
    this.#failed.set(position, error);
    this.#openCount -= 1;
    if (this.#openCount === 0) this.#finish();
  }

  #finish(): void {
    const [first, ...others] = this.#failed.values();
    if (first === undefined) {
      this.#resolve(this.#delivered);
      return;
    }
    const results: (RecordMetadata | DeliveryError)[] = [...this.#delivered];
    for (const [position, error] of this.#failed) results[position] = error;
    this.#reject(new SendAllError(results, [first, ...others]));
  }
}

/** Stands in for the functions of a promise until its constructor has given them, which is at once. */
const unset = (): never => {
  throw new Error("settled before the promise was made");
};
