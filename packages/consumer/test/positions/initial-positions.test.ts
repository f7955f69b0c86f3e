import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { describe, expect, test } from "vitest";
import { CommittedOffsets } from "../../src/offsets/committed-offsets.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { InitialPositions } from "../../src/positions/initial-positions.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import {
  bodyOf,
  groupOptions,
  named,
  namesOf,
  offsetsAs,
  scriptedCoordinator,
  taken,
  turn,
} from "../group/scripted-group.ts";

/** A consumer that was assigned two partitions just now. */
function fixture(given: Parameters<typeof groupOptions>[0] = {}, isInGroup = true) {
  const { options, clock, coordinator, changes } = scriptedCoordinator(groupOptions(given));
  const assignment = new SubscriptionState();
  assignment.assign(named("orders-0", "orders-1"));
  const committed = new CommittedOffsets(options, coordinator, clock);
  const onChange = () => {
    changes.count += 1;
  };
  const positions = new InitialPositions(options, assignment, isInGroup ? committed : null, clock, onChange);
  const sent: OutgoingRequest[] = [];
  const look = () => {
    positions.poll();
    sent.push(...committed.poll(clock.now()).requests);
  };
  const answer = async (...answer: Parameters<typeof offsetsAs>) => {
    taken(sent, OffsetFetch).onAnswer(offsetsAs(...answer));
    await turn();
  };
  const state = (partition: number) => assignment.get({ topic: "orders", partition });
  return { assignment, positions, sent, look, answer, state, changes };
}

describe("InitialPositions", () => {
  test("begins where the group has committed, with the epoch, in one request for all", async () => {
    const { look, sent, answer, state, changes, positions } = fixture();
    look();
    look();
    expect(namesOf(sent)).toEqual(["OffsetFetch"]);
    const before = changes.count;
    await answer({ "orders-0": { offset: 42n, leaderEpoch: 3 }, "orders-1": { offset: 0n } });
    expect(state(0).position).toEqual({ offset: 42n, leaderEpoch: 3 });
    expect(state(1).position).toEqual({ offset: 0n, leaderEpoch: -1 });
    expect([positions.takeError(), changes.count]).toEqual([null, before + 1]);
    look();
    expect(sent).toEqual([]);
  });

  test("does not ask the group where all have a position, or are to be reset", () => {
    const { look, sent, state } = fixture();
    state(0).seek({ offset: 7n, leaderEpoch: -1 });
    state(1).requestReset({ kind: "latest" });
    look();
    expect(sent).toEqual([]);
  });

  test("begins as the policy says where the group has committed nothing", async () => {
    const { look, answer, state } = fixture({ autoOffsetReset: "earliest" });
    look();
    await answer({ "orders-0": { offset: 42n }, "orders-1": {} });
    expect(state(0).position?.offset).toBe(42n);
    expect([state(1).state, state(1).resetTo]).toEqual(["AWAIT_RESET", { kind: "earliest" }]);
  });

  test("begins as the policy says without a group, and asks nobody", () => {
    const { look, sent, state } = fixture({ autoOffsetReset: "latest" }, false);
    look();
    expect(sent).toEqual([]);
    expect([state(0).resetTo, state(1).resetTo]).toEqual([{ kind: "latest" }, { kind: "latest" }]);
  });

  test("tells of all partitions without an offset where the policy is none, and asks again when the user does", async () => {
    const { look, sent, answer, state, positions } = fixture({ autoOffsetReset: "none" });
    look();
    await answer({});
    look();
    expect(sent).toEqual([]);
    expect(positions.takeError()).toMatchObject({
      code: "NO_OFFSET",
      partitions: [{ partition: 0 }, { partition: 1 }],
    });
    expect(state(0).state).toBe("INITIALIZING");
    look();
    expect(namesOf(sent)).toEqual(["OffsetFetch"]);
  });

  test("tells what the group refuses, once, and asks again when the user does", async () => {
    const { look, sent, answer, positions } = fixture();
    look();
    await answer({}, { error: "GROUP_AUTHORIZATION_FAILED" });
    look();
    expect(sent).toEqual([]);
    expect(positions.takeError()).toMatchObject({ code: "GROUP_AUTHORIZATION_FAILED" });
    expect(positions.takeError()).toBeNull();
    look();
    expect(namesOf(sent)).toEqual(["OffsetFetch"]);
  });

  test("leaves alone what was sent elsewhere meanwhile", async () => {
    const { look, answer, state, positions } = fixture({ autoOffsetReset: "none" });
    look();
    state(0).seek({ offset: 7n, leaderEpoch: -1 });
    state(1).requestReset({ kind: "latest" });
    await answer({ "orders-0": { offset: 42n } });
    expect(state(0).position?.offset).toBe(7n);
    expect(state(1).resetTo).toEqual({ kind: "latest" });
    expect(positions.takeError()).toBeNull();
  });

  test("gives nothing to a partition that was given up and came back, which is asked for anew", async () => {
    const { look, answer, state, assignment, sent } = fixture();
    look();
    assignment.assign([]);
    assignment.assign(named("orders-0"));
    await answer({ "orders-0": { offset: 42n }, "orders-1": { offset: 1n } });
    expect(state(0).state).toBe("INITIALIZING");
    look();
    expect(bodyOf(taken(sent, OffsetFetch), 7).topics).toEqual([{ name: "orders", partitionIndexes: [0] }]);
  });

  test("tells of no partition without an offset that was given up meanwhile", async () => {
    const { look, answer, assignment, positions } = fixture({ autoOffsetReset: "none" });
    look();
    assignment.assign([]);
    await answer({});
    expect(positions.takeError()).toBeNull();
  });

  test("asks at once for what is added while an answer is on its way", () => {
    const { look, assignment, sent } = fixture();
    look();
    assignment.assign(named("orders-0", "orders-1", "orders-2"));
    look();
    taken(sent, OffsetFetch);
    expect(bodyOf(taken(sent, OffsetFetch), 7).topics).toEqual([{ name: "orders", partitionIndexes: [2] }]);
  });
});
