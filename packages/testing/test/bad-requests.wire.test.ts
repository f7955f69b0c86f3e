import { once } from "node:events";
import { connect } from "node:net";
import { codeOf, decodeResponse } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KafkaCluster } from "../src/index.ts";
import { RawKafka } from "./behaviour/raw-kafka.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  cluster = await KafkaCluster.start();
});
afterAll(() => cluster.close());

/** A request whose header says so, and whose body is what is given; a client id of no bytes. */
function request(apiKey: number, apiVersion: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(apiVersion, 6);
  return Buffer.concat([head, body]);
}

/** What comes back until the broker closes the connection, or has said something. */
async function answerTo(bytes: Buffer): Promise<Buffer> {
  const [host = "", port = ""] = (cluster.bootstrapServers[0] ?? "").split(":");
  const socket = connect(Number(port), host);
  const said = new Promise<Buffer>((resolve) => {
    socket.once("data", resolve);
    socket.once("close", () => resolve(Buffer.alloc(0)));
  });
  socket.write(bytes);
  const answer = await said;
  socket.destroy();
  if (!socket.closed) await once(socket, "close");
  return answer;
}

test.each([
  ["of an API that there is not", request(999, 0)],
  ["of a version that there is not", request(3, 99)],
  ["that ends before it is whole", request(3, 1, Buffer.of(0, 0))],
  ["longer than any may be", Buffer.from("7fffffff", "hex")],
  ["in another language", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
])("a request %s closes the connection, and no other", async (_, bytes) => {
  const other = await RawKafka.connect(cluster.bootstrapServers);
  expect(await answerTo(bytes)).toHaveLength(0);
  expect((await other.topic()).name).not.toBe("");
  await other.close();
});

test("a version of ApiVersions that there is not is answered with those that there are", async () => {
  const answer = await answerTo(request(ApiVersions.key, 99));
  expect(decodeResponse(ApiVersions, 99, answer.subarray(4))).toMatchObject({
    errorCode: codeOf("UNSUPPORTED_VERSION"),
    apiKeys: [{ apiKey: ApiVersions.key, minVersion: 0, maxVersion: 4 }],
  });
});
