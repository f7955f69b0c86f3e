import { KafkaProducer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { Gssapi, systemKerberos } from "./gssapi-mechanism.ts";
import { ssl } from "./trust.ts";

/** Logs in by Kerberos, with the ticket that `kinit` got: `node dist/gssapi.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    ssl,
    sasl: { mechanism: new Gssapi(systemKerberos(process.env["KERBEROS_SERVICE_NAME"])) },
    valueSerializer: string,
  });
  const { partition, offset } = await producer.send({ topic, value: "by Kerberos" });
  console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
