import { json, KafkaConsumer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Reads what is new to a group in a loop, until nothing comes for two seconds: `node dist/for-await.js orders billing`. */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    keyDeserializer: string,
    valueDeserializer: json,
  });
  const nothingMore = new AbortController();
  let idle: NodeJS.Timeout | undefined;
  consumer.subscribe([topic], {
    onPartitionsAssigned: () => {
      idle ??= setTimeout(() => nothingMore.abort(), 2_000);
    },
  });

  // Commits by itself what the body is done with. The signal ends it behind the record that it is at; an error, or a `break`,
  // leaves that record to the next loop.
  for await (const { partition, offset, key, value } of consumer.records({ signal: nothingMore.signal })) {
    console.log(`${topic}-${partition} @ ${offset}:`, key, value);
    idle?.refresh();
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
