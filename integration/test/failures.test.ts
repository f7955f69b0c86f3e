import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { ClientOptions } from "odradek";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Broker, type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { newName } from "./opened.ts";
import { restoreLeaders } from "./partitions.ts";
import { Traffic } from "./traffic.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  // The others take over from a broker that is silent for this long.
  cluster = await startCluster({ own: true, properties: { "broker.session.timeout.ms": "3000" } });
});
afterAll(() => cluster?.stop());

/** Less than brokers are away, so that requests time out; much less than a delivery may take. */
const optionsOf = (bootstrapServers: readonly string[]): ClientOptions => ({
  bootstrapServers,
  requestTimeoutMs: 2_000,
  reconnectBackoffMaxMs: 500,
});

/** One partition for each broker to lead. */
const replicas = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
];

async function newTopic(): Promise<string> {
  const topic = newName();
  await cluster.createTopic({ name: topic, replicas });
  return topic;
}

const program = `
  const { KafkaConsumer, KafkaProducer } = require("odradek");
  const { createInterface } = require("node:readline");
  const { topic, ...options } = JSON.parse(process.argv[1]);
  const producer = new KafkaProducer(options);
  const consumer = new KafkaConsumer({ ...options, autoOffsetReset: "latest" });
  consumer.assign([0, 1, 2].map((partition) => ({ topic, partition })));
  let sent = 0;
  const traffic = setInterval(() => producer.send({ topic, partition: sent++ % 3, value: "from a child" }).catch(() => {}), 5);
  const seen = new Set();
  const reading = (async () => {
    for await (const { partition } of consumer) if (seen.size < 3 && seen.add(partition).size === 3) console.log("it flows");
  })();
  const lines = createInterface(process.stdin);
  lines.once("line", async () => {
    lines.close();
    process.stdin.destroy();
    clearInterval(traffic);
    await Promise.all([producer.close({ timeoutMs: 500 }), consumer.close(), reading.catch(() => {})]);
    console.log("closed", process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap").join());
  });
`;

/** A program with traffic of its own, which closes its clients when it is told to. */
class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(topic: string) {
    const options = JSON.stringify({ ...optionsOf(cluster.bootstrapServers), topic });
    const { pathname: cwd } = new URL(".", import.meta.url);
    this.#process = spawn(process.execPath, ["-e", program, options], { cwd, stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#process.stdout!)[Symbol.asyncIterator]();
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  static async inTraffic(): Promise<Child> {
    const child = new Child(await newTopic());
    expect((await child.#lines.next()).value).toBe("it flows");
    return child;
  }

  /** Holds that nothing is left when the clients are closed: no socket, no timer, and no reason to stay. */
  async close(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.stdin?.write("close\n");
    expect((await this.#lines.next()).value).toBe("closed ");
    expect(await exited).toEqual([0, null]);
  }
}

const harms: readonly (readonly [
  how: string,
  harm: (broker: Broker) => Promise<void>,
  mend: (broker: Broker) => Promise<void>,
])[] = [
  ["is killed, and starts again", (broker) => broker.kill(), (broker) => broker.restart()],
  ["is silent for a while", (broker) => broker.pause(), (broker) => broker.resume()],
  ["stops in order, and starts again", (broker) => broker.stop(), (broker) => broker.restart()],
];

test.each(harms)(
  "traffic goes on, and no record is lost or there twice, while a broker %s",
  async (how, harm, mend) => {
    // Each harm for another broker; every harm for each of them is chaos.test.ts.
    const broker = cluster.brokers[harms.findIndex(([each]) => each === how)]!;
    const topic = await newTopic();
    await using traffic = new Traffic(optionsOf(cluster.bootstrapServers), topic, replicas.length);
    await traffic.flows("at first");
    const child = await Child.inTraffic();
    await harm(broker);
    await child.close();
    await traffic.flows("without the broker");
    await mend(broker);
    await restoreLeaders(cluster.brokers, topic);
    await traffic.flows("with the broker");
    await traffic.settle();
  },
);

test("traffic comes back by itself after all brokers were killed and are there again", async () => {
  const topic = await newTopic();
  await using traffic = new Traffic(optionsOf(cluster.bootstrapServers), topic, replicas.length);
  await traffic.flows("at first");
  const child = await Child.inTraffic();
  await Promise.all(cluster.brokers.map((broker) => broker.kill()));
  await child.close();
  await Promise.all(cluster.brokers.map((broker) => broker.restart()));
  await restoreLeaders(cluster.brokers, topic);
  await traffic.flows("with all brokers");
  await traffic.settle();
});

/** A port where nobody listens. */
async function deadServer(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a server has a port");
  return `127.0.0.1:${address.port}`;
}

test("while a broker is dead, one bootstrap server that lives is enough, and clients that know the others need none", async () => {
  const [first, , third] = cluster.brokers;
  const topic = await newTopic();
  const [byFirst, , byThird] = cluster.bootstrapServers;
  await using acquainted = new Traffic(optionsOf([byFirst!]), topic, replicas.length);
  await acquainted.flows("by the first broker");
  await first!.kill();
  try {
    await acquainted.flows("without its only bootstrap server");
    const another = newName();
    await cluster.createTopic({ name: another, replicas: [[third!.id, 2]] });
    await using late = new Traffic(optionsOf([await deadServer(), byFirst!, byThird!]), another, 1);
    await late.flows("by the last bootstrap server");
    await late.settle();
  } finally {
    await first!.restart();
  }
  await restoreLeaders(cluster.brokers, topic);
  await acquainted.flows("with all brokers");
  await acquainted.settle();
});
