import { loadConfluent } from "../native.ts";
import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

/** @returns `null` where it was built without the codec */
export async function confluentProducer({
  bootstrapServers,
  topic,
  compression,
  lingerMs,
}: Target): Promise<PeerProducer | null> {
  const { features, KafkaJS } = loadConfluent();
  if (compression !== "none" && !features.includes(compression)) return null;
  const kafka = new KafkaJS.Kafka({
    kafkaJS: { brokers: bootstrapServers, logLevel: KafkaJS.logLevel.NOTHING },
  });
  const linger = lingerMs === undefined ? {} : { "linger.ms": lingerMs };
  const producer = kafka.producer({ kafkaJS: { acks: -1, compression }, ...linger });
  await producer.connect();
  return {
    send: ({ key, value }) => producer.send({ topic, messages: [{ key, value }] }),
    sendBatch: (payloads) => producer.send({ topic, messages: payloads.map(({ key, value }) => ({ key, value })) }),
    close: () => producer.disconnect(),
  };
}
