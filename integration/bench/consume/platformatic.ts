import { setTimeout as sleep } from "node:timers/promises";
import type { Sink, Source, StartConsumer } from "./sink.ts";

/** Longer than a turn. Told to commit nothing at all, it would make a function for each record, with which to commit it. */
const commitIntervalMs = 3_600_000;

/** It exists as an ES module only. */
export async function loadPlatformatic(): Promise<StartConsumer> {
  const { Consumer, MessagesStreamModes } = await import("@platformatic/kafka");
  const consume = async ({ bootstrapServers, topic, groupId, style }: Source, sink: Sink): Promise<void> => {
    const { handlerMs } = sink;
    const consumer = new Consumer({ clientId: "bench", groupId, bootstrapBrokers: [...bootstrapServers] });
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: commitIntervalMs,
    });
    if (style === "batch") {
      stream.on("data", ({ partition, offset, key, value }) => sink.take(partition, offset, key, value));
      await new Promise((_, reject) => stream.on("error", reject));
    } else {
      for await (const { partition, offset, key, value } of stream) {
        sink.take(partition, offset, key, value);
        if (handlerMs > 0) await sleep(handlerMs);
      }
    }
  };
  return consume;
}
