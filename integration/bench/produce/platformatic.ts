import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

/** It exists as an ES module only. */
export async function platformaticProducer(target: Target): Promise<PeerProducer> {
  const { ProduceAcks, Producer, stringSerializers } = await import("@platformatic/kafka");
  const { bootstrapServers, topic, compression } = target;
  const producer = new Producer({
    clientId: "bench",
    bootstrapBrokers: [...bootstrapServers],
    serializers: stringSerializers,
    ...(compression === "none" ? {} : { compression }),
  });
  // Without idempotence, each call that does not say so waits for the leader alone, whatever the constructor was told.
  const acks = ProduceAcks.ALL;
  return {
    send: ({ key, value }) => producer.send({ acks, messages: [{ topic, key, value }] }),
    sendBatch: (payloads) =>
      producer.send({ acks, messages: payloads.map(({ key, value }) => ({ topic, key, value })) }),
    close: () => producer.close(),
  };
}
