import { setTimeout as sleep } from "node:timers/promises";
import { loadConfluent } from "../native.ts";
import type { Sink, Source, StartConsumer } from "./sink.ts";

const { features, KafkaJS } = loadConfluent();

/** It cannot decompress what it was built without. */
export const startConfluent: StartConsumer = (source, sink) =>
  source.compression === "none" || features.includes(source.compression) ? consume(source, sink) : null;

async function consume({ bootstrapServers, topic, groupId, style }: Source, sink: Sink): Promise<void> {
  const { handlerMs } = sink;
  const kafka = new KafkaJS.Kafka({ kafkaJS: { brokers: bootstrapServers, logLevel: KafkaJS.logLevel.NOTHING } });
  const consumer = kafka.consumer({ kafkaJS: { groupId, fromBeginning: true, autoCommit: false } });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  if (style === "batch") {
    await consumer.run({
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const { offset, key, value } of messages) sink.take(partition, offset, key, value);
      },
    });
  } else {
    await consumer.run({
      eachMessage: async ({ partition, message: { offset, key, value } }) => {
        sink.take(partition, offset, key, value);
        if (handlerMs > 0) await sleep(handlerMs);
      },
    });
  }
}
