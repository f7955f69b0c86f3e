import { type KafkaJsLibrary, silent } from "../kafkajs-library.ts";
import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

/** @returns `null` for what kafkajs has no codec for: all but gzip come from elsewhere */
export async function kafkaJsProducer(
  { Kafka, Partitioners }: KafkaJsLibrary,
  { bootstrapServers, topic, compression }: Target,
): Promise<PeerProducer | null> {
  if (compression !== "none") return null;
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: silent });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  return {
    send: ({ key, value }) => producer.send({ topic, acks: -1, messages: [{ key, value }] }),
    sendBatch: (payloads) =>
      producer.sendBatch({
        acks: -1,
        topicMessages: [{ topic, messages: payloads.map(({ key, value }) => ({ key, value })) }],
      }),
    close: () => producer.disconnect(),
  };
}
