import { DecodeError } from "@odradek/protocol";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distinctTopics } from "../../src/group/consumer-requests.ts";
import { consumerMemberOf } from "./consumer-member.ts";
import { bodyOf, joined, subscribed, synced } from "./scripted-group.ts";
import { memberOf, TestMember } from "./test-member.ts";

const me = { memberId: "me", groupInstanceId: null, metadata: subscribed() };
const other = (metadata: Buffer) => ({ memberId: "other", groupInstanceId: null, metadata });

/** How long this process has worked since then, milliseconds, however long it had to wait for that on a busy machine. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** A leader, once it was told of all members. */
async function leaderOf(members: readonly (typeof me)[], protocolName = "range"): Promise<TestMember> {
  const member = new TestMember();
  await member.settle();
  member.take(JoinGroup).onAnswer(joined({ leader: "me", protocolName, members: [...members] }));
  await member.settle();
  return member;
}

describe("a member that says of itself what no consumer does", () => {
  const nonsense: readonly (readonly [string, Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["half of a version", Buffer.of(0)],
    ["a version and no more", Buffer.of(0, 3)],
    ["2^31 - 1 topics", Buffer.from("00017fffffff", "hex")],
    ["a negative version", Buffer.from("ffff00000000ffffffff", "hex")],
  ];

  test.each(nonsense)("has the poll of the leader throw, and join again with the next: %s", async (_, metadata) => {
    const member = await leaderOf([me, other(metadata)]);
    expect(member.thrown).toHaveLength(1);
    expect(member.thrown[0]).toBeInstanceOf(DecodeError);
    expect(member.asked).toEqual([]);
    await member.settle();
    member.take(JoinGroup).onAnswer(joined({ leader: "me", members: [me] }));
    await member.settle();
    expect(bodyOf(member.take(SyncGroup)).assignments.map(({ memberId }) => memberId)).toEqual(["me"]);
  });

  test("be it any bytes, throws nothing else, and nobody is given what is not there", () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom("range", "cooperative-sticky"),
        async (bytes, protocolName) => {
          const member = await leaderOf([me, other(Buffer.from(bytes))], protocolName);
          if (member.thrown.length > 0) expect(member.thrown).toEqual([expect.any(DecodeError)]);
        },
      ),
      { numRuns: 50 },
    ));
});

describe("a claim of another member", () => {
  const claims = [
    ["partitions that do not exist", [-1, 4, 0x7fff_ffff, -0x8000_0000]],
    ["one partition many times", [0, 0, 0, 0]],
  ] as const;

  test.each(claims)("to %s takes nothing away from anybody", async (_, partitions) => {
    const ownedPartitions = partitions.map((partition) => ({ topic: "orders", partition }));
    const claiming = other(subscribed({ ownedPartitions, generationId: 7 }));
    const member = await leaderOf([me, claiming], "cooperative-sticky");
    expect(member.thrown).toEqual([]);
    expect(bodyOf(member.take(SyncGroup)).assignments.map(({ memberId }) => memberId)).toEqual(["me", "other"]);
  });

  test("to a hundred thousand topics that nobody has heard of is gone through in no time", async () => {
    const topics = Array.from({ length: 100_000 }, (_, index) => `unheard-of-${index}`);
    const before = process.cpuUsage();
    const member = await leaderOf([me, other(subscribed({ topics }))]);
    // The cluster has yet to say that there are none.
    expect([member.thrown, member.asked]).toEqual([[], []]);
    expect(cpuMsSince(before)).toBeLessThan(5_000);
  });
});

describe("an assignment", () => {
  test.each([
    ["half of a version", Buffer.of(0)],
    ["2^31 - 1 topics", Buffer.from("00017fffffff", "hex")],
  ])("that is none has the poll throw, and join again with the next: %s", async (_, assignment) => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.take(SyncGroup).onAnswer({ ...synced([]), assignment });
    await member.settle();
    expect(member.thrown).toEqual([expect.any(DecodeError)]);
    await member.settle();
    expect(member.asked).toEqual(["JoinGroup"]);
  });

  test("with partitions that do not exist harms none of the others", async () => {
    const member = new TestMember();
    const partitions = [-1, 0, 0x7fff_ffff].map((partition) => ({ topic: "orders", partition }));
    await member.join(partitions);
    expect([member.state, member.thrown]).toEqual(["STABLE", []]);
    expect(member.owned).toContain("orders-0");
  });

  test("of the consumer protocol that names a partition twice is taken once, and is done with", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(["orders-0", "orders-1", "orders-1"]);
    expect(member.told).toEqual(["assigned orders-1"]);
    expect(member.owned).toEqual(["orders-0", "orders-1"]);
    await member.answer();
    expect([member.state, member.asked, member.told]).toEqual(["STABLE", [], ["assigned orders-1"]]);
  });

  test("of the consumer protocol that names one topic again and again takes time for what it names, and no more", () => {
    const topics = Array.from({ length: 30_000 }, (_, partition) => ({ topicId: "a", partitions: [partition] }));
    const before = process.cpuUsage();
    expect(distinctTopics(topics)[0]?.partitions).toHaveLength(topics.length);
    // With all of them gone through for each of them it would be a minute.
    expect(cpuMsSince(before)).toBeLessThan(5_000);
  });

  test("of a classic group that names a partition twice is of it once", async () => {
    expect((await memberOf(["orders-0", "orders-0"])).owned).toEqual(["orders-0"]);
  });
});
