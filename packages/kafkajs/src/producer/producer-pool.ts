import { KafkaProducer, type ProducerOptions } from "odradek";
import type { Delivery } from "./producer-config.ts";

/**
 * The producers of the layer below that stand behind one of kafkajs: there, `acks` and compression are the producer's, and here each
 * send says them. There is one for each pair that is in use, with connections of its own.
 */
export class ProducerPool {
  readonly #options: ProducerOptions;
  readonly #open = new Map<string, KafkaProducer>();

  /** @param options what they have in common */
  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  producerFor({ acks, compressionType }: Delivery): KafkaProducer {
    const key = `${acks}/${compressionType}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const { enableIdempotence = false } = this.#options;
    const producer = new KafkaProducer({ ...this.#options, enableIdempotence, acks, compressionType });
    this.#open.set(key, producer);
    return producer;
  }

  /** Delivers what was sent, and closes all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((producer) => producer.close()));
  }
}
