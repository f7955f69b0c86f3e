import { ClosedError, Deadline } from "@odradek/network";
import type { BrokerError, BrokerErrorName } from "@odradek/protocol";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../../network/test/recording-logger.ts";
import { outsider } from "../../src/group/member-identity.ts";
import { AutoCommit, consumedOffsets } from "../../src/offsets/auto-commit.ts";
import { OffsetCommits } from "../../src/offsets/offset-commits.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import {
  bodyOf,
  committedAs,
  groupOptions,
  named,
  outcome,
  scriptedCoordinator,
  taken,
  turn,
} from "../group/scripted-group.ts";

/** A consumer that has read `orders-0` up to 42, and nothing of `orders-1`; it commits every five seconds. */
function fixture(given: Parameters<typeof groupOptions>[0] = {}) {
  const { options, clock, coordinator, metrics } = scriptedCoordinator(groupOptions(given));
  const assignment = new SubscriptionState();
  assignment.assign(named("orders-0", "orders-1"));
  const state = assignment.get({ topic: "orders", partition: 0 });
  state.seek({ offset: 42n, leaderEpoch: 3 });
  const logger = new RecordingLogger();
  const committer = { committer: () => outsider(null), commitRefused: (error: BrokerError) => error };
  const commits = new OffsetCommits(options, coordinator, committer, clock, metrics);
  const autoCommit = new AutoCommit(options, commits, committer, assignment, clock, logger);
  const sent: OutgoingRequest[] = [];
  /** What is sent after the application polls; the interval may be over. */
  const poll = () => {
    autoCommit.poll(clock.now());
    sent.push(...commits.poll(clock.now()).requests);
    return sent.length;
  };
  const answer = async (error: BrokerErrorName = "NONE") => {
    taken(sent, OffsetCommit).onAnswer(committedAs({ "orders-0": error }));
    await turn();
  };
  return { options, clock, assignment, state, logger, commits, autoCommit, sent, poll, answer };
}

describe("AutoCommit", () => {
  test("commits when the interval is over and the application polls, and then not before it is over again", async () => {
    const { clock, sent, poll, answer, state } = fixture();
    clock.advance(4_999);
    expect(poll()).toBe(0);
    clock.advance(1);
    expect(poll()).toBe(1);
    await answer();
    state.seek({ offset: 43n, leaderEpoch: -1 });
    clock.advance(4_999);
    expect(poll()).toBe(0);
    clock.advance(1);
    poll();
    expect(bodyOf(taken(sent, OffsetCommit)).topics).toEqual([
      {
        name: "orders",
        partitions: [{ partitionIndex: 0, committedOffset: 43n, committedLeaderEpoch: -1, committedMetadata: "" }],
      },
    ]);
  });

  test("has one commit under way", async () => {
    const { clock, poll, answer, state, sent } = fixture();
    clock.advance(5_000);
    expect(poll()).toBe(1);
    clock.advance(5_000);
    expect(poll()).toBe(1);
    state.seek({ offset: 43n, leaderEpoch: -1 });
    await answer();
    // Not what was read when the first was still under way.
    poll();
    expect(bodyOf(taken(sent, OffsetCommit)).topics[0]?.partitions[0]?.committedOffset).toBe(43n);
  });

  test("tries again after the back-off where the error may pass", async () => {
    const { clock, poll, answer, options, logger } = fixture();
    clock.advance(5_000);
    poll();
    await answer("COORDINATOR_LOAD_IN_PROGRESS");
    expect(logger.count("auto-commit failed")).toBe(1);
    clock.advance(options.retryBackoffMs - 1);
    expect(poll()).toBe(0);
    clock.advance(1);
    expect(poll()).toBe(1);
  });

  test("waits for the next interval where the error will not pass", async () => {
    const { clock, poll, answer, options } = fixture();
    clock.advance(5_000);
    poll();
    await answer("TOPIC_AUTHORIZATION_FAILED");
    clock.advance(options.retryBackoffMs);
    expect(poll()).toBe(0);
    clock.advance(5_000);
    expect(poll()).toBe(1);
  });

  test("commits nothing where nothing was read, or the user does not want it", () => {
    const idle = fixture();
    idle.assignment.assign(named("orders-1"));
    idle.clock.advance(5_000);
    expect([idle.autoCommit.isNeeded, idle.poll()]).toEqual([false, 0]);
    const manual = fixture({ enableAutoCommit: false });
    manual.clock.advance(5_000);
    expect([manual.autoCommit.isNeeded, manual.poll()]).toEqual([false, 0]);
  });

  test("commits now, and tries again as long as it may", async () => {
    const { clock, poll, answer, autoCommit, options } = fixture();
    const committing = outcome(autoCommit.now(new Deadline(clock, 1_000)));
    expect(poll()).toBe(1);
    await answer("COORDINATOR_LOAD_IN_PROGRESS");
    clock.advance(options.retryBackoffMs * 1.2);
    expect(poll()).toBe(1);
    await answer();
    expect(await committing).toBe("done");
  });

  test("says which topic it is that was read, where that is known", async () => {
    const { clock, sent, poll, state } = fixture();
    clock.advance(5_000);
    poll();
    const byName = taken(sent, OffsetCommit);
    expect(byName.options?.bounds).toEqual({ newest: 9 });
    byName.onAnswer(committedAs({ "orders-0": "NONE" }));
    await turn();
    const topicId = "Q7h5NahmQJy9rxBH8iO0XA";
    state.ledBy({ topicId, leaderEpoch: 3 });
    clock.advance(5_000);
    poll();
    const byId = taken(sent, OffsetCommit);
    expect(byId.options?.bounds).toEqual({});
    expect(bodyOf(byId).topics).toMatchObject([{ name: "orders", topicId, partitions: [{ committedOffset: 42n }] }]);
  });

  test("waits for no topic that was deleted: whoever waits for the commit goes on", async () => {
    const { clock, poll, answer, autoCommit, commits, logger, options } = fixture();
    const committing = outcome(autoCommit.now(new Deadline(clock, 300_000)));
    expect(poll()).toBe(1);
    await answer("UNKNOWN_TOPIC_OR_PARTITION");
    expect(await committing).toBe("done");
    expect(logger.count("auto-commit failed")).toBe(1);
    clock.advance(options.retryBackoffMaxMs);
    expect(commits.poll(clock.now()).requests).toEqual([]);
  });

  test("ends without an error, and with a warning, where it could not commit", async () => {
    const { clock, poll, autoCommit, logger } = fixture();
    const committing = outcome(autoCommit.now(new Deadline(clock, 1_000)));
    poll();
    clock.advance(1_000);
    poll();
    expect(await committing).toBe("done");
    expect(logger.count("auto-commit failed")).toBe(1);
  });

  test("warns of nothing where the consumer was closed", async () => {
    const { clock, autoCommit, commits, logger } = fixture();
    const committing = outcome(autoCommit.now(new Deadline(clock, 1_000)));
    commits.cancel(new ClosedError("consumer"));
    expect(await committing).toBe("done");
    expect(logger.lines).toEqual([]);
  });
});

test("what is consumed is all that has a position, with the epoch where that is known", () => {
  const { assignment } = fixture();
  assignment.get({ topic: "orders", partition: 1 }).seek({ offset: 1n, leaderEpoch: -1 });
  expect(consumedOffsets(assignment)).toEqual([
    { topic: "orders", partition: 0, offset: 42n, leaderEpoch: 3, metadata: "" },
    { topic: "orders", partition: 1, offset: 1n, leaderEpoch: null, metadata: "" },
  ]);
});
