import { JoinGroup, type JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import type { ConsumerPartitionAssignor } from "../../src/group/partition-assignor.ts";
import { topicLedBy } from "../test-cluster.ts";
import { bodyOf, joinedAsLeader, named, synced } from "./scripted-group.ts";
import { TestMember } from "./test-member.ts";

const members = [{ memberId: "me" }, { memberId: "other", topics: ["refunds"] }];

/** A member that was made the leader, of itself and one that reads `refunds`. */
async function leader(
  options: ConstructorParameters<typeof TestMember>[0] = {},
  place: Partial<JoinGroupResponse> = {},
) {
  const member = new TestMember(options);
  await member.settle();
  member.take(JoinGroup).onAnswer(joinedAsLeader(members, place));
  return member;
}

describe("ClassicMembership as the leader", () => {
  test("has the assignor decide for all members, and sends what each gets", async () => {
    const member = await leader();
    await member.settle();
    const { protocolName, assignments } = bodyOf(member.take(SyncGroup));
    expect(protocolName).toBe("range");
    expect(assignments.map(({ memberId }) => memberId)).toEqual(["me", "other"]);
  });

  test("waits with the decision until it knows the topics of the others", async () => {
    const member = await leader();
    member.cluster.metadata.retain(["orders"]);
    member.cluster.learn([topicLedBy("orders", [1])]);
    await member.settle();
    expect([member.asked, [...member.membership.topics]]).toEqual([[], ["orders", "refunds"]]);
    member.cluster.metadata.retain(["orders", "refunds"]);
    member.cluster.learn([topicLedBy("orders", [1]), topicLedBy("refunds", [1])]);
    await member.settle();
    expect(member.asked).toEqual(["SyncGroup"]);
  });

  test("sends nothing for others, and watches the topics, where it is told to skip the assignment", async () => {
    const member = await leader({ groupInstanceId: "host-1" }, { skipAssignment: true });
    await member.settle();
    const sync = member.take(SyncGroup);
    expect(bodyOf(sync).assignments).toEqual([]);
    sync.onAnswer(synced(named("orders-0")));
    await member.settle();
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
    member.cluster.learn([topicLedBy("orders", [1, 2, 1, 2, 1]), topicLedBy("refunds", [1, 2])]);
    await member.settle();
    expect(member.asked).toEqual(["JoinGroup"]);
  });

  test("has the group rebalanced when a topic, be it only another's, has other partitions", async () => {
    const member = await leader();
    await member.settle();
    member.take(SyncGroup).onAnswer(synced(named("orders-0")));
    await member.settle();
    member.cluster.learn([topicLedBy("orders", [2, 1, 2, 1]), topicLedBy("refunds", [2, 1])]);
    await member.settle();
    expect(member.asked).toEqual([]);
    member.cluster.learn([topicLedBy("orders", [1, 2, 1, 2]), topicLedBy("refunds", [1, 2, 1])]);
    await member.settle();
    expect(bodyOf(member.take(JoinGroup)).reason).toBe("topics changed their partitions");
  });

  test("watches no topics any more when another leads", async () => {
    const member = await leader();
    await member.settle();
    member.take(SyncGroup).onAnswer(synced(named("orders-0")));
    member.membership.requestRejoin("test");
    await member.join(named("orders-0"), { generationId: 2 });
    member.cluster.learn([topicLedBy("orders", [1]), topicLedBy("refunds", [1])]);
    await member.settle();
    expect([member.asked, [...member.membership.topics]]).toEqual([[], ["orders"]]);
  });

  test("tells the user of an assignor that throws, and tries again with the next poll", async () => {
    let attempts = 0;
    const moody: ConsumerPartitionAssignor = {
      name: "moody",
      assign: () => {
        attempts += 1;
        throw new Error("not today");
      },
    };
    const member = await leader({ partitionAssignmentStrategy: [moody] }, { protocolName: "moody" });
    await member.settle();
    expect(member.thrown).toMatchObject([{ code: "ASSIGNOR", cause: { message: "not today" } }]);
    expect([member.asked, attempts]).toEqual([[], 1]);
    await member.settle();
    expect([member.asked, attempts]).toEqual([["JoinGroup"], 1]);
  });

  test("says that it lives while the user is to be told of an error", async () => {
    const member = await leader({}, { protocolName: "sticky" });
    member.isPolling = false;
    await member.settle();
    expect(member.asked).toEqual([]);
    await member.pass(member.options.heartbeatIntervalMs);
    expect(member.asked).toEqual(["Heartbeat"]);
  });

  test("tells the user of an assignor that the group chose and it does not have", async () => {
    const member = await leader({}, { protocolName: "sticky" });
    await member.settle();
    expect(member.thrown).toMatchObject([{ code: "INCONSISTENT_GROUP_PROTOCOL" }]);
  });
});
