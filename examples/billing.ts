import { json, KafkaConsumer, KafkaProducer, string } from "odradek";

interface Order {
  readonly total: number;
}

const isOrder = (value: unknown): value is Order =>
  typeof value === "object" && value !== null && "total" in value && typeof value.total === "number";

/** A service: for each order an invoice, until it is closed. `test/billing.test.ts` shows how one tests it. */
export class Billing implements AsyncDisposable {
  readonly #producer: KafkaProducer<string, unknown>;
  readonly #consumer: KafkaConsumer<string, unknown>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(bootstrapServers: readonly string[]) {
    this.#producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: json });
    this.#consumer = new KafkaConsumer({
      bootstrapServers,
      groupId: "billing",
      autoOffsetReset: "earliest",
      keyDeserializer: string,
      valueDeserializer: json,
    });
    this.#consumer.subscribe(["orders"]);
    this.#running = this.#run();
  }

  /** Finishes the order that it is at, and commits it. @throws what ended the service before */
  async close(): Promise<void> {
    this.#stop.abort();
    try {
      await this.#running;
    } finally {
      await this.#consumer.close();
      await this.#producer.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    for await (const { key, value } of this.#consumer.records({ signal: this.#stop.signal })) {
      if (!isOrder(value)) continue;
      await this.#producer.send({ topic: "invoices", key, value: { due: value.total } });
    }
  }
}
