import { ConnectionError, Deadline } from "@odradek/network";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import { consumerMemberOf } from "./consumer-member.ts";
import { ClassicDriver, ConsumerDriver } from "./membership-drivers.ts";
import { joined, named, synced } from "./scripted-group.ts";
import { memberOf, TestMember } from "./test-member.ts";

const protocols = [
  ["ClassicMembership", ClassicDriver],
  ["ConsumerMembership", ConsumerDriver],
] as const;

describe.each(protocols)("the metrics of %s", (_, Driver) => {
  test("have nothing of a group before it has a place there", () => {
    const { values } = new Driver().member;
    expect(values()).toMatchObject({
      "assigned-partitions": 0,
      "heartbeat-total": 0,
      "rebalance-total": 0,
      "last-heartbeat-seconds-ago": -1,
      "last-rebalance-seconds-ago": -1,
    });
  });

  test("count rebalances, and the partitions that it has by them", async () => {
    const driver = new Driver();
    const { clock, values } = driver.member;
    await driver.join("orders-0", "orders-1");
    expect(values()).toMatchObject({ "rebalance-total": 1, "assigned-partitions": 2 });
    await driver.announce("orders-1", "orders-2", "orders-3");
    await driver.finish("orders-1", "orders-2", "orders-3");
    clock.advance(3_000);
    expect(values()).toMatchObject({
      "rebalance-total": 2,
      "failed-rebalance-total": 0,
      "assigned-partitions": 3,
      "last-rebalance-seconds-ago": 3,
    });
  });

  test("measure heartbeats by their answers, refusals too, and know when the last was sent", async () => {
    const driver = new Driver();
    const { member } = driver;
    await driver.join("orders-0");
    const before = member.values()["heartbeat-total"] ?? Number.NaN;
    await member.pass(300);
    await driver.refuse("COORDINATOR_LOAD_IN_PROGRESS");
    member.clock.advance(1_000);
    const answered = { "heartbeat-total": before + 1, "heartbeat-response-time-max": 300 };
    expect(member.values()).toMatchObject({ ...answered, "last-heartbeat-seconds-ago": 1 });
    await driver.disconnect();
    expect(member.values()).toMatchObject(answered);
  });

  test("measure how long the listener takes", async () => {
    const driver = new Driver();
    const { member } = driver;
    member.onCall = (call) => {
      if (call.startsWith("assigned")) member.clock.advance(10);
      if (call.startsWith("revoked")) member.clock.advance(20);
      if (call.startsWith("lost")) member.clock.advance(40);
    };
    await driver.join("orders-0");
    await driver.refuse("UNKNOWN_MEMBER_ID");
    await driver.join("orders-1");
    await driver.announce("orders-2");
    await driver.finish("orders-2");
    expect(member.told).toEqual([
      "assigned orders-0",
      "lost orders-0",
      "assigned orders-1",
      "revoked orders-1",
      "assigned orders-2",
    ]);
    expect(member.values()).toMatchObject({
      "partition-assigned-latency-avg": 10,
      "partition-assigned-latency-max": 10,
      "partition-revoked-latency-max": 20,
      "partition-lost-latency-max": 40,
    });
  });

  test("count what is lost with a lost place as lost also where the listener takes it for revoked", async () => {
    const driver = new Driver();
    const { member } = driver;
    member.subscription.subscribe(["orders"], { onPartitionsRevoked: () => member.clock.advance(30) });
    await driver.join("orders-0");
    await driver.refuse("UNKNOWN_MEMBER_ID");
    expect(member.values()).toMatchObject({
      "partition-lost-latency-max": 30,
      "partition-assigned-latency-max": Number.NaN,
    });
  });
});

describe("the metrics of ClassicMembership", () => {
  test("measure the requests of a rebalance, and the rebalance from one to the other", async () => {
    const member = new TestMember();
    await member.settle();
    const join = member.take(JoinGroup);
    member.clock.advance(100);
    join.onAnswer(joined());
    await member.settle();
    const sync = member.take(SyncGroup);
    member.clock.advance(50);
    sync.onAnswer(synced(named("orders-0")));
    await member.settle();
    expect(member.values()).toMatchObject({
      "join-time-avg": 100,
      "join-time-max": 100,
      "join-rate": 1 / 30.05,
      "join-total": 1,
      "sync-time-avg": 50,
      "sync-time-max": 50,
      "sync-rate": 1 / 30,
      "sync-total": 1,
      "rebalance-latency-max": 150,
      "rebalance-latency-total": 150,
    });
  });

  test("do not take for a failure that a new member is to come again with an id", async () => {
    const member = new TestMember();
    await member.settle();
    member.clock.advance(20);
    member.take(JoinGroup).onAnswer(joined({ error: "MEMBER_ID_REQUIRED", memberId: "me" }));
    await member.join(named("orders-0"));
    expect(member.values()).toMatchObject({
      "join-total": 1,
      "rebalance-latency-max": 20,
      "failed-rebalance-total": 0,
    });
  });

  test("count each attempt that is refused or lost, and the time that they took, in the rebalance that ends well", async () => {
    const member = new TestMember({ retryBackoffMs: 100, retryBackoffMaxMs: 100 });
    await member.settle();
    const startMs = member.clock.now();
    member.take(JoinGroup).onAnswer(joined({ error: "COORDINATOR_LOAD_IN_PROGRESS" }));
    await member.pass(200);
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.take(SyncGroup).onAnswer(synced([], { error: "REBALANCE_IN_PROGRESS" }));
    await member.join(named("orders-0"));
    expect(member.values()).toMatchObject({
      "join-total": 2,
      "sync-total": 1,
      "rebalance-total": 1,
      "rebalance-latency-max": member.clock.now() - startMs,
      "failed-rebalance-total": 2,
    });
  });

  test("count an attempt as failed whose connection is lost", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    expect(member.values()["failed-rebalance-total"]).toBe(1);
  });

  test("count an attempt as failed in which a heartbeat says that its place is lost", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    expect(member.asked).toEqual(["SyncGroup"]);
    await member.beat("UNKNOWN_MEMBER_ID");
    expect(member.values()).toMatchObject({ "failed-rebalance-total": 1, "rebalance-total": 0 });
  });

  test("have neither an end nor a failure of a rebalance in which it leaves", async () => {
    const member = await memberOf(["orders-0"]);
    await member.beat("REBALANCE_IN_PROGRESS");
    expect(member.asked).toContain("JoinGroup");
    void member.membership.leave("bye", false, new Deadline(member.clock, 1_000));
    member.sent.length = 0;
    member.clock.advance(60_000);
    await member.join(named("orders-0"));
    expect(member.values()).toMatchObject({
      "rebalance-total": 2,
      "rebalance-latency-max": 0,
      "failed-rebalance-total": 0,
    });
  });
});

describe("the metrics of ConsumerMembership", () => {
  test("measure a rebalance from the new target to when it has gone there, the listener included", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = () => member.clock.advance(15);
    await member.beat(["orders-1"]);
    expect(member.told).toEqual(["revoked orders-0", "assigned orders-1"]);
    expect(member.values()).toMatchObject({ "rebalance-total": 2, "rebalance-latency-total": 30, "join-total": 0 });
  });

  test("have neither an end nor a failure of a rebalance in which it leaves", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(7n);
    await member.beat(["orders-1"]);
    expect(member.state).toBe("RECONCILING");
    void member.membership.leave("bye", false, new Deadline(member.clock, 1_000));
    member.clock.advance(60_000);
    await member.join(["orders-0"]);
    expect(member.values()).toMatchObject({
      "rebalance-total": 2,
      "rebalance-latency-max": 0,
      "failed-rebalance-total": 0,
    });
  });

  test("count a rebalance as failed in which it loses its place", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(7n);
    // What is done with is being committed, and nobody answers.
    await member.beat(["orders-1"]);
    expect(member.state).toBe("RECONCILING");
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    expect(member.values()).toMatchObject({ "rebalance-total": 1, "failed-rebalance-total": 1 });
  });
});
