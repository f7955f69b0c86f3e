import { Deadline } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { SubscriptionPattern } from "../../src/group/subscription.ts";
import { ConsumerMember, consumerMemberOf, heard, intervalMs } from "./consumer-member.ts";
import { bodyOf, outcome, ScriptedFinder } from "./scripted-group.ts";

const maxPollIntervalMs = 60_000;

const leave = ({ membership, clock }: ConsumerMember, isTold = true, timeoutMs = 1_000) =>
  membership.leave("bye", isTold, new Deadline(clock, timeoutMs));

/** Unsubscribes as a consumer does: the listener, then the coordinator, then nothing is wanted any more. */
async function unsubscribe(member: ConsumerMember): Promise<void> {
  await member.membership.giveUp();
  void leave(member);
  member.subscription.clear();
}

describe("ConsumerMembership of an application that does not poll", () => {
  test.each([
    ["leaves for good where the member is dynamic", null, -1],
    ["says that it is away for a while where the member is static", "host-1", -2],
  ])("%s, when the time is over, and is heard of no more", async (_, groupInstanceId, memberEpoch) => {
    const options = groupInstanceId === null ? {} : { groupInstanceId };
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs, ...options });
    member.work();
    for (let beats = 1; beats < maxPollIntervalMs / intervalMs; beats++) await member.beat();
    await member.pass(intervalMs - 1);
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
    await member.pass(1);
    const { memberId } = member.membership.identity;
    expect([member.state, member.asked.length]).toEqual(["UNSUBSCRIBED", 1]);
    expect(bodyOf(member.takeBeat())).toEqual({
      groupId: "billing",
      memberId,
      memberEpoch,
      instanceId: groupInstanceId,
    });
    await member.pass(10 * maxPollIntervalMs);
    expect(member.asked).toEqual([]);
    expect(member.logger.count("did not poll for too long")).toBe(1);
  });

  test("tells that all is lost when the application comes back, hands out nothing before, and joins under the same id", async () => {
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs });
    const { memberId } = member.membership.identity;
    member.work();
    await member.pass(maxPollIntervalMs);
    expect([member.told, member.owned, member.membership.isHoldingBack]).toEqual([[], ["orders-0"], true]);
    member.sent.length = 0;
    await member.comeBack();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
    expect(bodyOf(member.takeBeat())).toMatchObject({ memberId, memberEpoch: 0, topicPartitions: [] });
  });

  test("leaves before it asks for a place again, in that order on the wire", async () => {
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs });
    member.work();
    await member.pass(maxPollIntervalMs);
    await member.comeBack();
    const epochs = [member.takeBeat(), member.takeBeat(), member.takeBeat()].map((beat) => bodyOf(beat).memberEpoch);
    expect(epochs).toEqual([1, -1, 0]);
  });

  test("takes no notice of what comes for the heartbeat from before", async () => {
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs });
    member.work();
    await member.pass(maxPollIntervalMs);
    member.takeBeat().onAnswer(heard(["orders-1"], { memberEpoch: 9 }));
    await member.settle();
    expect([member.state, member.membership.identity.generationId]).toEqual(["UNSUBSCRIBED", -1]);
  });

  test("lets a member that joins go when the application stops polling", async () => {
    const member = new ConsumerMember({ maxPollIntervalMs });
    await member.settle();
    member.work();
    await member.pass(maxPollIntervalMs);
    member.takeBeat();
    expect(bodyOf(member.takeBeat()).memberEpoch).toBe(-1);
    expect(member.state).toBe("UNSUBSCRIBED");
  });

  test("counts the time of the listener, and tells of what was lost afterwards", async () => {
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs });
    member.onCall = () => {
      member.onCall = () => {};
      member.clock.advance(maxPollIntervalMs);
      member.look();
    };
    await member.beat(["orders-1"]);
    expect(member.told).toEqual(["revoked orders-0", "lost orders-0"]);
    expect(member.owned).toEqual([]);
  });

  test("has nothing to leave where it is in no group", async () => {
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs });
    await unsubscribe(member);
    member.work();
    await member.settle();
    member.sent.length = 0;
    await member.pass(maxPollIntervalMs);
    expect([member.logger.count("did not poll for too long"), member.asked]).toEqual([0, []]);
  });

  test("does not count the time of a poll that waits", async () => {
    const member = await consumerMemberOf(["orders-0"], { maxPollIntervalMs: 4_000 });
    for (let beats = 0; beats < 3; beats++) await member.beat();
    expect([member.state, member.logger.count("did not poll for too long")]).toEqual(["STABLE", 0]);
  });
});

describe("ConsumerMembership, leaving", () => {
  test.each([
    ["for good, of one that is dynamic", null, true, -1],
    ["for a while, of one that is static", "host-1", false, -2],
    ["for good, of one that is static", "host-1", true, -1],
  ])("says so %s", async (_, groupInstanceId, isTold, memberEpoch) => {
    const member = await consumerMemberOf(["orders-0"], groupInstanceId === null ? {} : { groupInstanceId });
    member.work();
    const { memberId } = member.membership.identity;
    const leaving = outcome(leave(member, isTold));
    member.cluster.readied.length = 0;
    member.look();
    expect(member.cluster.readied).toEqual(["1 coordinator"]);
    const request = member.takeBeat();
    expect(bodyOf(request)).toEqual({ groupId: "billing", memberId, memberEpoch, instanceId: groupInstanceId });
    expect(request.options).toEqual({ purpose: "coordinator", bounds: { oldest: 1 } });
    request.onAnswer(heard());
    expect(await leaving).toBe("done");
    expect(member.membership.identity).toEqual({ memberId, generationId: -1, groupInstanceId });
  });

  test("says nothing where a dynamic member is to stay in the group for the rest of its session", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    expect(await outcome(leave(member, false))).toBe("done");
    member.look();
    expect([member.state, member.asked]).toEqual(["UNSUBSCRIBED", []]);
  });

  test("says so where it has just asked for a place, which it may have been given", async () => {
    const member = new ConsumerMember();
    await member.settle();
    member.isPolling = false;
    member.takeBeat();
    void leave(member);
    member.look();
    expect(bodyOf(member.takeBeat()).memberEpoch).toBe(-1);
  });

  test("says nothing where it was never in the group, and where it has lost its place", async () => {
    const stranger = new ConsumerMember();
    expect(await outcome(leave(stranger))).toBe("done");
    const fenced = await consumerMemberOf(["orders-0"]);
    fenced.work();
    await fenced.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    expect(await outcome(leave(fenced))).toBe("done");
    stranger.isPolling = false;
    for (const member of [stranger, fenced]) member.look();
    expect([stranger.asked, fenced.asked]).toEqual([[], []]);
  });

  test.each(["GROUP_ID_NOT_FOUND", "UNKNOWN_MEMBER_ID", "NOT_COORDINATOR"] as const)(
    "is done where the coordinator answers %s",
    async (error) => {
      const member = await consumerMemberOf(["orders-0"]);
      member.work();
      const leaving = outcome(leave(member));
      member.look();
      member.takeBeat().onAnswer(heard(null, { error }));
      expect(await leaving).toBe("done");
      await member.settle();
      expect([member.state, member.membership.takeError(), member.asked]).toEqual(["UNSUBSCRIBED", null, []]);
    },
  );

  test("waits no longer than the deadline for a coordinator that nobody finds", async () => {
    const finder = new ScriptedFinder(1);
    const member = new ConsumerMember({}, finder);
    await member.join(["orders-0"]);
    finder.forget();
    finder.finds = null;
    member.work();
    const leaving = outcome(leave(member, true, 700));
    await member.pass(699);
    expect(await Promise.race([leaving, Promise.resolve("waits")])).toBe("waits");
    await member.pass(1);
    expect(await leaving).toBe("done");
  });

  test("asks for a place with the next poll when it subscribes again, after it said that it left", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await unsubscribe(member);
    member.subscribe(["refunds"]);
    await member.settle();
    const [farewell, joins] = [member.takeBeat(), member.takeBeat()].map((beat) => bodyOf(beat));
    expect(farewell).toMatchObject({ memberEpoch: -1 });
    expect(joins).toMatchObject({ memberEpoch: 0, subscribedTopicNames: ["refunds"], topicPartitions: [] });
    expect(member.told).toEqual(["revoked orders-0"]);
  });

  test("subscribes by a pattern of the broker's after it unsubscribed from names", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await unsubscribe(member);
    await member.settle();
    member.sent.length = 0;
    member.subscription.subscribeServerPattern(new SubscriptionPattern("ref.*"), member.listener);
    await member.settle();
    expect(bodyOf(member.takeBeat())).toMatchObject({ subscribedTopicNames: [], subscribedTopicRegex: "ref.*" });
  });
});

describe("ConsumerMembership and the listener", () => {
  test("throws what the listener throws in the poll, and acknowledges nevertheless", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = (call) => {
      throw new Error(`no to ${call}`);
    };
    await member.beat(["orders-1"]);
    expect(member.told).toEqual(["revoked orders-0", "assigned orders-1"]);
    expect(member.thrown).toMatchObject([{ code: "LISTENER", cause: { message: "no to revoked orders-0" } }]);
    expect([member.owned, member.says()]).toEqual([["orders-1"], "1 owns orders-1"]);
  });

  test("asks for a place though the listener threw when it was told what is lost", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = () => {
      throw new Error("no");
    };
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    expect(member.thrown).toMatchObject([{ code: "LISTENER" }]);
    expect([member.owned, member.says()]).toEqual([[], "0 everything owns"]);
  });

  test("takes over nothing where the listener unsubscribed when it was told what goes, and tells it of the rest", async () => {
    const member = await consumerMemberOf(["orders-0", "orders-1"]);
    member.onCall = () => {
      member.onCall = () => {};
      return unsubscribe(member);
    };
    await member.beat(["orders-1", "orders-2"]);
    expect([member.state, member.owned, member.thrown]).toEqual(["UNSUBSCRIBED", [], []]);
    expect(member.told).toEqual(["revoked orders-0", "revoked orders-1"]);
    expect(bodyOf(member.takeBeat()).memberEpoch).toBe(-1);
    expect(member.asked).toEqual([]);
  });

  test("acknowledges nothing where the listener unsubscribed when it was told what came", async () => {
    const member = await consumerMemberOf([]);
    member.onCall = () => {
      member.onCall = () => {};
      return unsubscribe(member);
    };
    await member.beat(["orders-1"]);
    expect([member.state, member.owned]).toEqual(["UNSUBSCRIBED", []]);
    expect(member.told).toEqual(["assigned orders-1", "revoked orders-1"]);
    expect(bodyOf(member.takeBeat()).memberEpoch).toBe(-1);
    expect(member.asked).toEqual([]);
  });

  test("leaves alone what the listener chose itself when it was told what is lost", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = async () => {
      member.onCall = () => {};
      await unsubscribe(member);
      member.assignment.assign([{ topic: "orders", partition: 3 }]);
    };
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    expect([member.told, member.owned]).toEqual([["lost orders-0"], ["orders-3"]]);
  });

  test("makes no call any more that was due when it left", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat(["orders-1"]);
    member.isPolling = true;
    member.look();
    expect(member.state).toBe("RECONCILING");
    void leave(member);
    expect(member.membership.takeTask()).toBeNull();
  });

  test("asks for a place anew where the listener unsubscribed and subscribed to something else", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = async () => {
      member.onCall = () => {};
      await unsubscribe(member);
      member.subscribe(["refunds"]);
    };
    await member.beat(["orders-1"]);
    expect([member.told, member.owned]).toEqual([["revoked orders-0"], []]);
    expect(bodyOf(member.takeBeat()).memberEpoch).toBe(-1);
    expect(member.says()).toBe("0 everything owns");
  });

  test("says what it subscribed to within the listener together with what it owns", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = () => {
      member.subscribe(["orders", "refunds"]);
    };
    await member.beat(["orders-1"]);
    expect(member.says()).toBe("1 topics owns orders-1");
  });
});

describe("ConsumerMembership, asked to rebalance", () => {
  test("does nothing but to say that it does nothing", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.membership.requestRejoin();
    await member.pass(intervalMs - 1);
    expect([member.state, member.owned, member.told, member.asked]).toEqual(["STABLE", ["orders-0"], [], []]);
    expect(member.logger.count("no effect")).toBe(1);
  });
});

describe("ConsumerMembership whose coordinator wants to hear of it all the time", () => {
  test.each([0, -1])(
    "says so ten times a second, and no more often: an interval of %i ms",
    async (heartbeatIntervalMs) => {
      const member = await consumerMemberOf(["orders-0"]);
      await member.pass(intervalMs);
      await member.answer(null, { heartbeatIntervalMs });
      await member.pass(99);
      expect(member.asked).toEqual([]);
      await member.pass(1);
      expect(member.asked).toHaveLength(1);
    },
  );
});
