import { BrokerError, codeOf } from "@odradek/protocol";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { expect, test } from "vitest";
import { encodeAssignment } from "../../src/group/consumer-protocol.ts";
import type { ConsumerDiagnosticsMessages } from "../../src/group/group-diagnostics.ts";
import type { RawAssignment, RawMember, RawPartitionAssignor } from "../../src/group/raw-partition-assignor.ts";
import { topicLedBy } from "../test-cluster.ts";
import { bodyOf, joined, named } from "./scripted-group.ts";
import { TestMember } from "./test-member.ts";

/** Says what it reads as text, and decides when the test says. */
function fixture(listener: TestMember["options"]["diagnostics"] = {}) {
  const asked: { readonly topics: readonly string[]; readonly members: readonly RawMember[] }[] = [];
  const decisions: ((given: readonly RawAssignment[]) => void)[] = [];
  const assignor: RawPartitionAssignor = {
    name: "textual",
    metadata: (topics) => Buffer.from(topics.join()),
    topicsOf: (metadata) => metadata.toString().split(","),
    assignRaw: (topics, members) => {
      asked.push({ topics: [...topics.keys()], members });
      return new Promise((resolve) => decisions.push(resolve));
    },
  };
  const member = new TestMember({ partitionAssignmentStrategy: [assignor], diagnostics: listener });
  const lead = async () => {
    await member.settle();
    const members = [
      { memberId: "other", groupInstanceId: null, metadata: Buffer.from("refunds") },
      { memberId: "me", groupInstanceId: null, metadata: Buffer.from("orders") },
    ];
    member.take(JoinGroup).onAnswer(joined({ leader: "me", protocolName: "textual", members }));
    member.cluster.learn([topicLedBy("orders", [1, 2]), topicLedBy("refunds", [1])]);
    await member.settle();
  };
  return { member, lead, asked, decisions };
}

test("says of a member what it likes", async () => {
  const { member } = fixture();
  await member.settle();
  const { protocols } = bodyOf(member.take(JoinGroup));
  expect(protocols).toEqual([{ name: "textual", metadata: Buffer.from("orders") }]);
});

test("may take its time to decide, about the topics that there are, and what it gives is passed on as it is", async () => {
  const { member, lead, asked, decisions } = fixture();
  await lead();
  expect(asked).toMatchObject([
    { topics: ["orders", "refunds"], members: [{ memberId: "me" }, { memberId: "other" }] },
  ]);
  expect(member.asked).toEqual([]);
  decisions[0]?.([{ memberId: "me", assignment: new Uint8Array([1, 2, 3]) }]);
  await member.settle();
  expect(bodyOf(member.take(SyncGroup)).assignments).toEqual([
    { memberId: "me", assignment: Buffer.from([1, 2, 3]) },
    { memberId: "other", assignment: Buffer.alloc(0) },
  ]);
});

test("is not heard any more once another leads", async () => {
  const { member, lead, decisions } = fixture();
  await lead();
  await member.pass(member.options.heartbeatIntervalMs);
  member.membership.commitRefused(new BrokerError(codeOf("UNKNOWN_MEMBER_ID"), "test"), member.membership.identity);
  await member.settle();
  decisions[0]?.([{ memberId: "me", assignment: encodeAssignment(named("orders-0"), null) }]);
  await member.settle();
  expect(member.asked).not.toContain("SyncGroup");
});

test.each([
  [[{ memberId: "nobody", assignment: Buffer.alloc(0) }], "gave something to nobody, which is no member"],
  [[{ memberId: "me", assignment: JSON.parse("null") }], "gave me what are no bytes"],
  [JSON.parse('{ "me": "" }'), "gave what is no array"],
])("is told of as wrong where it gives %j", async (given, message) => {
  const { member, lead, decisions } = fixture();
  await lead();
  decisions[0]?.(given);
  await member.settle();
  expect(member.thrown).toMatchObject([{ code: "ASSIGNOR", message: `the assignor textual ${message}` }]);
});

test("leaves out what it did not subscribe to, and does not join anew for that, and who listens hears of all of it", async () => {
  const heard: ConsumerDiagnosticsMessages["odradek:group-assignment"][] = [];
  const { member } = fixture({ "odradek:group-assignment": (message) => heard.push(message) });
  await member.join(named("orders-0", "refunds-0"), { leader: "other" });
  expect([member.owned, member.asked]).toEqual([["orders-0"], []]);
  expect(heard).toEqual([
    {
      kind: "consumer",
      clientId: "odradek",
      groupId: "billing",
      memberId: "me",
      generationId: 1,
      leaderId: "other",
      assignor: "textual",
      assigned: named("orders-0", "refunds-0"),
    },
  ]);
});
