import { KafkaAdmin } from "odradek";
import { afterAll, expect, test } from "vitest";
import { becomes } from "./becomes.ts";
import { clusterTool } from "./java-tool.ts";
import { newName } from "./opened.ts";
import { endpoint, StreamsMember } from "./streams-member.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

const codesOf = (results: Iterable<{ readonly error: { readonly code: string } | null }>) =>
  [...results].map(({ error }) => error?.code);

test("a streams group is described with its topology and its member, has offsets, and is deleted", async () => {
  const [topic, groupId] = [await newTopic(2), newName()];
  expect(codesOf(await admin.describeStreamsGroups([groupId]))).toEqual(["GROUP_ID_NOT_FOUND"]);
  await using member = await StreamsMember.join(groupId, topic, 2);
  const described = async () => (await admin.describeStreamsGroups([groupId])).orThrow()[0];
  await becomes("state of the group", async () => (await described())?.state, "Stable");
  const group = await described();
  expect(group).toMatchObject({ groupId, type: "Streams", topologyEpoch: 0, authorizedOperations: null });
  expect(group?.subtopologies).toEqual([
    {
      subtopologyId: "counts",
      sourceTopics: [topic],
      repartitionSinkTopics: [],
      stateChangelogTopics: [
        {
          topic: `${groupId}-store-changelog`,
          numPartitions: 2,
          replicationFactor: 1,
          configs: { "cleanup.policy": "compact" },
        },
      ],
      repartitionSourceTopics: [],
    },
  ]);
  const [first, ...others] = group?.members ?? [];
  expect(others).toEqual([]);
  expect(first).toMatchObject({ memberId: member.memberId, userEndpoint: endpoint, clientTags: { zone: "a" } });
  expect(first?.assignment.activeTasks).toEqual([{ subtopologyId: "counts", partitions: [0, 1] }]);

  const command = "org.apache.kafka.tools.streams.StreamsGroupCommand";
  const lines = await clusterTool(bootstrapServers, command, "--group", groupId, "--describe", "--members");
  expect(lines.some((line) => line.startsWith(groupId) && line.includes(member.memberId))).toBe(true);

  expect(codesOf(await admin.deleteStreamsGroups([groupId]))).toEqual(["NON_EMPTY_GROUP"]);
  await member.leave();
  await becomes("state of the group", async () => (await described())?.state, "Empty");
  const at = [0, 1].map((partition) => ({ topic, partition }));
  const altered = await admin.alterStreamsGroupOffsets(
    groupId,
    at.map((one) => ({ ...one, offset: 5 })),
  );
  expect(altered.orThrow()).toEqual(at);
  (await admin.deleteStreamsGroupOffsets(groupId, at.slice(1))).orThrow();
  const [offsets = []] = (await admin.listStreamsGroupOffsets([groupId])).orThrow();
  expect(offsets.map(({ partition, offset }) => [partition, offset])).toEqual([[0, 5n]]);
  const unknown = newName();
  expect(codesOf(await admin.deleteStreamsGroups([groupId, unknown]))).toEqual([undefined, "GROUP_ID_NOT_FOUND"]);
  expect(codesOf(await admin.describeStreamsGroups([groupId]))).toEqual(["GROUP_ID_NOT_FOUND"]);
});
