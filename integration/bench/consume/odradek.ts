import { setTimeout as sleep } from "node:timers/promises";
import { KafkaConsumer } from "odradek";
import type { Sink, StartConsumer } from "./sink.ts";

const pollMs = 1_000;

export const startOdradek: StartConsumer = ({ bootstrapServers, topic, groupId, style }, sink) => {
  const consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
  });
  consumer.subscribe([topic]);
  return style === "batch" ? poll(consumer, sink) : iterate(consumer, sink);
};

async function poll(consumer: KafkaConsumer, sink: Sink): Promise<never> {
  for (;;) {
    for (const { partition, offset, key, value } of await consumer.poll(pollMs)) {
      sink.take(partition, offset, key, value);
    }
  }
}

async function iterate(consumer: KafkaConsumer, sink: Sink): Promise<void> {
  const { handlerMs } = sink;
  for await (const { partition, offset, key, value } of consumer) {
    sink.take(partition, offset, key, value);
    if (handlerMs > 0) await sleep(handlerMs);
  }
}
