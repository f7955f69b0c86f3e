import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KafkaCluster } from "@odradek/testing";
import { afterAll, expect, test } from "vitest";
import { issueCertificates } from "../cluster/security/certificates.ts";
import { runIn } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "odradek-secure-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { ca, broker, client } = issueCertificates();

/** Puts something where a program can read it. */
function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const topics = { orders: {} };
const written = /^orders-0 @ 0\n$/;

test("the example about TLS trusts an authority of one's own, and shows a certificate", async () => {
  const tls = { ...broker, ca, requestCert: true, rejectUnauthorized: true };
  await using cluster = await KafkaCluster.start({ topics, tls });
  const trusting = { BOOTSTRAP_SERVERS: cluster.bootstrapServers.join(), CA_FILE: file("ca.pem", ca) };
  const showing = { ...trusting, CERT_FILE: file("client.pem", client.cert), KEY_FILE: file("client.key", client.key) };
  expect(await runIn(showing, "examples/dist/tls.js", "orders")).toMatch(written);
  await expect(runIn(trusting, "examples/dist/tls.js", "orders")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("certificate"),
  });
});

test("the example about SCRAM logs in, and tells of a wrong password without showing it", async () => {
  await using cluster = await KafkaCluster.start({ topics, tls: broker, sasl: { users: { alice: "alice-secret" } } });
  const environment = {
    BOOTSTRAP_SERVERS: cluster.bootstrapServers.join(),
    CA_FILE: file("ca.pem", ca),
    KAFKA_USERNAME: "alice",
  };
  const login = (password: string) =>
    runIn({ ...environment, KAFKA_PASSWORD: password }, "examples/dist/sasl-scram.js", "orders");
  expect(await login("alice-secret")).toMatch(written);
  await expect(login("hunter2")).rejects.toMatchObject({ code: 1, stderr: expect.not.stringContaining("hunter2") });
});
