import { inspect } from "node:util";
import type { ClientOptions } from "odradek";
import { KafkaAdmin, KafkaConsumer, KafkaProducer } from "odradek";
import { expect, test } from "vitest";
import { ScriptedPeer } from "../../network/test/scripted-peer.ts";
import { Authority } from "../../network/test/security/certificates.ts";

const secret = "secret-4711";
const { key, cert } = new Authority().issue({ passphrase: secret });
const pieces = [
  secret,
  Buffer.from(secret)
    .toString("hex")
    .replace(/..(?=.)/g, "$& "),
  Buffer.from(`\0alice\0${secret}`).toString("base64"),
  ...key.split("\n").slice(1, 4),
];

const everything = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null };

const logins: readonly (readonly [string, Pick<ClientOptions, "sasl" | "ssl">])[] = [
  ["PLAIN", { sasl: { mechanism: "PLAIN", username: "alice", password: secret } }],
  ["SCRAM-SHA-512", { sasl: { mechanism: "SCRAM-SHA-512", username: "alice", password: secret } }],
  [
    "a client's secret",
    {
      sasl: {
        mechanism: "OAUTHBEARER",
        tokenEndpointUrl: "http://127.0.0.1:9/token",
        clientId: "alice",
        clientSecret: secret,
      },
    },
  ],
  ["a key and its passphrase", { ssl: { key, cert, passphrase: secret } }],
];

const clients = [KafkaProducer, KafkaConsumer, KafkaAdmin];

test.each(logins.flatMap(([what, login]) => clients.map((Client) => [Client.name, what, Client, login] as const)))(
  "a %s that was given %s shows it neither before it is used, nor while, nor behind",
  async (_name, _what, Client, login) => {
    // It takes the connection, and never says who it is.
    const peer = await ScriptedPeer.listen((connection) => connection.closed);
    const bootstrapServers = [`${peer.address.host}:${peer.address.port}`];
    const client = new Client({ bootstrapServers, ...login });
    const shown = [inspect(client, everything)];
    const connecting = client.connect().catch((error: unknown) => shown.push(inspect(error, everything)));
    await new Promise((resolve) => setImmediate(resolve));
    shown.push(inspect(client, everything), inspect(client.metrics(), everything), JSON.stringify(client) ?? "");
    await client.close({ timeoutMs: 0 });
    await connecting;
    shown.push(inspect(client, everything));
    expect(shown.length).toBeGreaterThanOrEqual(5);
    for (const text of shown) for (const piece of pieces) expect(text).not.toContain(piece);
  },
);

test("the search finds what is there", () => {
  expect(inspect({ hidden: [Buffer.from(secret)] }, everything)).toContain(pieces[1]);
});
