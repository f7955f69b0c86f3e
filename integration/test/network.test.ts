import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { promisify } from "node:util";
import {
  Deadline,
  leaderOf,
  NetworkClient,
  type NetworkOptions,
  OptionReader,
  resolveClientOptions,
  systemClock,
} from "@odradek/network";
import { codeOf, zeroUuid } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { expect, inject, onTestFinished, test } from "vitest";

const bootstrapServers = inject("bootstrapServers");

const clientOf = (servers: readonly string[] = bootstrapServers, more: Partial<NetworkOptions> = {}): NetworkClient => {
  const options = {
    ...resolveClientOptions(new OptionReader({ bootstrapServers: servers, clientId: "network-test" })),
    maxInFlightRequestsPerConnection: 5,
    allowAutoCreateTopics: false,
    ...more,
  };
  const client = new NetworkClient("consumer", options, systemClock);
  onTestFinished(() => client.close());
  return client;
};

const within = (timeoutMs: number) => new Deadline(systemClock, timeoutMs);

/** Asks the cluster for metadata, unless it was asked already. */
const learnCluster = (client: NetworkClient) =>
  client.awaitMetadata(within(30_000), "metadata", () =>
    client.metadata.snapshot.clusterId === null ? null : client.metadata.snapshot,
  );

let topics = 0;
const newName = (): string => `network-${process.pid}-${Date.now()}-${topics++}`;

const createTopic = async (client: NetworkClient, numPartitions = 3): Promise<string> => {
  const name = newName();
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] };
  const response = await client.request(
    CreateTopics,
    { topics: [topic] },
    { to: "controller", deadline: within(30_000) },
  );
  expect(response.topics).toMatchObject([{ name, errorCode: 0 }]);
  return name;
};

/** Waits until every partition of the topic has a leader that is known. */
const awaitTopic = (client: NetworkClient, name: string) => {
  client.metadata.add([name]);
  return client.awaitMetadata(within(30_000), `topic ${name}`, () => {
    const fatal = client.metadata.fatalErrorOf(name);
    if (fatal !== null) throw fatal;
    const topic = client.metadata.snapshot.topics.get(name);
    const isLed = topic?.partitions.every(
      ({ partition }) => leaderOf(client.metadata.snapshot, name, partition) !== null,
    );
    return topic !== undefined && isLed === true ? topic : null;
  });
};

test("a client learns the brokers, the controller and the id of the cluster", async () => {
  const client = clientOf();
  const { nodes, controllerId, clusterId } = await learnCluster(client);
  expect(nodes.size).toBe(3);
  for (const { id, host, port } of nodes.values()) {
    expect(id).toBeGreaterThanOrEqual(0);
    expect(host).not.toBe("");
    expect(port).toBeGreaterThan(0);
  }
  expect(nodes.has(controllerId ?? -1)).toBe(true);
  const described = await client.request(
    DescribeCluster,
    { includeClusterAuthorizedOperations: false },
    { to: "any", deadline: within(30_000) },
  );
  expect(described.clusterId).toBe(clusterId);
  expect(new Set(described.brokers.map(({ brokerId }) => brokerId))).toEqual(new Set(nodes.keys()));
});

test("every broker answers over each of its connections", async () => {
  const client = clientOf();
  const { nodes } = await learnCluster(client);
  const answers = [...nodes.keys()].flatMap((to) =>
    (["main", "fetch", "coordinator"] as const).map((purpose) =>
      client.request(
        DescribeCluster,
        { includeClusterAuthorizedOperations: false },
        { to, purpose, deadline: within(30_000) },
      ),
    ),
  );
  expect(new Set((await Promise.all(answers)).map(({ errorCode }) => errorCode))).toEqual(new Set([0]));
});

test("a topic that the controller was asked for is found with leaders, epochs and an id", async () => {
  const client = clientOf();
  const name = await createTopic(client, 6);
  const topic = await awaitTopic(client, name);
  expect(topic.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(topic.partitions.every(({ leaderEpoch }) => leaderEpoch >= 0)).toBe(true);
  expect(topic.id).not.toBe(zeroUuid);
  expect(client.metadata.snapshot.topicNames.get(topic.id)).toBe(name);
});

test("a dead bootstrap server among live ones does no harm", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  for (let i = 0; i < 5; i++) {
    const client = clientOf([`127.0.0.1:${port}`, ...bootstrapServers]);
    expect((await learnCluster(client)).nodes.size).toBe(3);
  }
});

test("a topic that does not exist has an error that may pass, and is not created by the question", async () => {
  const client = clientOf();
  const name = newName();
  client.metadata.add([name]);
  const found = client.awaitMetadata(
    within(1_000),
    `topic ${name}`,
    () => client.metadata.snapshot.topics.get(name) ?? null,
  );
  await expect(found).rejects.toMatchObject({
    name: "TimeoutError",
    message: `topic ${name}: no answer after 1000 ms`,
  });
  expect(client.metadata.snapshot.topicErrors.get(name)).toBe(codeOf("UNKNOWN_TOPIC_OR_PARTITION"));
  expect(client.metadata.fatalErrorOf(name)).toBeNull();
});

test("an invalid name is the error of that topic alone", async () => {
  const client = clientOf();
  const name = await createTopic(client);
  const invalid = "not a topic's name";
  client.metadata.add([invalid]);
  await expect(awaitTopic(client, invalid)).rejects.toMatchObject({
    code: "INVALID_TOPIC_EXCEPTION",
    retriable: false,
    message: expect.stringContaining(`topic ${invalid}: INVALID_TOPIC_EXCEPTION`),
  });
  expect((await awaitTopic(client, name)).partitions).toHaveLength(3);
});

test("a program that closes its client ends by itself", async () => {
  const program = `
    const { Deadline, NetworkClient, OptionReader, resolveClientOptions, systemClock } = require("@odradek/network");
    const given = new OptionReader({ bootstrapServers: ${JSON.stringify(bootstrapServers)} });
    const options = { ...resolveClientOptions(given), maxInFlightRequestsPerConnection: 5 };
    const client = new NetworkClient("consumer", options, systemClock);
    const { metadata } = client;
    client
      .awaitMetadata(new Deadline(systemClock, 30_000), "metadata", () => metadata.snapshot.clusterId)
      .then(() => client.close())
      .then(() => console.log(metadata.snapshot.nodes.size, process.getActiveResourcesInfo().join()));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
    cwd: new URL(".", import.meta.url).pathname,
    timeout: 60_000,
  });
  // What is printed to a pipe is written over it; nothing else is left.
  expect(stdout.trim()).toMatch(/^3 (?:PipeWrap,?)*$/);
});
