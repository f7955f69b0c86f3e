import { setTimeout as pause } from "node:timers/promises";
import { type ClientOptions, ClosedError, KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";

interface Read {
  readonly offset: bigint;
  readonly number: number;
}

/** Between records: many are under way in an outage, and brokers that start have the processor to themselves. */
const betweenMs = 5;

/**
 * A producer that writes numbers in turn to each partition of a topic, steadily, and a consumer that reads them, for as long
 * as nobody stops them.
 */
export class Traffic implements AsyncDisposable {
  readonly #partitionCount: number;
  readonly #producer: KafkaProducer<Uint8Array | string, string>;
  readonly #consumer: KafkaConsumer<Uint8Array, string>;
  readonly #sends: Promise<void>[] = [];
  readonly #acknowledged = new Set<number>();
  readonly #failures: unknown[] = [];
  /** By partition. */
  readonly #read: Read[][];
  readonly #work: Promise<unknown>;
  #isStopped = false;

  constructor(options: ClientOptions, topic: string, partitionCount: number) {
    this.#partitionCount = partitionCount;
    this.#producer = new KafkaProducer({ ...options, valueSerializer: string });
    this.#consumer = new KafkaConsumer({ ...options, autoOffsetReset: "earliest", valueDeserializer: string });
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
    this.#consumer.assign(partitions);
    this.#read = partitions.map(() => []);
    this.#work = Promise.all([this.#write(topic), this.#readAll()]);
    // Told by whoever waits for it.
    this.#work.catch(() => {});
  }

  /** Waits until each partition has a record that was sent from now on, acknowledged and read. */
  async flows(what: string): Promise<void> {
    const first = this.#sends.length;
    await until(`records flow: ${what}`, async () => {
      if (this.#isStopped) await this.#work;
      const dry = this.#read.findIndex(
        (read) => !read.some(({ number }) => number >= first && this.#acknowledged.has(number)),
      );
      return dry === -1 || `partition ${dry} has ${this.#read[dry]?.length} records, and none from ${first} on`;
    });
  }

  /** Stops, and holds that nothing failed, and that everything that was acknowledged was read once and in its order. */
  async settle(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#sends);
    const count = this.#sends.length;
    await until("all is read", async () => {
      const missing = count - new Set(this.#read.flat().map(({ number }) => number)).size;
      return missing === 0 || `${missing} are missing`;
    });
    await this[Symbol.asyncDispose]();
    await this.#work;
    expect(this.#failures).toEqual([]);
    expect(this.#acknowledged.size).toBe(count);
    for (const [partition, read] of this.#read.entries()) this.#check(partition, read, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#producer.close({ timeoutMs: 0 }), this.#consumer.close()]);
  }

  #check(partition: number, read: readonly Read[], count: number): void {
    const offsets = read.map(({ offset }) => offset);
    expect(offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? offset))).toBe(true);
    const sent = Array.from({ length: count }, (_, number) => number).filter(
      (number) => number % this.#partitionCount === partition,
    );
    expect(read.map(({ number }) => number)).toEqual(sent);
  }

  async #write(topic: string): Promise<void> {
    for (let number = 0; !this.#isStopped; number++) {
      const sent = this.#producer.send({ topic, partition: number % this.#partitionCount, value: `${number}` });
      this.#sends.push(
        sent.then(
          () => void this.#acknowledged.add(number),
          (error: unknown) => void this.#failures.push(error),
        ),
      );
      await pause(betweenMs);
    }
  }

  async #readAll(): Promise<void> {
    try {
      for await (const { partition, offset, value } of this.#consumer) {
        this.#read[partition]?.push({ offset, number: Number(value) });
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
  }
}
