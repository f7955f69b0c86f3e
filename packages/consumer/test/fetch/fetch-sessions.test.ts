import { Deadline } from "@odradek/network";
import type { Fetch } from "@odradek/protocol/messages/fetch";
import { describe, expect, test } from "vitest";
import { FetchSessions } from "../../src/fetch/fetch-sessions.ts";
import type { RequestTo } from "../../src/outgoing-request.ts";
import { fetchAnswer } from "../answers.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

const answer = (sessionId: number) => ({ ...fetchAnswer("orders", []), sessionId });

/** Sessions with the brokers named, of the same numbers, and whether `end` has settled. */
function fixture(nodeIds: readonly number[], held: readonly number[] = []) {
  const cluster = new TestCluster([topicLedBy("orders", [1, 2, 3])]);
  const startMs = cluster.clock.now();
  const sessions = new FetchSessions(cluster);
  for (const nodeId of nodeIds) sessions.of(nodeId).answered(sessions.of(nodeId).next([]), answer(nodeId));
  const ended = { isOver: false };
  const end = (timeoutMs = 1_000) => {
    const ending = sessions.end((nodeId) => held.includes(nodeId), new Deadline(cluster.clock, timeoutMs));
    void ending.then(() => {
      ended.isOver = true;
    });
  };
  const isOver = async () => {
    await new Promise(setImmediate);
    return ended.isOver;
  };
  const poll = () => {
    const { requests, nextMs } = sessions.poll(cluster.clock.now());
    return { requests, nextMs: nextMs - startMs };
  };
  return { cluster, sessions, end, isOver, poll };
}

const said = ({ nodeId, purpose, parts: { body } }: RequestTo<typeof Fetch>): string => {
  if (typeof body === "function") throw new Error("the body is the same in all versions");
  return `${nodeId} ${purpose}: ${body.sessionId}/${body.sessionEpoch}, ${body.topics.length} topics`;
};

describe("The fetch sessions of a consumer", () => {
  test("are ended once, where a Fetch is held on another connection, and all is over when all have answered", async () => {
    const { end, poll, isOver } = fixture([1, 2], [2]);
    end();
    const { requests, nextMs } = poll();
    expect(requests.map(said)).toEqual(["1 fetch: 1/-1, 0 topics", "2 main: 2/-1, 0 topics"]);
    expect(nextMs).toBe(1_000);
    expect(poll().requests).toEqual([]);
    requests[0]?.parts.onAnswer(answer(0));
    expect(await isOver()).toBe(false);
    requests[1]?.parts.onFailure(new Error("lost"));
    expect(await isOver()).toBe(true);
    expect(poll()).toEqual({ requests: [], nextMs: Number.POSITIVE_INFINITY });
  });

  test("which brokers do not keep need not be ended", async () => {
    const { end, poll, isOver, sessions } = fixture([]);
    sessions.of(1).next([]);
    end();
    expect(poll().requests).toEqual([]);
    expect(await isOver()).toBe(true);
  });

  test("are ended although the last request in them failed", () => {
    const { end, poll, sessions } = fixture([1]);
    sessions.of(1).failed();
    end();
    expect(poll().requests.map(said)).toEqual(["1 fetch: 1/-1, 0 topics"]);
  });

  test("wait for a connection that is being made, and not for one that failed, nor for a broker that is no more", async () => {
    const { cluster, end, poll, isOver } = fixture([1, 2, 77]);
    cluster.unready.set(1, Number.POSITIVE_INFINITY).set(2, 400).set(77, Number.POSITIVE_INFINITY);
    end();
    expect(poll()).toEqual({ requests: [], nextMs: 1_000 });
    expect(await isOver()).toBe(false);
    cluster.unready.clear();
    const { requests } = poll();
    expect(requests.map(said)).toEqual(["1 fetch: 1/-1, 0 topics"]);
    requests[0]?.parts.onAnswer(answer(0));
    expect(await isOver()).toBe(true);
  });

  test("are waited for until the deadline", async () => {
    const { cluster, end, poll, isOver } = fixture([1]);
    end(50);
    poll();
    cluster.clock.advanceTo(cluster.clock.now() + 50);
    poll();
    expect(await isOver()).toBe(true);
  });
});
