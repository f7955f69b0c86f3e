import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { KafkaProducer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { needed } from "./needed.ts";

/** Where an authority of one's own signed the brokers' certificates. Those of the web need only `ssl: true`. */
const trustOnly = () => ({ ca: readFileSync(needed("CA_FILE")) });

/**
 * Shows a certificate of one's own too, for brokers with `ssl.client.auth=required`. It is read for each connection, so that
 * one that was renewed on disk is that of the next connection, and the program goes on.
 */
const trustAndShow = async () => ({
  ca: await readFile(needed("CA_FILE")),
  cert: await readFile(needed("CERT_FILE")),
  key: await readFile(needed("KEY_FILE")),
  // Of a key that is encrypted.
  passphrase: process.env["KEY_PASSPHRASE"],
});

/** Sends a record over TLS, and prints where it went: `node dist/tls.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    ssl: process.env["CERT_FILE"] === undefined ? trustOnly() : trustAndShow,
    valueSerializer: string,
  });
  const { partition, offset } = await producer.send({ topic, value: "by TLS" });
  console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
