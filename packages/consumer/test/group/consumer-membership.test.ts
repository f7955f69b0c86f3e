import { Deadline } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { SubscriptionPattern } from "../../src/group/subscription.ts";
import { ConsumerMember, consumerMemberOf, heard, intervalMs } from "./consumer-member.ts";
import { bodyOf } from "./scripted-group.ts";

const memberIdOf = ({ membership }: ConsumerMember) => membership.identity.memberId;

describe("ConsumerMembership, joining", () => {
  test("asks for a place when the application polls, and says everything of itself", async () => {
    const member = new ConsumerMember({ clientRack: "r1", maxPollIntervalMs: 60_000, groupRemoteAssignor: "range" });
    member.subscribe(["refunds", "orders"]);
    member.isPolling = false;
    await member.settle();
    expect(member.asked).toEqual([]);
    member.isPolling = true;
    await member.settle();
    expect([member.state, member.asked]).toEqual(["JOINING", ["ConsumerGroupHeartbeat"]]);
    const request = member.takeBeat();
    expect(bodyOf(request)).toEqual({
      groupId: "billing",
      memberId: memberIdOf(member),
      memberEpoch: 0,
      instanceId: null,
      rackId: "r1",
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: ["orders", "refunds"],
      serverAssignor: "range",
      topicPartitions: [],
    });
    expect([request.nodeId, request.options]).toEqual([1, { purpose: "coordinator", bounds: { oldest: 1 } }]);
  });

  test("makes up an id of its own, as Kafka writes a UUID, and another for each member", () => {
    const ids = Array.from({ length: 200 }, () => memberIdOf(new ConsumerMember()));
    expect(ids.filter((id) => !/^[\w][\w-]{21}$/.test(id) || Buffer.from(id, "base64url").length !== 16)).toEqual([]);
    expect(new Set(ids).size).toBe(200);
  });

  test("keeps its id when it is fenced, when it is unknown, and when it left", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const id = memberIdOf(member);
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    await member.answer(null, { error: "UNKNOWN_MEMBER_ID" });
    expect(bodyOf(member.takeBeat())).toMatchObject({ memberId: id, memberEpoch: 0 });
    expect(memberIdOf(member)).toBe(id);
  });

  test("owns what it is given once a poll has told the listener, and acknowledges at once", async () => {
    const member = new ConsumerMember();
    await member.settle();
    member.isPolling = false;
    await member.answer(["orders-0", "orders-2"]);
    expect([member.state, member.owned, member.told, member.asked]).toEqual(["STABLE", [], [], []]);
    member.isPolling = true;
    await member.settle();
    expect([member.owned, member.told]).toEqual([["orders-0", "orders-2"], ["assigned orders-0 orders-2"]]);
    expect(member.state).toBe("ACKNOWLEDGING");
    expect(member.says()).toBe("1 owns orders-0 orders-2");
  });

  test("is told by the listener of nothing where it is given nothing, and acknowledges that", async () => {
    const member = new ConsumerMember();
    await member.settle();
    await member.answer([]);
    expect(member.told).toEqual(["assigned"]);
    expect(member.says()).toBe("1 owns");
  });

  test("is stable when the coordinator has heard what it owns, and as who it is", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
    expect(member.membership.identity).toEqual({
      memberId: memberIdOf(member),
      generationId: 1,
      groupInstanceId: null,
    });
  });

  test("waits with joining until it is known what a pattern matches", async () => {
    const member = new ConsumerMember();
    member.subscription.clear();
    member.subscription.subscribePattern(/^ref/, member.listener, member.cluster.metadata.updatedAtMs);
    await member.settle();
    expect(member.asked).toEqual([]);
    member.clock.advance(10);
    member.learn("orders", "refunds");
    member.subscription.match(member.cluster.metadata);
    await member.settle();
    expect(bodyOf(member.takeBeat()).subscribedTopicNames).toEqual(["refunds"]);
  });

  test("has the broker match a pattern of the broker's syntax, and names no topics besides", async () => {
    const member = new ConsumerMember();
    member.subscription.clear();
    member.subscription.subscribeServerPattern(new SubscriptionPattern("ref.*"), member.listener);
    await member.settle();
    const { subscribedTopicNames, subscribedTopicRegex } = bodyOf(member.takeBeat());
    expect([subscribedTopicNames, subscribedTopicRegex]).toEqual([[], "ref.*"]);
  });

  test("connects to the coordinator for requests of offsets meanwhile", async () => {
    const member = new ConsumerMember();
    await member.settle();
    expect(member.cluster.readied).toContain("1 main");
  });
});

describe("ConsumerMembership, saying that it lives", () => {
  test("beats as often as the broker wants, and says no more than that it lives", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    for (let beats = 0; beats < 3; beats++) {
      await member.pass(intervalMs - 1);
      expect(member.asked).toEqual([]);
      await member.pass(1);
      const beat = member.takeBeat();
      expect(bodyOf(beat)).toEqual({
        groupId: "billing",
        memberId: memberIdOf(member),
        memberEpoch: 1,
        instanceId: null,
        topicPartitions: null,
      });
      beat.onAnswer(heard());
    }
  });

  test("takes another interval from any answer", async () => {
    const member = await consumerMemberOf([]);
    await member.beat(null, { heartbeatIntervalMs: 700 });
    await member.pass(699);
    expect(member.asked).toEqual([]);
    await member.pass(1);
    expect(member.says()).toBe("1");
  });

  test("beats while the application works, and while it polls", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat();
    await member.beat();
    await member.comeBack();
    await member.beat();
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
  });

  test("sends nothing while a heartbeat is under way, whatever the news", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.pass(intervalMs);
    member.subscribe(["orders", "refunds"]);
    await member.pass(4 * intervalMs);
    expect(member.asked).toEqual(["ConsumerGroupHeartbeat"]);
    await member.answer();
    expect(member.says()).toBe("1 topics");
  });

  test("goes on in the epoch that the broker names", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(null, { memberEpoch: 7 });
    expect(member.membership.identity.generationId).toBe(7);
    await member.pass(intervalMs);
    expect(member.says()).toBe("7");
  });
});

describe("ConsumerMembership, subscribing to something else", () => {
  test("says so at once, and nothing besides, and keeps its place and its partitions", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.subscribe(["refunds", "orders"]);
    await member.settle();
    expect([member.owned, member.told]).toEqual([["orders-0"], []]);
    expect(bodyOf(member.takeBeat())).toEqual({
      groupId: "billing",
      memberId: memberIdOf(member),
      memberEpoch: 1,
      instanceId: null,
      subscribedTopicNames: ["orders", "refunds"],
      topicPartitions: null,
    });
  });

  test("says it once", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.subscribe(["orders", "refunds"]);
    await member.settle();
    await member.answer();
    await member.pass(intervalMs);
    expect(member.says()).toBe("1");
  });

  test("says nothing where it subscribed to the same topics again", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.subscribe(["orders"]);
    await member.settle();
    expect(member.asked).toEqual([]);
  });

  test("says it while the application works", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    member.subscribe(["orders", "refunds"]);
    await member.settle();
    expect(member.says()).toBe("1 topics");
  });

  test("says another pattern of the broker's syntax", async () => {
    const member = new ConsumerMember();
    member.subscription.clear();
    member.subscription.subscribeServerPattern(new SubscriptionPattern("ref.*"), member.listener);
    await member.join(["refunds-0"]);
    member.subscription.subscribeServerPattern(new SubscriptionPattern("o.*"), member.listener);
    await member.settle();
    expect(bodyOf(member.takeBeat())).toMatchObject({ subscribedTopicNames: [], subscribedTopicRegex: "o.*" });
  });

  test("takes a pattern back that it told of when it subscribes to names, and says no pattern before", async () => {
    const member = new ConsumerMember({ groupInstanceId: "host-1" });
    await member.settle();
    expect(bodyOf(member.takeBeat()).subscribedTopicRegex).toBeUndefined();
    void member.membership.leave("unsubscribed", false, new Deadline(member.clock, 1_000));
    member.subscription.clear();
    member.subscription.subscribeServerPattern(new SubscriptionPattern("ref.*"), member.listener);
    await member.settle();
    member.sent.length = 0;
    void member.membership.leave("unsubscribed", false, new Deadline(member.clock, 1_000));
    member.subscription.clear();
    member.subscribe(["orders"]);
    await member.settle();
    const farewell = member.takeBeat();
    expect(bodyOf(farewell).memberEpoch).toBe(-2);
    expect(bodyOf(member.takeBeat())).toMatchObject({
      memberEpoch: 0,
      subscribedTopicNames: ["orders"],
      subscribedTopicRegex: "",
    });
  });

  test("says what a pattern matches from now on", async () => {
    const member = new ConsumerMember();
    member.subscription.clear();
    member.subscription.subscribePattern(/s$/, member.listener, Number.NEGATIVE_INFINITY);
    member.subscription.match(member.cluster.metadata);
    await member.join(["orders-0"]);
    member.clock.advance(10);
    member.learn("orders", "refunds", "payments");
    member.subscription.match(member.cluster.metadata);
    await member.settle();
    expect(bodyOf(member.takeBeat()).subscribedTopicNames).toEqual(["orders", "payments", "refunds"]);
  });
});
