import { KafkaError, KafkaProducer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { needed } from "./needed.ts";
import { ssl } from "./trust.ts";

/** Logs in with a name and a password: `node dist/sasl-scram.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    ssl,
    // The broker gets a proof of the password, and not the password. PLAIN, which sends it, looks the same.
    sasl: { mechanism: "SCRAM-SHA-512", username: needed("KAFKA_USERNAME"), password: needed("KAFKA_PASSWORD") },
    valueSerializer: string,
  });
  const { partition, offset } = await producer.send({ topic, value: "by SCRAM" });
  console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  // A wrong password, or a broker that is not who it should be: trying again does not mend it, and so no client does.
  console.error(error instanceof KafkaError && error.code === "AUTHENTICATION" ? error.message : error);
  process.exitCode = 1;
});
