import { ConnectionError, Deadline, type OffsetAndMetadata } from "@odradek/network";
import { BrokerError, type BrokerErrorName, codeOf, KafkaError, UnsupportedVersionError } from "@odradek/protocol";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { describe, expect, test } from "vitest";
import { CommitFailedError } from "../../src/group/group-errors.ts";
import type { MemberIdentity } from "../../src/group/member-identity.ts";
import { OffsetCommits } from "../../src/offsets/offset-commits.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { bodyOf, committedAs, named, outcome, scriptedCoordinator, taken, turn } from "../group/scripted-group.ts";

const member: MemberIdentity = { memberId: "me", generationId: 4, groupInstanceId: null };
const closed = () => new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed");

/** The commits of a member, and what it is told of those that the group refuses. */
function fixture(identity: MemberIdentity | Error = member) {
  const { options, clock, cluster, coordinator, finder, metrics, values } = scriptedCoordinator();
  const refused: string[] = [];
  const accepted: bigint[] = [];
  const state = { identity };
  const committer = {
    committer: () => {
      if (state.identity instanceof Error) throw state.identity;
      return state.identity;
    },
    commitRefused: (error: BrokerError, { memberId, generationId }: MemberIdentity) => {
      refused.push(`${error.code} of ${memberId} ${generationId}`);
      return new CommitFailedError(error);
    },
    commitAccepted: ([first]: readonly OffsetAndMetadata[]) => {
      accepted.push(first?.offset ?? -1n);
    },
  };
  const commits = new OffsetCommits(options, coordinator, committer, clock, metrics);
  const sent: OutgoingRequest[] = [];
  const look = () => {
    const { requests, nextMs } = commits.poll(clock.now());
    sent.push(...requests);
    return nextMs;
  };
  /** Commits this offset of both partitions of `refunds`. */
  const commit = (offset: bigint, { isRetried = true, timeoutMs = 60_000 } = {}) =>
    outcome(
      commits.commit(
        named("refunds-0", "refunds-1").map((partition) => ({ ...partition, offset, leaderEpoch: null, metadata: "" })),
        new Deadline(clock, timeoutMs),
        isRetried,
      ),
    );
  const take = () => taken(sent, OffsetCommit);
  const answer = (...errors: readonly [BrokerErrorName?, BrokerErrorName?]) => {
    const [first = "NONE", second = first] = errors;
    take().onAnswer(committedAs({ "refunds-0": first, "refunds-1": second }));
  };
  return {
    clock,
    cluster,
    coordinator,
    finder,
    commits,
    sent,
    look,
    commit,
    take,
    answer,
    refused,
    accepted,
    state,
    options,
    values,
  };
}

/** The offset that a request is to commit. */
const offsetOf = ({ take }: ReturnType<typeof fixture>) => bodyOf(take()).topics[0]?.partitions[0]?.committedOffset;

describe("OffsetCommits", () => {
  test("commits all offsets by topic, as the member that commits", async () => {
    const { commits, look, take, clock } = fixture();
    const offsets = [
      { topic: "orders", partition: 0, offset: 7n, leaderEpoch: 3, metadata: "note" },
      { topic: "refunds", partition: 1, offset: 0n, leaderEpoch: null, metadata: "" },
      { topic: "orders", partition: 2, offset: 9n, leaderEpoch: null, metadata: "" },
    ];
    const committing = outcome(commits.commit(offsets, new Deadline(clock, 1_000), true));
    look();
    const request = take();
    expect(bodyOf(request)).toEqual({
      groupId: "billing",
      memberId: "me",
      generationIdOrMemberEpoch: 4,
      groupInstanceId: null,
      topics: [
        {
          name: "orders",
          partitions: [
            { partitionIndex: 0, committedOffset: 7n, committedLeaderEpoch: 3, committedMetadata: "note" },
            { partitionIndex: 2, committedOffset: 9n, committedLeaderEpoch: -1, committedMetadata: "" },
          ],
        },
        {
          name: "refunds",
          partitions: [{ partitionIndex: 1, committedOffset: 0n, committedLeaderEpoch: -1, committedMetadata: "" }],
        },
      ],
    });
    request.onAnswer(committedAs({ "orders-0": "NONE", "orders-2": "NONE", "refunds-1": "NONE" }));
    expect(await committing).toBe("done");
  });

  test("goes past a JoinGroup that is held, and names topics", () => {
    const { commit, look, take } = fixture();
    void commit(1n);
    look();
    const { options } = take();
    expect([options?.purpose, options?.bounds]).toEqual([undefined, { newest: 9 }]);
  });

  test("takes a version that has the name of a static member", () => {
    const { commit, look, take } = fixture({ ...member, groupInstanceId: "host-1" });
    void commit(1n);
    look();
    const request = take();
    expect(request.options?.bounds).toEqual({ newest: 9, oldest: 7 });
    expect(bodyOf(request).groupInstanceId).toBe("host-1");
  });

  test("commits one after the other, in the order in which it was asked", async () => {
    const group = fixture();
    const ends: string[] = [];
    void group.commit(1n).then(() => ends.push("first"));
    void group.commit(2n).then(() => ends.push("second"));
    group.look();
    group.look();
    expect(group.sent).toHaveLength(1);
    group.answer();
    group.look();
    expect(offsetOf(group)).toBe(2n);
    expect(ends).toEqual([]);
    await turn();
    expect(ends).toEqual(["first"]);
  });

  test("keeps the order where the first has to be tried again", async () => {
    const group = fixture();
    const first = group.commit(1n);
    void group.commit(2n, { isRetried: false });
    group.look();
    group.answer("COORDINATOR_LOAD_IN_PROGRESS");
    const nextMs = group.look();
    expect(group.sent).toEqual([]);
    expect(nextMs - group.clock.now()).toBeGreaterThanOrEqual(group.options.retryBackoffMs * 0.8);
    group.clock.advanceTo(nextMs);
    group.look();
    group.answer();
    expect(await first).toBe("done");
    group.look();
    expect(offsetOf(group)).toBe(2n);
  });

  test("waits until the coordinator is found", async () => {
    const group = fixture();
    group.finder.forget();
    void group.commit(1n);
    group.look();
    expect([group.sent, group.finder.looks]).toEqual([[], 1]);
    await turn();
    group.look();
    expect(group.sent).toHaveLength(1);
  });

  test("commits as who it is when its turn comes", () => {
    const group = fixture();
    void group.commit(1n);
    group.state.identity = { ...member, generationId: 5 };
    group.look();
    expect(bodyOf(group.take()).generationIdOrMemberEpoch).toBe(5);
  });

  test("fails all that the member must not commit, and sends nothing", async () => {
    const group = fixture(new CommitFailedError());
    const ends = [group.commit(1n), group.commit(2n)];
    expect(group.look()).toBe(Number.POSITIVE_INFINITY);
    expect(await Promise.all(ends)).toEqual(["COMMIT_FAILED", "COMMIT_FAILED"]);
    expect(group.sent).toEqual([]);
  });

  test.each<[BrokerErrorName, string]>([
    ["GROUP_AUTHORIZATION_FAILED", "refunds-0, refunds-1"],
    ["TOPIC_AUTHORIZATION_FAILED", "refunds"],
    ["OFFSET_METADATA_TOO_LARGE", "refunds-0, refunds-1"],
    ["INVALID_COMMIT_OFFSET_SIZE", "refunds-0, refunds-1"],
    ["INVALID_GROUP_ID", "refunds-0, refunds-1"],
    ["UNKNOWN_SERVER_ERROR", "refunds-0, refunds-1"],
  ])("tells %s at once, of %s", async (name, what) => {
    const { commits, look, answer, clock, refused } = fixture();
    const offsets = named("refunds-0").map((partition) => ({
      ...partition,
      offset: 1n,
      leaderEpoch: null,
      metadata: "",
    }));
    const committing = commits.commit(offsets, new Deadline(clock, 1_000), true);
    look();
    answer(name);
    await expect(committing).rejects.toMatchObject({ code: name, message: expect.stringContaining(`of ${what}: `) });
    expect(refused).toEqual([]);
  });

  test.each<BrokerErrorName>([
    "UNKNOWN_MEMBER_ID",
    "ILLEGAL_GENERATION",
    "REBALANCE_IN_PROGRESS",
    "FENCED_INSTANCE_ID",
  ])("has the member say what comes of %s", async (name) => {
    const { commit, look, answer, refused } = fixture();
    const committing = commit(1n);
    look();
    answer("NONE", name);
    expect(await committing).toBe("COMMIT_FAILED");
    expect(refused).toEqual([`${name} of me 4`]);
  });

  test.each<[BrokerErrorName, boolean]>([
    ["COORDINATOR_LOAD_IN_PROGRESS", false],
    ["UNKNOWN_TOPIC_OR_PARTITION", false],
    ["COORDINATOR_NOT_AVAILABLE", true],
    ["NOT_COORDINATOR", true],
    ["REQUEST_TIMED_OUT", true],
  ])(
    "tries again after %s where that is asked for, and looks for the coordinator anew: %s",
    async (name, looksAnew) => {
      const group = fixture();
      const committing = group.commit(1n);
      group.look();
      group.answer(name);
      expect(group.finder.known() === null).toBe(looksAnew);
      group.look();
      expect(group.sent).toEqual([]);
      group.clock.advance(group.options.retryBackoffMaxMs);
      group.look();
      await turn();
      group.look();
      group.answer();
      expect(await committing).toBe("done");
      expect(group.finder.looks).toBe(looksAnew ? 1 : 0);
    },
  );

  test.each<BrokerErrorName>(["COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR"])(
    "tells %s where no other attempt is asked for",
    async (name) => {
      const { commit, look, answer, clock, options, sent } = fixture();
      const committing = commit(1n, { isRetried: false });
      look();
      answer(name);
      expect(await committing).toBe(name);
      clock.advance(options.retryBackoffMaxMs);
      look();
      expect(sent).toEqual([]);
    },
  );

  test("tries again where the connection was lost, and looks for the coordinator anew", async () => {
    const group = fixture();
    const retried = group.commit(1n);
    group.look();
    group.take().onFailure(closed());
    expect(group.finder.known()).toBeNull();
    group.clock.advance(group.options.retryBackoffMaxMs);
    group.look();
    await turn();
    group.look();
    group.answer();
    expect(await retried).toBe("done");
    const once = group.commit(2n, { isRetried: false });
    group.look();
    group.take().onFailure(closed());
    expect(await once).toBe("CONNECTION");
  });

  test("tells what no other attempt mends", async () => {
    const group = fixture();
    const committing = group.commit(1n);
    group.look();
    group.take().onFailure(new UnsupportedVersionError("no common version"));
    expect(await committing).toBe("UNSUPPORTED_VERSION");
    expect(group.finder.known()).toBe(1);
  });

  test("ends with a TimeoutError that says why, and with it nothing but its own commit", async () => {
    const group = fixture();
    const impatient = group.commits.commit([], new Deadline(group.clock, 1_000), true);
    void impatient.catch(() => {});
    const patient = group.commit(2n);
    group.look();
    group.take().onFailure(closed());
    await turn();
    group.clock.advance(1_000);
    group.look();
    await expect(impatient).rejects.toMatchObject({ code: "TIMEOUT", cause: { code: "CONNECTION" } });
    await turn();
    group.look();
    group.answer();
    expect(await patient).toBe("done");
  });

  test("ends with a TimeoutError that says what the coordinator has refused all the time", async () => {
    const group = fixture();
    const offsets = [{ topic: "refunds", partition: 0, offset: 1n, leaderEpoch: null, metadata: "" }];
    const committing = group.commits.commit(offsets, new Deadline(group.clock, 1_000), true);
    group.look();
    group.answer("UNKNOWN_TOPIC_OR_PARTITION");
    group.clock.advanceTo(group.clock.now() + 1_000);
    group.look();
    await expect(committing).rejects.toMatchObject({ code: "TIMEOUT", cause: { code: "UNKNOWN_TOPIC_OR_PARTITION" } });
  });

  test("takes a late answer for nothing but its own commit", async () => {
    const group = fixture();
    const first = group.commit(1n, { timeoutMs: 1_000 });
    const second = group.commit(2n);
    group.look();
    const late = group.take();
    group.clock.advance(1_000);
    group.look();
    expect(await first).toBe("TIMEOUT");
    late.onAnswer(committedAs({ "refunds-0": "TOPIC_AUTHORIZATION_FAILED" }));
    group.answer();
    expect(await second).toBe("done");
  });

  test("tells the committer of what was accepted, before who waits is told, and of nothing else", async () => {
    const group = fixture();
    const seen: (readonly bigint[])[] = [];
    void group.commit(1n).then(() => seen.push([...group.accepted]));
    group.look();
    group.answer("COORDINATOR_LOAD_IN_PROGRESS");
    expect(group.accepted).toEqual([]);
    group.clock.advanceTo(group.look());
    group.look();
    group.answer();
    expect(group.accepted).toEqual([1n]);
    await turn();
    expect(seen).toEqual([[1n]]);
    const refused = group.commit(2n);
    group.look();
    group.answer("GROUP_AUTHORIZATION_FAILED");
    await refused;
    const late = group.commit(3n, { timeoutMs: 100 });
    group.look();
    const request = group.take();
    group.clock.advance(100);
    group.look();
    await late;
    request.onAnswer(committedAs({ "refunds-0": "NONE", "refunds-1": "NONE" }));
    expect(group.accepted).toEqual([1n]);
  });

  test("says when the first deadline is, of all that wait", () => {
    const group = fixture();
    void group.commit(1n, { timeoutMs: 5_000 });
    void group.commit(2n, { timeoutMs: 1_000 });
    expect(group.look()).toBe(group.clock.now() + 1_000);
    expect(group.look()).toBe(group.clock.now() + 1_000);
  });

  test("does not go through all that wait at each look: there may be many while there is no coordinator", async () => {
    const group = fixture();
    group.finder.forget();
    let reads = 0;
    const deadline = new Proxy(new Deadline(group.clock, 1_000), {
      get: (target, name) => {
        if (name === "atMs") reads += 1;
        return Reflect.get(target, name);
      },
    });
    const ends: Promise<string>[] = [];
    for (let count = 0; count < 1_000; count++) {
      ends.push(outcome(group.commits.commit([], deadline, false)));
      group.look();
    }
    expect(reads).toBeLessThan(10_000);
    expect(group.look()).toBe(deadline.atMs);
    group.clock.advanceTo(deadline.atMs);
    group.look();
    expect(new Set(await Promise.all(ends))).toEqual(new Set(["TIMEOUT"]));
  });

  test("ends all that wait, and takes no notice of what comes for them", async () => {
    const group = fixture();
    const ends = [group.commit(1n), group.commit(2n)];
    group.look();
    const request = group.take();
    group.commits.cancel(new KafkaError("closed", { code: "CLOSED" }));
    request.onAnswer(committedAs({ "refunds-0": "UNKNOWN_MEMBER_ID" }));
    expect(await Promise.all(ends)).toEqual(["CLOSED", "CLOSED"]);
    expect(group.refused).toEqual([]);
    expect(group.look()).toBe(Number.POSITIVE_INFINITY);
  });

  test("fails all where it must not be asked who the coordinator is, and sends nothing", async () => {
    const group = fixture();
    group.finder.forget();
    group.finder.finds = new BrokerError(codeOf("GROUP_AUTHORIZATION_FAILED"), "who");
    const first = group.commit(1n);
    group.look();
    await turn();
    // Known by another way, such as by somebody who asked with other rights.
    group.finder.finds = 1;
    await group.finder.find("group", ["billing"], new Deadline(group.clock, 1));
    group.look();
    expect(await first).toBe("GROUP_AUTHORIZATION_FAILED");
    expect(group.sent).toEqual([]);
    group.coordinator.takeError();
    void group.commit(2n);
    group.look();
    expect(offsetOf(group)).toBe(2n);
  });

  test("is idle when all that was to be committed is, or could not be", async () => {
    const group = fixture();
    let isIdle = false;
    void group.commit(1n);
    void group.commit(2n);
    void group.commits.idle().then(() => {
      isIdle = true;
    });
    group.look();
    group.answer();
    group.look();
    await turn();
    expect(isIdle).toBe(false);
    group.answer("TOPIC_AUTHORIZATION_FAILED");
    await turn();
    expect(isIdle).toBe(true);
  });

  test("measures each answer, whatever it says", async () => {
    const { clock, look, commit, answer, values } = fixture();
    const failing = commit(7n, { isRetried: false });
    look();
    clock.advance(30);
    answer("UNKNOWN_TOPIC_OR_PARTITION");
    const committing = commit(8n);
    look();
    clock.advance(10);
    answer();
    expect([await failing, await committing]).toEqual(["UNKNOWN_TOPIC_OR_PARTITION", "done"]);
    expect(values()).toMatchObject({ "commit-latency-avg": 20, "commit-latency-max": 30, "commit-total": 2 });
  });
});
