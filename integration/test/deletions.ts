import { leaderOf, type TopicPartition } from "@odradek/network";
import { codeOf, zeroUuid } from "@odradek/protocol";
import { DeleteGroups } from "@odradek/protocol/messages/delete-groups";
import { DeleteRecords } from "@odradek/protocol/messages/delete-records";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { OffsetDelete } from "@odradek/protocol/messages/offset-delete";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";
import { coordinatorOf, networkOf, withinAMinute } from "./requests.ts";

const timeoutMs = 30_000;

/** From this version of DeleteTopics on a topic may go by its id. */
const idsSince = 6;

/** Deletes a topic, and waits until no broker knows it any more. */
export async function deleteTopic(bootstrapServers: readonly string[], topic: string): Promise<void> {
  const network = networkOf({ bootstrapServers });
  const deadline = withinAMinute();
  await network.awaitMetadata(deadline, "the cluster", () => network.metadata.snapshot.clusterId);
  const { responses } = await network.request(
    DeleteTopics,
    (version) => ({
      topicNames: [topic],
      topics: version < idsSince ? [] : [{ name: topic, topicId: zeroUuid }],
      timeoutMs,
    }),
    { to: "controller", deadline },
  );
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([0]);
  for (const to of network.metadata.snapshot.nodes.keys()) {
    await until(`broker ${to} has forgotten ${topic}`, async () => {
      const asked = { topics: [{ name: topic }], allowAutoTopicCreation: false };
      const { topics } = await network.request(Metadata, asked, { to, deadline: withinAMinute() });
      return topics[0]?.errorCode === codeOf("UNKNOWN_TOPIC_OR_PARTITION") || `it says error ${topics[0]?.errorCode}`;
    });
  }
}

/** Deletes the records of a partition before an offset: its log starts there then. */
export async function deleteRecords(
  bootstrapServers: readonly string[],
  { topic, partition }: TopicPartition,
  before: bigint,
): Promise<void> {
  const network = networkOf({ bootstrapServers });
  network.metadata.retain([topic]);
  const deadline = withinAMinute();
  const leader = await network.awaitMetadata(deadline, "the leader", () =>
    leaderOf(network.metadata.snapshot, topic, partition),
  );
  const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset: before }] }];
  const answer = await network.request(DeleteRecords, { topics, timeoutMs }, { to: leader.id, deadline });
  expect(answer.topics).toMatchObject([{ partitions: [{ errorCode: 0, lowWatermark: before }] }]);
}

/** Deletes a group that has no members, with all that it has committed. */
export async function deleteGroup(bootstrapServers: readonly string[], groupId: string): Promise<void> {
  const { network, nodeId } = await coordinatorOf(bootstrapServers, groupId);
  const body = { groupsNames: [groupId] };
  const { results } = await network.request(DeleteGroups, body, { to: nodeId, deadline: withinAMinute() });
  expect(results).toMatchObject([{ groupId, errorCode: 0 }]);
}

/** Deletes what a group has committed in partition 0 of a topic that none of its members reads. */
export async function deleteOffset(bootstrapServers: readonly string[], groupId: string, topic: string): Promise<void> {
  const { network, nodeId } = await coordinatorOf(bootstrapServers, groupId);
  const body = { groupId, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] };
  const answer = await network.request(OffsetDelete, body, { to: nodeId, deadline: withinAMinute() });
  expect(answer).toMatchObject({ errorCode: 0, topics: [{ partitions: [{ errorCode: 0 }] }] });
}
