import { setTimeout as sleep } from "node:timers/promises";
import { type KafkaJsLibrary, silent } from "../kafkajs-library.ts";
import type { Sink, Source, StartConsumer } from "./sink.ts";

/** kafkajs has no codec: all but gzip come from elsewhere. */
export const startKafkaJs =
  (library: KafkaJsLibrary): StartConsumer =>
  (source, sink) =>
    source.compression === "none" ? consume(library, source, sink) : null;

async function consume(
  { Kafka }: KafkaJsLibrary,
  { bootstrapServers, topic, groupId, style }: Source,
  sink: Sink,
): Promise<void> {
  const { handlerMs } = sink;
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: silent });
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  if (style === "batch") {
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const { offset, key, value } of messages) sink.take(partition, offset, key, value);
      },
    });
  } else {
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message: { offset, key, value } }) => {
        sink.take(partition, offset, key, value);
        if (handlerMs > 0) await sleep(handlerMs);
      },
    });
  }
}
