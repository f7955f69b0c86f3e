import { ConnectionError, Deadline } from "@odradek/network";
import { UnsupportedVersionError } from "@odradek/protocol";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import { bodyOf, joined, left, named, outcome, ScriptedFinder, synced, turn } from "./scripted-group.ts";
import { joinsAs, memberOf, TestMember } from "./test-member.ts";

const address = { host: "127.0.0.1", port: 9092 };
const closed = () => new ConnectionError(address, "closed");
const maxPollIntervalMs = 60_000;

describe("ClassicMembership of an application that does not poll", () => {
  test("says that it lives as long as the application works", async () => {
    const member = await memberOf(["orders-0"], { maxPollIntervalMs });
    member.work();
    for (let beats = 0; beats < 5; beats++) await member.beat();
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
  });

  test("leaves its group when the application did not poll for too long, and is heard of no more", async () => {
    const member = await memberOf(["orders-0"], { maxPollIntervalMs, heartbeatIntervalMs: 40_000 });
    member.work();
    await member.beat();
    await member.pass(maxPollIntervalMs - 40_001);
    expect(member.state).toBe("STABLE");
    await member.pass(1);
    expect([member.state, member.asked]).toEqual(["UNJOINED", ["LeaveGroup"]]);
    expect(bodyOf(member.take(LeaveGroup)).members).toEqual([
      { memberId: "me", groupInstanceId: null, reason: "consumer poll timeout has expired" },
    ]);
    await member.pass(10 * maxPollIntervalMs);
    expect(member.asked).toEqual([]);
    expect(member.logger.count("did not poll for too long")).toBe(1);
  });

  test("tells that everything is lost when the application comes back, hands out nothing before, and joins as somebody new", async () => {
    const member = await memberOf(["orders-0"], { maxPollIntervalMs });
    member.work();
    await member.pass(maxPollIntervalMs);
    expect([member.told, member.owned, member.membership.isHoldingBack]).toEqual([[], ["orders-0"], true]);
    member.sent.length = 0;
    await member.comeBack();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
    expect(joinsAs(member)).toBe("nobody -1");
  });

  test("does not leave where the member is static, and ends its heartbeats", async () => {
    const member = await memberOf(["orders-0"], { maxPollIntervalMs, groupInstanceId: "host-1" });
    member.work();
    await member.pass(maxPollIntervalMs);
    expect(member.asked).not.toContain("LeaveGroup");
    member.sent.length = 0;
    await member.pass(maxPollIntervalMs);
    expect([member.state, member.asked]).toEqual(["UNJOINED", []]);
    await member.comeBack();
    expect(bodyOf(member.take(JoinGroup))).toMatchObject({ memberId: "", groupInstanceId: "host-1" });
  });

  test("counts the time of the listener, and not that of a poll that waits", async () => {
    const member = await memberOf(["orders-0"], { maxPollIntervalMs });
    await member.pass(maxPollIntervalMs * 2);
    expect(member.state).toBe("STABLE");
    member.onCall = (call) => {
      if (!call.startsWith("revoked")) return;
      member.clock.advance(maxPollIntervalMs);
      member.look();
    };
    member.membership.requestRejoin("test");
    member.sent.length = 0;
    await member.settle();
    expect(member.logger.count("did not poll for too long")).toBe(1);
    expect([member.told, member.owned]).toEqual([["revoked orders-0", "lost orders-0"], []]);
    expect(bodyOf(member.take(LeaveGroup)).members).toMatchObject([{ memberId: "me" }]);
  });
});

describe("ClassicMembership and the listener", () => {
  test("throws what the listener throws in the poll, and goes on", async () => {
    const member = await memberOf(["orders-0"]);
    member.onCall = (call) => {
      throw new Error(`no to ${call}`);
    };
    await member.beat("REBALANCE_IN_PROGRESS");
    expect(member.thrown).toMatchObject([{ code: "LISTENER", cause: { message: "no to revoked orders-0" } }]);
    expect([member.state, member.owned]).toEqual(["JOINING", []]);
    await member.join(named("orders-1"), { generationId: 2 });
    expect([member.state, member.owned]).toEqual(["STABLE", ["orders-1"]]);
    expect(member.thrown.at(-1)).toMatchObject({ cause: { message: "no to assigned orders-1" } });
  });

  test("makes all calls of one rebalance where the first throws, and throws that", async () => {
    const member = await memberOf(["orders-0"], { partitionAssignmentStrategy: ["cooperative-sticky"] });
    member.onCall = (call) => {
      throw new Error(`no to ${call}`);
    };
    await member.beat("REBALANCE_IN_PROGRESS");
    await member.join(named("orders-1"), { generationId: 2 });
    expect(member.told).toEqual(["revoked orders-0", "assigned orders-1"]);
    expect(member.thrown).toMatchObject([{ cause: { message: "no to revoked orders-0" } }]);
    expect(member.owned).toEqual(["orders-1"]);
  });

  test("waits for the listener before it joins, and says meanwhile that it lives", async () => {
    const member = await memberOf(["orders-0"]);
    let finish = () => {};
    member.onCall = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    member.membership.requestRejoin("test");
    const settling = member.settle();
    await turn();
    await turn();
    expect([member.state, member.asked, member.owned]).toEqual(["REVOKING", [], ["orders-0"]]);
    member.clock.advance(member.options.heartbeatIntervalMs);
    member.look();
    expect(member.asked).toEqual(["Heartbeat"]);
    finish();
    await settling;
    expect(member.asked).toEqual(["Heartbeat", "JoinGroup"]);
  });

  test("joins no more where the listener left the group, and keeps nothing", async () => {
    const member = await memberOf(["orders-0"]);
    member.onCall = async () => {
      await member.membership.giveUp();
      void member.membership.leave("the consumer unsubscribed", true, new Deadline(member.clock, 1_000));
      member.subscription.clear();
    };
    await member.beat("REBALANCE_IN_PROGRESS");
    expect([member.state, member.owned, member.asked]).toEqual(["UNJOINED", [], ["LeaveGroup"]]);
    expect(member.told).toEqual(["revoked orders-0"]);
    expect(member.thrown).toEqual([]);
  });

  test("takes over nothing where the listener left the group as it was told what goes", async () => {
    const member = await memberOf(["orders-0"], { partitionAssignmentStrategy: ["cooperative-sticky"] });
    await member.beat("REBALANCE_IN_PROGRESS");
    member.onCall = (call) => {
      if (!call.startsWith("revoked")) return;
      member.assignment.assign([]);
      void member.membership.leave("the consumer unsubscribed", true, new Deadline(member.clock, 1_000));
      member.subscription.clear();
    };
    await member.join(named("orders-1"), { generationId: 2 });
    expect([member.state, member.owned, member.told]).toEqual(["UNJOINED", [], ["revoked orders-0"]]);
  });
});

describe("ClassicMembership, leaving", () => {
  test("tells the listener, then the coordinator, and is done when that has answered", async () => {
    const member = await memberOf(["orders-0"]);
    member.work();
    await member.membership.giveUp();
    expect([member.told, member.owned]).toEqual([["revoked orders-0"], []]);
    const leaving = outcome(member.membership.leave("bye", true, new Deadline(member.clock, 1_000)));
    member.look();
    const request = member.take(LeaveGroup);
    expect(bodyOf(request).members).toEqual([{ memberId: "me", groupInstanceId: null, reason: "bye" }]);
    request.onAnswer(left());
    expect(await leaving).toBe("done");
    expect(member.membership.identity).toEqual({ memberId: "", generationId: -1, groupInstanceId: null });
  });

  test("tells the listener that all is lost where it has no place any more", async () => {
    const member = await memberOf(["orders-0"]);
    member.work();
    await member.beat("UNKNOWN_MEMBER_ID");
    await member.membership.giveUp();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
  });

  test("says nothing where the coordinator is not to be told, or does not know it", async () => {
    const member = await memberOf(["orders-0"], { groupInstanceId: "host-1" });
    member.work();
    expect(await outcome(member.membership.leave("bye", false, new Deadline(member.clock, 1_000)))).toBe("done");
    member.look();
    const stranger = new TestMember();
    expect(await outcome(stranger.membership.leave("bye", true, new Deadline(stranger.clock, 1_000)))).toBe("done");
    stranger.isPolling = false;
    stranger.look();
    expect([member.asked, stranger.asked]).toEqual([[], []]);
  });

  test("takes no notice of what comes for requests from before", async () => {
    const member = new TestMember();
    await member.settle();
    const join = member.take(JoinGroup);
    member.isPolling = false;
    await member.membership.leave("bye", true, new Deadline(member.clock, 1_000));
    join.onAnswer(joined());
    await member.settle();
    expect([member.state, member.asked, member.membership.identity.memberId]).toEqual(["UNJOINED", [], ""]);
  });

  test("joins as somebody new when it subscribes again", async () => {
    const member = await memberOf(["orders-0"]);
    await member.membership.giveUp();
    void member.membership.leave("bye", true, new Deadline(member.clock, 1_000));
    member.subscription.clear();
    member.subscribe(["refunds"]);
    await member.settle();
    expect(member.asked).toEqual(["LeaveGroup", "JoinGroup"]);
    expect(joinsAs(member)).toBe("nobody -1");
  });
});

describe("ClassicMembership, where the coordinator is out of reach", () => {
  test("joins once the coordinator is found", async () => {
    const member = new TestMember({}, new ScriptedFinder(null));
    await member.settle();
    expect([member.finder.looks, member.asked]).toEqual([1, ["JoinGroup"]]);
  });

  test("looks for it anew and joins again where the connection is lost during JoinGroup", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onFailure(closed());
    await member.settle();
    expect([member.asked, member.thrown]).toEqual([[], []]);
    await member.pass(member.options.retryBackoffMaxMs);
    expect([member.finder.looks, member.asked]).toEqual([1, ["JoinGroup"]]);
  });

  test("joins again as who it is where the connection is lost during SyncGroup", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.take(SyncGroup).onFailure(closed());
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.finder.looks).toBe(1);
    expect(joinsAs(member)).toBe("me 1");
  });

  test("keeps its place and beats again, sooner than usual, where the connection is lost during a heartbeat", async () => {
    const member = await memberOf(["orders-0"], { heartbeatIntervalMs: 10_000 });
    await member.pass(10_000);
    member.take(Heartbeat).onFailure(closed());
    await member.pass(member.options.retryBackoffMaxMs);
    expect([member.state, member.finder.looks, member.asked]).toEqual(["STABLE", 1, ["Heartbeat"]]);
  });

  test("looks for another coordinator where none answers for a whole session, and keeps its place", async () => {
    const member = await memberOf(["orders-0"], { sessionTimeoutMs: 10_000 });
    await member.pass(9_999);
    expect([member.asked, member.finder.looks]).toEqual([["Heartbeat"], 0]);
    await member.pass(1 + member.options.retryBackoffMaxMs);
    expect([member.finder.looks, member.asked]).toEqual([1, ["Heartbeat", "Heartbeat"]]);
    expect([member.state, member.owned]).toEqual(["STABLE", ["orders-0"]]);
  });

  test("tells the user of a coordinator that must not be asked for, and tries again with the next poll", async () => {
    const finder = new ScriptedFinder(null);
    finder.finds = new UnsupportedVersionError("no such coordinators");
    const member = new TestMember({}, finder);
    await member.settle();
    expect(member.thrown).toMatchObject([{ code: "UNSUPPORTED_VERSION" }]);
    finder.finds = 1;
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.asked).toEqual(["JoinGroup"]);
  });

  test("tells the user of brokers that have no version that would do", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onFailure(new UnsupportedVersionError("no common version"));
    await member.settle();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.take(SyncGroup).onFailure(new UnsupportedVersionError("no common version"));
    await member.settle();
    expect(member.thrown).toMatchObject([{ code: "UNSUPPORTED_VERSION" }, { code: "UNSUPPORTED_VERSION" }]);
  });
});

describe("ClassicMembership of a static member", () => {
  test("says its name in every request, in versions that have it", async () => {
    const member = new TestMember({ groupInstanceId: "host-1" });
    await member.settle();
    const join = member.take(JoinGroup);
    expect([bodyOf(join).groupInstanceId, join.options?.bounds]).toEqual(["host-1", { oldest: 5 }]);
    join.onAnswer(joined());
    await member.settle();
    const sync = member.take(SyncGroup);
    expect([bodyOf(sync).groupInstanceId, sync.options?.bounds]).toEqual(["host-1", { oldest: 3 }]);
    sync.onAnswer(synced(named("orders-0")));
    await member.pass(member.options.heartbeatIntervalMs);
    const heartbeat = member.take(Heartbeat);
    expect([bodyOf(heartbeat).groupInstanceId, heartbeat.options?.bounds]).toEqual(["host-1", { oldest: 3 }]);
    void member.membership.leave("bye", true, new Deadline(member.clock, 1_000));
    member.look();
    const leave = member.take(LeaveGroup);
    expect(bodyOf(leave).members).toEqual([{ memberId: "me", groupInstanceId: "host-1", reason: "bye" }]);
    expect(leave.options?.bounds).toEqual({ oldest: 3 });
  });

  test("tells the user of brokers that know no static members", async () => {
    const member = new TestMember({ groupInstanceId: "host-1" });
    await member.settle();
    member.take(JoinGroup).onFailure(new UnsupportedVersionError("no common version"));
    await member.settle();
    expect(String(member.thrown[0])).toMatch(/groupInstanceId.*Kafka 2\.3.*no common version/);
  });

  test("keeps its name when it is forgotten", async () => {
    const member = await memberOf(["orders-0"], { groupInstanceId: "host-1" });
    await member.beat("UNKNOWN_MEMBER_ID");
    expect(bodyOf(member.take(JoinGroup))).toMatchObject({ memberId: "", groupInstanceId: "host-1" });
  });

  test("tells the user that another took its name while it joined with partitions, and that these are lost", async () => {
    const member = await memberOf(["orders-0"], {
      groupInstanceId: "host-1",
      partitionAssignmentStrategy: ["cooperative-sticky"],
    });
    await member.beat("REBALANCE_IN_PROGRESS");
    member.take(JoinGroup).onAnswer(joined({ error: "FENCED_INSTANCE_ID" }));
    await member.settle();
    expect(member.thrown).toMatchObject([{ code: "FENCED_INSTANCE_ID" }]);
    expect([member.told, member.owned, member.asked]).toEqual([["lost orders-0"], [], []]);
  });
});
