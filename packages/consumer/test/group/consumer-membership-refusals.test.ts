import { ConnectionError, Deadline, TimeoutError } from "@odradek/network";
import { type BrokerErrorName, UnsupportedVersionError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ConsumerMember, consumerMemberOf, heard, intervalMs } from "./consumer-member.ts";
import { bodyOf, committedAs, outcome, ScriptedFinder } from "./scripted-group.ts";

const closed = () => new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed");

/** What a member that has `orders-0` does about an error. */
interface Row {
  readonly error: BrokerErrorName;
  /** What its next heartbeat says: at once, unless `later`. */
  readonly says: string;
  readonly later?: true;
  /** Whether it looks for the coordinator first. */
  readonly looksAnew?: true;
  /** Whether its partitions are lost. */
  readonly loses?: true;
  /** Whether the poll throws it; what is lost with that is told, and a place asked for, by the next poll. */
  readonly throws?: true;
}

const passing = (looksAnew: boolean, ...errors: readonly BrokerErrorName[]): Row[] =>
  errors.map((error) => ({
    error,
    says: "1 everything owns orders-0",
    later: true,
    ...(looksAnew ? { looksAnew } : {}),
  }));

const fatal = (...errors: readonly BrokerErrorName[]): Row[] =>
  errors.map((error) => ({ error, says: "0 everything owns", loses: true, throws: true }));

const rows: readonly Row[] = [
  { error: "FENCED_MEMBER_EPOCH", says: "0 everything owns", loses: true },
  { error: "UNKNOWN_MEMBER_ID", says: "0 everything owns", loses: true },
  ...passing(false, "COORDINATOR_LOAD_IN_PROGRESS"),
  ...passing(true, "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR"),
  { error: "TOPIC_AUTHORIZATION_FAILED", says: "1 everything owns orders-0", later: true, throws: true },
  ...fatal(
    "UNRELEASED_INSTANCE_ID",
    "FENCED_INSTANCE_ID",
    "UNSUPPORTED_ASSIGNOR",
    "INVALID_REQUEST",
    "GROUP_MAX_SIZE_REACHED",
    "GROUP_AUTHORIZATION_FAILED",
    "INVALID_REGULAR_EXPRESSION",
    "UNSUPPORTED_VERSION",
    "GROUP_ID_NOT_FOUND",
    "UNKNOWN_SERVER_ERROR",
  ),
];

describe("ConsumerMembership, where a heartbeat is refused", () => {
  test.each(rows)("does about $error what is to be done", async (row) => {
    const { error, says, later, looksAnew, loses, throws } = row;
    const member = await consumerMemberOf(["orders-0"]);
    const { looks } = member.finder;
    await member.beat(null, { error });
    expect(member.thrown).toMatchObject(throws ? [{ code: error }] : []);
    if (later) {
      expect(member.asked).toEqual([]);
      expect(member.nextMs).toBeGreaterThan(member.clock.now());
      await member.pass(member.options.retryBackoffMaxMs);
    } else if (throws) {
      expect([member.state, member.asked, member.told]).toEqual(["FENCED", [], []]);
      expect(member.membership.isHoldingBack).toBe(true);
      await member.settle();
    }
    expect(member.told).toEqual(loses ? ["lost orders-0"] : []);
    expect(member.owned).toEqual(loses ? [] : ["orders-0"]);
    expect(member.finder.looks - looks).toBe(looksAnew ? 1 : 0);
    expect(member.says()).toBe(says);
  });

  test.each(rows)(
    "does about $error, while it joins, what is to be done",
    async ({ error, later, looksAnew, throws }) => {
      const member = new ConsumerMember();
      await member.settle();
      await member.answer(null, { error });
      expect(member.thrown).toMatchObject(throws ? [{ code: error }] : []);
      if (later) expect(member.asked).toEqual([]);
      await member.pass(later ? member.options.retryBackoffMaxMs : 0);
      expect([member.state, member.told]).toEqual(["JOINING", []]);
      expect(member.finder.looks).toBe(looksAnew ? 1 : 0);
      expect(member.says()).toBe("0 everything owns");
    },
  );

  test("says in its error what the broker said", async () => {
    const member = await consumerMemberOf([]);
    await member.beat(null, { error: "UNSUPPORTED_ASSIGNOR", errorMessage: "Supported assignors: uniform." });
    expect(member.thrown.map(({ message }) => message)).toEqual([
      expect.stringContaining("Supported assignors: uniform."),
    ]);
    expect(member.thrown.map(({ message }) => message)).toEqual([expect.stringContaining("billing")]);
  });

  test("waits longer each time, up to the longest back-off, and then no more once it was heard", async () => {
    const member = await consumerMemberOf([]);
    const { retryBackoffMaxMs } = member.options;
    await member.beat(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    const waits: number[] = [];
    for (let attempts = 0; attempts < 8; attempts++) {
      waits.push(member.nextMs - member.clock.now());
      await member.pass(member.nextMs - member.clock.now());
      await member.answer(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    }
    expect(waits[0]).toBeLessThan(retryBackoffMaxMs / 2);
    expect(waits.at(-1)).toBeGreaterThan(retryBackoffMaxMs / 2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1.2 * retryBackoffMaxMs);
    await member.pass(2 * retryBackoffMaxMs);
    await member.answer();
    expect(member.nextMs - member.clock.now()).toBeCloseTo(intervalMs, 3);
    await member.beat(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    expect(member.nextMs - member.clock.now()).toBeLessThan(retryBackoffMaxMs / 2);
  });

  test("does not hurry through its back-off because it subscribed to something else", async () => {
    const member = await consumerMemberOf([]);
    await member.beat(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    member.subscribe(["refunds"]);
    await member.settle();
    expect(member.asked).toEqual([]);
    await member.pass(member.options.retryBackoffMaxMs);
    expect(bodyOf(member.takeBeat()).subscribedTopicNames).toEqual(["refunds"]);
  });

  test("tells nobody of a lost place before the application polls, and hands out nothing meanwhile", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    await member.pass(2 * intervalMs);
    expect([member.state, member.told, member.owned, member.asked]).toEqual(["FENCED", [], ["orders-0"], []]);
    expect(member.membership.isHoldingBack).toBe(true);
    await member.comeBack();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
    expect(member.says()).toBe("0 everything owns");
  });

  test("takes over nothing where its place is lost while the listener works, and tells that all is lost", async () => {
    const member = await consumerMemberOf(["orders-0", "orders-1"]);
    member.onCall = () => {
      member.onCall = () => {};
      member.clock.advance(intervalMs);
      member.look();
      member.takeBeat().onAnswer(heard(null, { error: "FENCED_MEMBER_EPOCH" }));
    };
    await member.beat(["orders-1", "orders-2"]);
    expect([member.told, member.owned]).toEqual([["revoked orders-0", "lost orders-0 orders-1"], []]);
    expect(member.says()).toBe("0 everything owns");
  });

  test("goes on telling the coordinator that it lives while an error about topics waits for a poll", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat(null, { error: "TOPIC_AUTHORIZATION_FAILED" });
    await member.pass(member.options.retryBackoffMaxMs);
    await member.answer();
    await member.beat();
    await member.comeBack();
    expect([member.state, member.owned]).toEqual(["STABLE", ["orders-0"]]);
    expect(member.thrown).toMatchObject([{ code: "TOPIC_AUTHORIZATION_FAILED" }]);
  });

  test("wakes its consumer for an error that a poll is to throw", async () => {
    const member = await consumerMemberOf([]);
    await member.pass(intervalMs);
    let changes = 0;
    member.onChange = () => {
      changes += 1;
    };
    member.takeBeat().onAnswer(heard(null, { error: "GROUP_AUTHORIZATION_FAILED" }));
    expect(changes).toBe(1);
  });

  test("goes towards nothing any more that it was given in the place that it lost", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    await member.answer(null, { memberEpoch: 3 });
    expect([member.state, member.owned, member.told]).toEqual(["STABLE", [], ["lost orders-0"]]);
  });

  test("tells of its first target in a new place, though that is nothing", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    await member.answer([], { memberEpoch: 3 });
    expect(member.told).toEqual(["lost orders-0", "assigned"]);
  });

  test("tells once of what is lost, however often it is looked at before the listener is called", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    member.isPolling = true;
    for (let looks = 0; looks < 3; looks++) member.look();
    await member.settle();
    expect(member.told).toEqual(["lost orders-0"]);
  });

  test("asks for no place before the user was told why the last one was lost", async () => {
    const member = await consumerMemberOf([]);
    member.work();
    await member.beat(null, { error: "GROUP_AUTHORIZATION_FAILED" });
    await member.pass(10 * intervalMs);
    expect(member.asked).toEqual([]);
    await member.comeBack();
    expect([member.thrown.length, member.asked]).toEqual([1, []]);
    await member.settle();
    expect([member.thrown.length, member.asked]).toEqual([1, ["ConsumerGroupHeartbeat"]]);
  });

  test("throws an error again with each poll that meets it", async () => {
    const member = new ConsumerMember();
    for (let polls = 0; polls < 3; polls++) {
      await member.settle();
      await member.answer(null, { error: "GROUP_MAX_SIZE_REACHED" });
    }
    expect(member.thrown.map((error) => "code" in error && error.code)).toEqual(
      Array.from({ length: 3 }, () => "GROUP_MAX_SIZE_REACHED"),
    );
  });
});

describe("ConsumerMembership, where the coordinator is out of reach", () => {
  test("joins once the coordinator is found", async () => {
    const member = new ConsumerMember({}, new ScriptedFinder(null));
    await member.settle();
    expect([member.finder.looks, member.asked]).toEqual([1, ["ConsumerGroupHeartbeat"]]);
  });

  test.each([
    ["the connection is lost", closed()],
    ["no answer comes in time", new TimeoutError("a heartbeat", 30_000)],
  ])("keeps its place, looks for it anew and says everything where %s", async (_, error) => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.pass(intervalMs);
    member.takeBeat().onFailure(error);
    await member.settle();
    expect([member.state, member.owned, member.asked, member.thrown]).toEqual(["STABLE", ["orders-0"], [], []]);
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.finder.looks).toBe(1);
    expect(member.says()).toBe("1 everything owns orders-0");
  });

  test("says everything once, and less again when that was heard", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.pass(intervalMs);
    member.takeBeat().onFailure(closed());
    await member.pass(member.options.retryBackoffMaxMs);
    await member.answer(["orders-0"]);
    expect(member.coordinator.lastError).toBeNull();
    await member.pass(intervalMs);
    expect([member.told, member.says()]).toEqual([[], "1"]);
  });

  test("asks for a place again where it cannot tell whether it got one", async () => {
    const member = new ConsumerMember();
    await member.settle();
    member.takeBeat().onFailure(closed());
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.says()).toBe("0 everything owns");
  });

  test("acknowledges again where it cannot tell whether that was heard", async () => {
    const member = await consumerMemberOf([]);
    await member.beat(["orders-0"]);
    member.takeBeat().onFailure(closed());
    await member.pass(member.options.retryBackoffMaxMs);
    expect([member.state, member.says()]).toEqual(["ACKNOWLEDGING", "1 everything owns orders-0"]);
  });

  test("tells the user of brokers that have no version that would do", async () => {
    const member = new ConsumerMember();
    await member.settle();
    member.takeBeat().onFailure(new UnsupportedVersionError("no common version"));
    await member.settle();
    expect([member.thrown, member.asked]).toMatchObject([[{ code: "UNSUPPORTED_VERSION" }], []]);
    expect(String(member.thrown[0])).toMatch(/Kafka 4\.0.*no common version/);
  });

  test("tells the user of a coordinator that must not be asked for, and tries again with the next poll", async () => {
    const finder = new ScriptedFinder(null);
    finder.finds = new UnsupportedVersionError("no such coordinators");
    const member = new ConsumerMember({}, finder);
    await member.settle();
    expect(member.thrown).toMatchObject([{ code: "UNSUPPORTED_VERSION" }]);
    finder.finds = 1;
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.asked).toEqual(["ConsumerGroupHeartbeat"]);
  });
});

describe("ConsumerMembership, committing", () => {
  const commit = (member: ConsumerMember, isRetried = true) => {
    const offsets = [{ topic: "orders", partition: 0, offset: 7n, leaderEpoch: null, metadata: "" }];
    return outcome(member.commits.commit(offsets, new Deadline(member.clock, 60_000), isRetried));
  };
  const refused = (member: ConsumerMember, error: BrokerErrorName) =>
    member.takeCommit().onAnswer(committedAs({ "orders-0": error }));

  test("commits as who it is, in its epoch", async () => {
    const member = await consumerMemberOf(["orders-0"], { groupInstanceId: "host-1" });
    await member.beat(null, { memberEpoch: 6 });
    void commit(member);
    await member.settle();
    expect(bodyOf(member.takeCommit())).toMatchObject({
      groupId: "billing",
      memberId: member.membership.identity.memberId,
      generationIdOrMemberEpoch: 6,
      groupInstanceId: "host-1",
    });
  });

  test("commits while the coordinator has yet to hear what it owns", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(["orders-0", "orders-1"]);
    const committing = commit(member);
    await member.settle();
    expect(member.state).toBe("ACKNOWLEDGING");
    refused(member, "NONE");
    expect(await committing).toBe("done");
  });

  test("commits again in the epoch that it is in by then, where the one before is stale", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const committing = commit(member);
    await member.pass(intervalMs);
    refused(member, "STALE_MEMBER_EPOCH");
    await member.answer(null, { memberEpoch: 2 });
    expect(member.asked).toEqual([]);
    await member.pass(member.options.retryBackoffMaxMs);
    const again = member.takeCommit();
    expect(bodyOf(again).generationIdOrMemberEpoch).toBe(2);
    again.onAnswer(committedAs({ "orders-0": "NONE" }));
    expect(await committing).toBe("done");
  });

  test("does not commit again what is committed in passing, and keeps its place", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const committing = commit(member, false);
    await member.settle();
    refused(member, "STALE_MEMBER_EPOCH");
    expect(await committing).toBe("COMMIT_FAILED");
    await member.settle();
    expect([member.state, member.owned, member.asked]).toEqual(["STABLE", ["orders-0"], []]);
  });

  test("has lost its place where the group does not know it", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const committing = commit(member);
    await member.settle();
    refused(member, "UNKNOWN_MEMBER_ID");
    expect(await committing).toBe("COMMIT_FAILED");
    await member.settle();
    expect(member.told).toEqual(["lost orders-0"]);
    expect(member.says()).toBe("0 everything owns");
  });

  test("asks for another place at once, though the coordinator was loading before", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    void commit(member);
    await member.settle();
    refused(member, "UNKNOWN_MEMBER_ID");
    await member.settle();
    expect(member.says()).toBe("0 everything owns");
  });

  test("is the same as long as its epoch is, however often it was heard since the commit", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const { identity } = member.membership;
    const committing = commit(member);
    await member.settle();
    await member.beat();
    expect(member.membership.identity).toBe(identity);
    refused(member, "UNKNOWN_MEMBER_ID");
    expect(await committing).toBe("COMMIT_FAILED");
    expect(member.state).toBe("FENCED");
  });

  test("takes no notice of a heartbeat from before, where a commit showed that its place is lost", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.pass(intervalMs);
    const before = member.takeBeat();
    member.work();
    void commit(member);
    await member.settle();
    refused(member, "UNKNOWN_MEMBER_ID");
    before.onAnswer(heard(null, { memberEpoch: 2 }));
    await member.settle();
    expect([member.state, member.membership.identity.generationId]).toEqual(["FENCED", -1]);
    expect(member.membership.isHoldingBack).toBe(true);
    await member.comeBack();
    expect([member.told, member.says()]).toEqual([["lost orders-0"], "0 everything owns"]);
  });

  test("keeps its place where the group did not know the one that it was before", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const committing = commit(member);
    await member.settle();
    const old = member.takeCommit();
    await member.beat(null, { memberEpoch: 2 });
    old.onAnswer(committedAs({ "orders-0": "UNKNOWN_MEMBER_ID" }));
    expect(await committing).toBe("COMMIT_FAILED");
    await member.settle();
    expect([member.state, member.owned, member.asked]).toEqual(["STABLE", ["orders-0"], []]);
  });

  test.each(["FENCED_INSTANCE_ID", "GROUP_AUTHORIZATION_FAILED"] as const)(
    "tells of %s as it is, and keeps its place until a heartbeat says otherwise",
    async (error) => {
      const member = await consumerMemberOf(["orders-0"], { groupInstanceId: "host-1" });
      const committing = commit(member);
      await member.settle();
      refused(member, error);
      expect(await committing).toBe(error);
      await member.settle();
      expect([member.state, member.owned]).toEqual(["STABLE", ["orders-0"]]);
    },
  );

  test("commits nothing without a place", async () => {
    const member = new ConsumerMember();
    await member.settle();
    const joining = commit(member);
    await member.settle();
    expect(await joining).toBe("COMMIT_FAILED");
    expect(member.asked).toEqual(["ConsumerGroupHeartbeat"]);
  });
});
