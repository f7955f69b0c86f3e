import { readFile } from "node:fs/promises";
import { KafkaProducer, type SaslOptions, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { needed } from "./needed.ts";
import { ssl } from "./trust.ts";

/** Tokens from an identity provider, which the client asks again before they expire. */
const fromEndpoint = (): SaslOptions => ({
  mechanism: "OAUTHBEARER",
  tokenEndpointUrl: needed("TOKEN_ENDPOINT_URL"),
  clientId: needed("CLIENT_ID"),
  clientSecret: needed("CLIENT_SECRET"),
});

/** Tokens from anywhere else, such as the file in which Kubernetes keeps the one of a service account fresh. */
const fromFile = (): SaslOptions => ({
  mechanism: "OAUTHBEARER",
  token: async () => {
    const value = (await readFile(needed("TOKEN_FILE"), "utf8")).trim();
    // A JSON Web Token says in its middle when it expires, in seconds.
    const [, claims = ""] = value.split(".");
    const { exp }: { readonly exp: number } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return { value, expiresAtMs: exp * 1_000 };
  },
});

/** Logs in with tokens: `node dist/oauth.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    ssl,
    sasl: process.env["TOKEN_FILE"] === undefined ? fromEndpoint() : fromFile(),
    valueSerializer: string,
  });
  const { partition, offset } = await producer.send({ topic, value: "by OAuth" });
  console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
