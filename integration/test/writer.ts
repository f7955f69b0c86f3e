import { setTimeout as sleep } from "node:timers/promises";
import { type DeliveryError, KafkaProducer, type ProducerOptions, type RecordMetadata, string } from "odradek";
import { until } from "../cluster/readiness.ts";
import type { SentRecord } from "./judgement.ts";
import { measured } from "./round-trip.ts";

/** Between bursts. */
const betweenMs = 10;

const fates = { no: "absent", maybe: "either", yes: "present" } as const satisfies Record<
  DeliveryError["persisted"],
  SentRecord["fate"]
>;

interface Sending {
  readonly partition: number;
  readonly value: string;
  outcome: RecordMetadata | DeliveryError | null;
}

export interface WriterOptions {
  readonly name: string;
  readonly topic: string;
  readonly partitionCount: number;
  /** How many records are sent in one go. */
  readonly burst: number;
  readonly producer: Omit<ProducerOptions<Uint8Array | string, string>, "valueSerializer">;
}

/** Writes to each partition of a topic in turn, steadily, and keeps what became of each record. */
export class Writer implements AsyncDisposable {
  readonly #options: WriterOptions;
  readonly #producer: KafkaProducer<Uint8Array | string, string>;
  readonly #sent: Sending[] = [];
  readonly #work: Promise<void>;
  #isWanted: (count: number) => boolean = () => true;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#producer = new KafkaProducer({ ...options.producer, valueSerializer: string });
    this.#work = this.#write();
    // Told by whoever waits for it.
    this.#work.catch(() => {});
  }

  get count(): number {
    return this.#sent.length;
  }

  get failures(): DeliveryError[] {
    return this.#sent.map(({ outcome }) => outcome).filter((outcome) => outcome instanceof Error);
  }

  /** The value of a metric of the producer as a whole. */
  measured(name: string): number {
    return measured(this.#producer.metrics(), name);
  }

  /** Waits until each partition has a record that was sent from now on and acknowledged. */
  async flows(): Promise<void> {
    const first = this.#sent.length;
    await until(`${this.#options.name} gets records acknowledged`, async () => {
      const fresh = this.#sent.slice(first).filter(({ outcome }) => outcome !== null && !(outcome instanceof Error));
      const dry = this.#options.partitionCount - new Set(fresh.map(({ partition }) => partition)).size;
      return dry === 0 || `${dry} partitions have none from ${first} on, of ${this.#sent.length}`;
    });
  }

  /** Goes on until there are so many, waits for their outcomes, and closes the producer. */
  async finish(leastCount = 0): Promise<void> {
    this.#isWanted = (count) => count < leastCount;
    await this.#work;
    await this.#producer.close();
  }

  /** In the order of sending. */
  records(): SentRecord[] {
    return this.#sent.map(({ partition, value, outcome }) => {
      const sent = { writer: this.#options.name, partition, value };
      if (outcome === null) throw new Error(`nothing was told of ${value}`);
      if (outcome instanceof Error) return { ...sent, fate: fates[outcome.persisted] };
      return { ...sent, fate: "present", offset: outcome.offset };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWanted = () => false;
    await this.#producer.close({ timeoutMs: 0 });
  }

  async #write(): Promise<void> {
    while (this.#isWanted(this.#sent.length)) {
      for (let index = 0; index < this.#options.burst; index++) this.#send();
      await sleep(betweenMs);
    }
  }

  #send(): void {
    const { name, topic, partitionCount } = this.#options;
    const number = this.#sent.length;
    const sending: Sending = { partition: number % partitionCount, value: `${name}-${number}`, outcome: null };
    this.#sent.push(sending);
    this.#producer.send({ topic, partition: sending.partition, value: sending.value }, (error, metadata) => {
      sending.outcome = error ?? metadata;
    });
  }
}
