import { ClosedError, ConnectionError, Deadline, TimeoutError } from "@odradek/network";
import { UnsupportedVersionError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { topicAnswer } from "../../../network/test/metadata-answers.ts";
import { resolveConsumerOptions } from "../../src/consumer-options.ts";
import { OffsetLookup } from "../../src/positions/offset-lookup.ts";
import { listAnswer, listed } from "../answers.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

/** `orders`, whose partitions 0 to 2 are led by 1, 2, 1. */
function fixture() {
  const cluster = new TestCluster([topicLedBy("orders", [1, 2, 1])]);
  const lookup = new OffsetLookup(
    resolveConsumerOptions({ bootstrapServers: ["127.0.0.1:9092"] }),
    cluster,
    cluster.clock,
  );
  const ask = (partitions: readonly number[], timestamp = -1n, timeoutMs = 5_000) =>
    lookup.lookUp(
      partitions.map((partition) => ({ topic: "orders", partition, timestamp })),
      new Deadline(cluster.clock, timeoutMs),
    );
  const poll = () => lookup.poll(cluster.clock.now());
  return { cluster, lookup, ask, poll };
}

const offsets = (found: ReadonlyMap<string, { readonly offset: bigint }>) =>
  [...found].map(([key, { offset }]) => `${key}@${offset}`);

describe("OffsetLookup", () => {
  test("asks each leader once, and answers when all of them have", async () => {
    const { ask, poll, lookup } = fixture();
    const answer = ask([0, 1, 2]);
    expect(lookup.size).toBe(1);
    const { requests, nextMs } = poll();
    expect(requests.map(({ nodeId }) => nodeId)).toEqual([1, 2]);
    expect(nextMs).toBe(6_000);
    requests[1]?.parts.onAnswer(listAnswer("orders", [listed(1, 11n)]));
    expect(poll().requests).toEqual([]);
    requests[0]?.parts.onAnswer(listAnswer("orders", [listed(0, 10n), listed(2, 12n)]));
    expect(offsets(await answer)).toEqual(["orders-1@11", "orders-0@10", "orders-2@12"]);
    expect(lookup.size).toBe(0);
  });

  test("answers at once where nothing is asked", async () => {
    const { ask } = fixture();
    expect(offsets(await ask([]))).toEqual([]);
  });

  test("names the topics that it needs metadata of, as long as it does", async () => {
    const { ask, poll, lookup } = fixture();
    const answer = ask([1]);
    expect([...lookup.topics]).toEqual(["orders"]);
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, 11n)]));
    await answer;
    expect([...lookup.topics]).toEqual([]);
  });

  test("asks again, after a pause, for those alone that had an error that may pass", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([0, 2]);
    const [first] = poll().requests;
    first?.parts.onAnswer(listAnswer("orders", [listed(0, 10n), listed(2, -1n, { error: "NOT_LEADER_OR_FOLLOWER" })]));
    expect(cluster.updatesRequested).toBe(1);
    const { requests, nextMs } = poll();
    expect(requests).toEqual([]);
    expect(nextMs).toBeLessThan(1_200);
    cluster.learn([topicLedBy("orders", [1, 2, 3])]);
    cluster.clock.advance(200);
    const [second] = poll().requests;
    expect(second?.nodeId).toBe(3);
    second?.parts.onAnswer(listAnswer("orders", [listed(2, 12n)]));
    expect(offsets(await answer)).toEqual(["orders-0@10", "orders-2@12"]);
  });

  test("asks again after a lost connection", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([1]);
    poll().requests[0]?.parts.onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    cluster.clock.advance(200);
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, 11n)]));
    expect(offsets(await answer)).toEqual(["orders-1@11"]);
  });

  test("takes a log that does not keep times for one in which nothing was found", async () => {
    const { ask, poll } = fixture();
    const answer = ask([1], 1_234n);
    const error = "UNSUPPORTED_FOR_MESSAGE_FORMAT";
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n, { error })]));
    expect(offsets(await answer)).toEqual(["orders-1@-1"]);
  });

  test("does not take a log that ends before it begins, and asks again", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([1], -1n, 300);
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, -5n)]));
    expect(poll().requests).toEqual([]);
    cluster.clock.advance(299);
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n)]));
    cluster.clock.advance(1);
    poll();
    await expect(answer).rejects.toMatchObject({
      code: "TIMEOUT",
      cause: { code: "DECODE", message: "the offset of orders-1: the broker says -1" },
    });
  });

  test("gives up at the deadline, and says why", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([1], -1n, 300);
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n, { error: "LEADER_NOT_AVAILABLE" })]));
    cluster.clock.advance(300);
    expect(poll()).toEqual({ requests: [], nextMs: Number.POSITIVE_INFINITY });
    await expect(answer).rejects.toThrow(TimeoutError);
    await expect(answer).rejects.toMatchObject({
      message: expect.stringContaining("orders-1"),
      cause: { code: "LEADER_NOT_AVAILABLE" },
    });
  });

  test("does not take an answer that comes after the deadline", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([1], -1n, 300);
    const [late] = poll().requests;
    cluster.clock.advance(300);
    poll();
    late?.parts.onAnswer(listAnswer("orders", [listed(1, 11n)]));
    await expect(answer).rejects.toThrow(TimeoutError);
  });

  test("ends with an error that will not pass", async () => {
    const { ask, poll, cluster } = fixture();
    const denied = ask([1]);
    poll().requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n, { error: "TOPIC_AUTHORIZATION_FAILED" })]));
    await expect(denied).rejects.toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
    const old = ask([1]);
    poll().requests[0]?.parts.onFailure(new UnsupportedVersionError("no common version"));
    await expect(old).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
    cluster.learn([topicAnswer("orders", [], { errorCode: 29 })]);
    const hidden = ask([1]);
    poll();
    await expect(hidden).rejects.toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
  });

  test("asks for metadata while the leader is not known", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([7]);
    expect(poll().requests).toEqual([]);
    expect(cluster.updatesRequested).toBe(1);
    cluster.clock.advance(5_000);
    poll();
    await expect(answer).rejects.toThrow(TimeoutError);
  });

  test("ends where nothing can be learned of the cluster, after it was asked once more", async () => {
    const { ask, poll, cluster } = fixture();
    const answer = ask([7]);
    poll();
    cluster.fatalError = new ConnectionError(null, "nobody is a broker", { retriable: false });
    poll();
    expect(cluster.updatesRequested).toBe(2);
    await expect(answer).rejects.toBe(cluster.fatalError);
  });

  test("ends all calls when it is told to", async () => {
    const { ask, lookup } = fixture();
    const answers = [ask([0]), ask([1])];
    lookup.cancel(new ClosedError("consumer"));
    for (const answer of answers) await expect(answer).rejects.toThrow(ClosedError);
    expect(lookup.size).toBe(0);
  });
});
