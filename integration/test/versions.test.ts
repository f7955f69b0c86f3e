import { Fetch } from "@odradek/protocol/messages/fetch";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { expect, test } from "vitest";
import { type ClusterOptions, startCluster } from "../cluster/cluster.ts";
import { ask, Wire } from "../cluster/wire.ts";

/** What each release of Kafka answers to ApiVersions, read from that release. */
const releases: readonly (ClusterOptions & { readonly ranges: Readonly<Record<string, readonly [number, number]>> })[] =
  [
    {
      version: "3.9.2",
      brokers: 3,
      ranges: { Produce: [0, 11], Fetch: [0, 17], Metadata: [0, 12], JoinGroup: [0, 9] },
    },
    {
      version: "2.8.2",
      brokers: 1,
      ranges: { Produce: [0, 9], Fetch: [0, 12], Metadata: [0, 11], JoinGroup: [0, 7] },
    },
    {
      version: "2.1.1",
      brokers: 1,
      ranges: { Produce: [0, 7], Fetch: [0, 10], Metadata: [0, 7], JoinGroup: [0, 3] },
    },
  ];

test.each(releases)(
  "Kafka $version starts, says what it supports, and takes a topic",
  async ({ ranges, ...options }) => {
    await using cluster = await startCluster(options);
    expect(cluster.version).toBe(options.version);
    const [broker] = cluster.brokers;
    using wire = await Wire.open(broker!);
    for (const api of [Produce, Fetch, Metadata, JoinGroup]) {
      const { minVersion, maxVersion } = wire.versions.get(api.key)!;
      expect([api.name, minVersion, maxVersion]).toEqual([api.name, ...ranges[api.name]!]);
    }
    await cluster.createTopic({ name: "orders", partitions: 2 });
    const { topics } = await ask(broker!, Metadata, { topics: [{ name: "orders" }], allowAutoTopicCreation: false });
    expect(topics[0]?.partitions.map(({ isrNodes }) => isrNodes.length)).toEqual([options.brokers, options.brokers]);
  },
);

test("a secure cluster of an old release is refused with the releases that can be secure", async () => {
  await expect(startCluster({ version: "2.8.2", secure: true })).rejects.toThrow(
    "a secure cluster needs Kafka 3.9.2 or 4.3.1, not 2.8.2",
  );
});
