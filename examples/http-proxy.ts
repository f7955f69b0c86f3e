import { request } from "node:http";
import { KafkaProducer, type SocketFactory, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { needed } from "./needed.ts";
import { ssl } from "./trust.ts";

/** Opens the sockets to brokers through an HTTP proxy, which must allow CONNECT to their ports. */
const through =
  (proxy: URL): SocketFactory =>
  ({ host, port, signal }) =>
    new Promise((resolve, reject) => {
      const path = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path, signal, agent: false })
        .on("connect", ({ statusCode }, socket) => {
          if (statusCode === 200) resolve(socket);
          else reject(new Error(`the proxy ${proxy.host} answers CONNECT ${path} with status ${statusCode}`));
        })
        .on("error", reject)
        .end();
    });

/** Sends a record through a proxy, and prints where it went: `node dist/http-proxy.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    // TLS is spoken with the broker, not with the proxy, which sees nothing of it.
    ssl,
    socketFactory: through(new URL(needed("PROXY_URL"))),
    valueSerializer: string,
  });
  const { partition, offset } = await producer.send({ topic, value: "through a proxy" });
  console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
