import { Kafka, logLevel, Partitioners } from "kafkajs";
import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

/** @returns `null` for what it has no codec for: all but gzip come from elsewhere */
export async function kafkaJsProducer({ bootstrapServers, topic, compression }: Target): Promise<PeerProducer | null> {
  if (compression !== "none") return null;
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  return {
    send: ({ key, value }) => producer.send({ topic, acks: -1, messages: [{ key, value }] }),
    sendBatch: (payloads) =>
      producer.send({ topic, acks: -1, messages: payloads.map(({ key, value }) => ({ key, value })) }),
    close: () => producer.disconnect(),
  };
}
