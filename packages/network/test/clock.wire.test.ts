import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../src/clock.ts";

/** The two ends of a connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server has a port");
  const client = connect(address.port, "127.0.0.1");
  const [[peer]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
  onTestFinished(() => {
    client.destroy();
    peer.destroy();
    server.close();
  });
  return [client, peer];
}

/** Keeps the process from everything else. */
function work(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

test("a timer that was held up lets what came meanwhile be read first", async () => {
  const [client, peer] = await pair();
  const happened: string[] = [];
  client.on("data", () => happened.push("data"));
  const rung = new Promise<void>((resolve) => {
    systemClock.after(10, () => {
      happened.push("timer");
      resolve();
    });
  });
  peer.write("in time");
  work(100);
  await rung;
  expect(happened).toEqual(["data", "timer"]);
});

test("a timer that was held up can still be called off by what came meanwhile", async () => {
  const [client, peer] = await pair();
  let hasRung = false;
  const timer = systemClock.after(10, () => {
    hasRung = true;
  });
  const read = once(client, "data").then(() => timer.cancel());
  peer.write("in time");
  work(100);
  await read;
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasRung).toBe(false);
});
