import { type DeliveryError, KafkaProducer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/**
 * Sends readings without waiting for each: `node dist/callback.js readings 1000`.
 *
 * A callback costs less than a promise, and unlike a promise that nobody looks at, its error does not end the process: this is the way to
 * fire and forget.
 *
 * What it does not give is back-pressure: nothing here waits for a slow broker, and what does not fit `bufferMemory` is kept besides it.
 * Where there is no end to the records, keep count of those under way, or await a `flush` now and then.
 */
async function main(topic = "readings", count = "1000"): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: string });

  let delivered = 0;
  const lost = new Map<string, number>();
  const settle = (error: DeliveryError | null) => {
    if (error === null) delivered += 1;
    // With "maybe" the record could be in the topic all the same: whoever sends it again may have it twice.
    else lost.set(`${error.code}, ${error.persisted}`, (lost.get(`${error.code}, ${error.persisted}`) ?? 0) + 1);
  };
  for (let index = 0; index < Number(count); index++) {
    producer.send({ topic, key: `sensor-${index % 10}`, value: `${20 + (index % 7)}` }, settle);
  }

  // Every callback was called by then.
  await producer.flush();
  console.log(`${delivered} delivered, lost: ${JSON.stringify(Object.fromEntries(lost))}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
