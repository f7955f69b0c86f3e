import type { PeerProducer } from "./load.ts";
import { confluentFolder } from "./native.ts";
import type { Target } from "./target.ts";

/** What of it is called here. It is not among the dependencies, so that it comes without types. */
interface Confluent {
  /** What librdkafka was built with. */
  readonly features: readonly string[];
  readonly KafkaJS: {
    readonly Kafka: new (options: object) => { producer(options: object): ConfluentProducer };
    readonly logLevel: { readonly NOTHING: number };
  };
}
interface ConfluentProducer {
  connect(): Promise<void>;
  send(batch: { readonly topic: string; readonly messages: readonly object[] }): Promise<unknown>;
  disconnect(): Promise<void>;
}

/** @returns `null` where it was built without the codec */
export async function confluentProducer({
  bootstrapServers,
  topic,
  compression,
}: Target): Promise<PeerProducer | null> {
  const { features, KafkaJS }: Confluent = require(confluentFolder);
  if (compression !== "none" && !features.includes(compression)) return null;
  const kafka = new KafkaJS.Kafka({
    kafkaJS: { brokers: bootstrapServers, logLevel: KafkaJS.logLevel.NOTHING },
  });
  const producer = kafka.producer({ kafkaJS: { acks: -1, compression } });
  await producer.connect();
  return {
    send: ({ key, value }) => producer.send({ topic, messages: [{ key, value }] }),
    sendBatch: (payloads) => producer.send({ topic, messages: payloads.map(({ key, value }) => ({ key, value })) }),
    close: () => producer.disconnect(),
  };
}
