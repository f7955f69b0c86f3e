import { AsyncLocalStorage } from "node:async_hooks";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { describe, expect, test, vi } from "vitest";
import { RecordingLogger } from "../../../network/test/recording-logger.ts";
import { ListenerTurn } from "../../src/group/listener-turn.ts";
import { outsider } from "../../src/group/member-identity.ts";
import { AutoCommit } from "../../src/offsets/auto-commit.ts";
import { type Committer, OffsetCommits } from "../../src/offsets/offset-commits.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { committedAs, groupOptions, named, scriptedCoordinator, taken, turn } from "./scripted-group.ts";

const nothing = () => Promise.resolve();

/** A turn of one that has read `orders-0` up to 42, and commits that by itself, unless the user does. */
function fixture(enableAutoCommit = true) {
  const { options, clock, coordinator, metrics } = scriptedCoordinator(groupOptions({ enableAutoCommit }));
  const assignment = new SubscriptionState();
  assignment.assign(named("orders-0"));
  assignment.get({ topic: "orders", partition: 0 }).seek({ offset: 42n, leaderEpoch: 3 });
  const committer: Committer = { committer: () => outsider(null), commitRefused: (error) => error };
  const commits = new OffsetCommits(options, coordinator, committer, clock, metrics);
  const autoCommit = new AutoCommit(options, commits, committer, assignment, clock, new RecordingLogger());
  let changes = 0;
  const listenerTurn = new ListenerTurn(autoCommit, clock, () => {
    changes += 1;
  });
  const sent: OutgoingRequest[] = [];
  const look = () => sent.push(...commits.poll(clock.now()).requests);
  const answer = async () => {
    look();
    taken(sent, OffsetCommit).onAnswer(committedAs({ "orders-0": "NONE" }));
    await turn();
  };
  return { clock, listenerTurn, look, answer, changes: () => changes };
}

describe("ListenerTurn", () => {
  test("is due at once where nothing is to be committed", () => {
    const { listenerTurn, changes } = fixture();
    expect([listenerTurn.isUnderWay, listenerTurn.take()]).toEqual([false, null]);
    listenerTurn.begin(null, nothing);
    expect([listenerTurn.isUnderWay, changes()]).toEqual([true, 1]);
    expect(listenerTurn.take()).not.toBeNull();
  });

  test("is due at once where the user commits", () => {
    const { listenerTurn } = fixture(false);
    listenerTurn.begin(1_000, nothing);
    expect(listenerTurn.take()).not.toBeNull();
  });

  test("is taken once, and over when all calls were made, even where one throws", async () => {
    const { listenerTurn, changes } = fixture();
    listenerTurn.begin(null, () => Promise.reject(new Error("no")));
    const run = listenerTurn.take();
    expect([listenerTurn.take(), listenerTurn.isUnderWay]).toEqual([null, true]);
    await expect(run?.()).rejects.toThrow("no");
    expect([listenerTurn.isUnderWay, changes()]).toEqual([false, 2]);
  });

  test("is not run any more once it is called off, and what runs ends without touching the next one", async () => {
    const { listenerTurn } = fixture();
    listenerTurn.begin(null, nothing);
    listenerTurn.cancel();
    expect([listenerTurn.take(), listenerTurn.isUnderWay]).toEqual([null, false]);
    listenerTurn.begin(null, nothing);
    const running = listenerTurn.take()?.();
    listenerTurn.cancel();
    listenerTurn.begin(null, nothing);
    await running;
    expect(listenerTurn.take()).not.toBeNull();
  });

  test("is due when what is done with is committed", async () => {
    const { listenerTurn, answer, changes } = fixture();
    listenerTurn.begin(1_000, nothing);
    expect([listenerTurn.take(), listenerTurn.isUnderWay, changes()]).toEqual([null, true, 0]);
    await answer();
    expect(changes()).toBe(1);
    expect(listenerTurn.take()).not.toBeNull();
  });

  test("waits for that no longer than it may", async () => {
    const { listenerTurn, clock, look } = fixture();
    listenerTurn.begin(1_000, nothing);
    look();
    clock.advance(1_000);
    look();
    await turn();
    expect(listenerTurn.take()).not.toBeNull();
  });

  test("takes no notice of a commit that ends after it was called off", async () => {
    const { listenerTurn, answer } = fixture();
    listenerTurn.begin(1_000, nothing);
    listenerTurn.cancel();
    listenerTurn.begin(1_000, nothing);
    await answer();
    expect([listenerTurn.take(), listenerTurn.isUnderWay]).toEqual([null, true]);
    await answer();
    expect(listenerTurn.take()).not.toBeNull();
  });
});

test("where contexts are tracked, they are while a listener is called, and not afterwards", async () => {
  const { listenerTurn } = fixture();
  const enable = vi.spyOn(AsyncLocalStorage.prototype, "run");
  const disable = vi.spyOn(AsyncLocalStorage.prototype, "disable");
  const [one, other] = [happening(), happening()];
  const second = fixture().listenerTurn;
  listenerTurn.begin(null, () => one.happened);
  second.begin(null, () => other.happened);
  const calls = [listenerTurn.take()?.(), second.take()?.()];
  one.happen();
  await calls[0];
  expect([enable.mock.calls.length, disable.mock.calls.length]).toEqual([2, 0]);
  other.happen();
  await calls[1];
  expect(disable.mock.calls.length).toBe(1);
  vi.restoreAllMocks();
});

function happening(): { readonly happened: Promise<void>; readonly happen: () => void } {
  let happen = () => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}
