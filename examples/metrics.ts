import { KafkaConsumer, type Metric } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";

/** A metric as a line that Prometheus reads. */
function exposed({ group, name, tags, value }: Metric): string {
  const labels = Object.entries(tags).map(([tag, text]) => `${underscored(tag)}=${JSON.stringify(text)}`);
  return `kafka_${underscored(group)}_${underscored(name)}{${labels.join()}} ${value}`;
}

const underscored = (text: string) => text.replaceAll("-", "_");

/** Reads what is new to a group, and tells what it measured meanwhile: `node dist/metrics.js orders billing`. */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    clientId: groupId,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
  });
  consumer.subscribe([topic]);
  while (!isCaughtUp(consumer)) await consumer.poll(100);
  await consumer.commitSync();

  // As of now. A service does this for each request to its `/metrics`; nothing runs in between.
  for (const metric of consumer.metrics()) {
    // An average or a maximum of nothing.
    if (!Number.isNaN(metric.value)) console.log(exposed(metric));
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
