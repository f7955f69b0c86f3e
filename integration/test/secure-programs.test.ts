import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, pipeline } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startCluster } from "../cluster/cluster.ts";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import type { ClientListener } from "../cluster/listeners.ts";
import type { ClusterSecurity } from "../cluster/security/security.ts";

const examples = fileURLToPath(new URL("../../examples/dist/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "odradek-secure-programs-"));
const topic = "orders";

let cluster: KafkaCluster;
let security: ClusterSecurity;

beforeAll(async () => {
  cluster = await startCluster({ secure: true, brokers: 1 });
  if (cluster.security === undefined) throw new Error("the cluster is not secure");
  security = cluster.security;
  await cluster.createTopic({ name: topic, replicas: [[1]] });
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true });
});

/** Puts something where a program can read it. */
function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

type Environment = Readonly<Record<string, string>>;

/** Runs a compiled program as a user would. It must end by itself: a program that hangs is ended and fails. */
async function run(program: string, listener: ClientListener, environment: Environment): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(examples, program), topic], {
    env: {
      ...process.env,
      BOOTSTRAP_SERVERS: cluster.bootstrapServersOf(listener).join(","),
      CA_FILE: file("ca.pem", security.certificates.ca),
      ...environment,
    },
    timeout: 60_000,
  });
  return stdout;
}

const written = /^orders-0 @ \d+\n$/;

describe("the examples about security", () => {
  test("trust an authority of one's own", async () => {
    expect(await run("tls.js", "SSL", {})).toMatch(written);
  });

  test("show a certificate, also one whose key is encrypted", async () => {
    const { client, encryptedClient } = security.certificates;
    for (const { key, cert, passphrase } of [{ ...client, passphrase: "" }, encryptedClient]) {
      const environment = {
        CERT_FILE: file("client.pem", cert),
        KEY_FILE: file("client.key", key),
        ...(passphrase === "" ? {} : { KEY_PASSPHRASE: passphrase }),
      };
      expect(await run("tls.js", "MTLS", environment)).toMatch(written);
    }
  });

  test("log in with a password, and tell a wrong one from other errors without showing it", async () => {
    const environment = { KAFKA_USERNAME: "alice", KAFKA_PASSWORD: security.passwords.alice };
    expect(await run("sasl-scram.js", "SASL_SSL", environment)).toMatch(written);
    const failure: { readonly stderr: string } = await run("sasl-scram.js", "SASL_SSL", {
      ...environment,
      KAFKA_PASSWORD: "hunter2",
    }).then(
      () => ({ stderr: "it was let in" }),
      (error: { readonly stderr: string }) => error,
    );
    expect(failure.stderr).toMatch(/SCRAM-SHA-512 authentication with [\w.:]+: .*\n$/);
    expect(failure.stderr.trim().split("\n")).toHaveLength(1);
    expect(failure.stderr).not.toContain("hunter2");
  });

  test("log in with tokens from an endpoint, and from a file", async () => {
    const fromEndpoint = {
      CA_FILE: "none",
      TOKEN_ENDPOINT_URL: security.tokens.endpointUrl,
      CLIENT_ID: "alice",
      CLIENT_SECRET: security.passwords.alice,
    };
    expect(await run("oauth.js", "OAUTH", fromEndpoint)).toMatch(written);
    const fromFile = { TOKEN_FILE: file("token", security.tokens.unsecuredToken("alice").value) };
    expect(await run("oauth.js", "SASL_SSL", fromFile)).toMatch(written);
  });

  test("go through a proxy, with TLS to the broker behind it", async () => {
    const asked: string[] = [];
    const proxy = createServer().on("connect", ({ url = "" }: IncomingMessage, client: Duplex) => {
      asked.push(url);
      const { hostname, port } = new URL(`http://${url}`);
      const broker = connect(Number(port), hostname, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        pipeline(client, broker, client, () => {});
      });
      broker.on("error", () => client.destroy());
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void proxy.close());
    const address = proxy.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const environment = { PROXY_URL: `http://127.0.0.1:${port}` };
    expect(await run("http-proxy.js", "SSL", environment)).toMatch(written);
    expect(new Set(asked)).toEqual(new Set(cluster.bootstrapServersOf("SSL")));
  });
});
