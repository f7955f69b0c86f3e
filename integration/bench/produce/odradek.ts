import { KafkaProducer } from "odradek";
import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

export async function odradekProducer(target: Target): Promise<PeerProducer> {
  const { bootstrapServers, topic, compression, lingerMs } = target;
  const linger = lingerMs === undefined ? {} : { lingerMs };
  const producer = new KafkaProducer({ bootstrapServers, acks: "all", compressionType: compression, ...linger });
  await producer.connect();
  return {
    send: ({ key, value }) => producer.send({ topic, key, value }),
    sendBatch: (payloads) => producer.sendBatch(payloads.map(({ key, value }) => ({ topic, key, value }))),
    close: () => producer.close(),
  };
}
