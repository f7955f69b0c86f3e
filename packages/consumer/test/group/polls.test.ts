import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import { OffsetOutOfRangeError } from "../../src/errors.ts";
import { counted } from "../log.ts";
import { bodyOf, committedAs, joined, named, synced } from "./scripted-group.ts";
import { consumerOf, TestConsumer, textOf } from "./test-consumer.ts";

const cooperative = { partitionAssignmentStrategy: ["cooperative-sticky"] } as const;

describe("Polls.next", () => {
  test("gives what is there, up to the limit, and nothing when the time is over", async () => {
    const consumer = await consumerOf({ maxPollRecords: 2 });
    await consumer.arrive("orders-0", 3);
    expect([await consumer.poll(), await consumer.poll(), await consumer.poll()]).toEqual(["v0 v1", "v2", "nothing"]);
    expect(await consumer.poll(100)).toBe("waits");
  });

  test("gives what is there before it says what is wrong, which waits for no more than that", async () => {
    const consumer = await consumerOf({ maxPollRecords: 1 });
    await consumer.arrive("orders-0", 4);
    const polls: string[] = [];
    for (let times = 0; times < 4; times++) {
      consumer.error = new OffsetOutOfRangeError([{ topic: "orders", partition: 1, offset: 7n }]);
      polls.push(await consumer.poll());
    }
    expect(polls).toEqual(["v0", "OFFSET_OUT_OF_RANGE", "v1", "OFFSET_OUT_OF_RANGE"]);
  });

  test("is refused while another waits, and where there is nothing to read", async () => {
    const consumer = await consumerOf();
    expect(await consumer.poll(100)).toBe("waits");
    expect(await consumer.poll()).toBe("STATE");
    consumer.member.clock.advance(100);
    await consumer.settle();
    consumer.member.subscription.clear();
    expect(await consumer.poll()).toBe("STATE");
  });

  test("calls the listener within a poll, be it one that has no time, and never between polls", async () => {
    const consumer = new TestConsumer();
    const { member } = consumer;
    expect(await consumer.poll()).toBe("nothing");
    member.take(JoinGroup).onAnswer(joined());
    await consumer.settle();
    member.take(SyncGroup).onAnswer(synced(named("orders-0")));
    await consumer.settle();
    expect([member.told, member.owned]).toEqual([[], []]);
    expect(await consumer.poll()).toBe("nothing");
    expect([member.told, member.owned]).toEqual([["assigned orders-0"], ["orders-0"]]);
  });

  test("asks for nothing while the listener works, and goes on when it is done", async () => {
    const consumer = await consumerOf();
    const { member } = consumer;
    let finish = () => {};
    member.onCall = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    member.membership.requestRejoin("test");
    expect(await consumer.poll(1_000)).toBe("waits");
    expect([member.told, consumer.isPolling, member.asked]).toEqual([["revoked orders-0"], false, []]);
    finish();
    await consumer.settle();
    expect([consumer.isPolling, member.asked]).toEqual([true, ["JoinGroup"]]);
  });

  test("throws what the listener throws, and the next one goes on", async () => {
    const consumer = await consumerOf();
    consumer.member.onCall = () => {
      throw new Error("no");
    };
    consumer.member.membership.requestRejoin("test");
    expect(await consumer.poll()).toBe("LISTENER");
    expect(await consumer.poll()).toBe("nothing");
    expect(consumer.member.asked).toEqual(["JoinGroup"]);
  });

  test("hands out nothing of what is being given up, while that is committed and while the listener is told", async () => {
    const consumer = await consumerOf({ enableAutoCommit: true });
    const { member } = consumer;
    await consumer.arrive("orders-0", 3);
    expect(await consumer.poll()).toBe("v0 v1 v2");
    member.membership.requestRejoin("test");
    await consumer.arrive("orders-0", 3);
    expect(await consumer.poll()).toBe("nothing");
    const commit = member.takeCommit();
    expect(bodyOf(commit).topics[0]?.partitions[0]?.committedOffset).toBe(3n);
    let finish = () => {};
    member.onCall = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    commit.onAnswer(committedAs({ "orders-0": "NONE" }));
    expect(await consumer.poll(100)).toBe("waits");
    expect(member.told).toEqual(["revoked orders-0"]);
    finish();
    await consumer.settle();
    expect(member.owned).toEqual([]);
  });

  test("hands out what a cooperative member keeps while it joins", async () => {
    const consumer = await consumerOf(cooperative);
    consumer.member.membership.requestRejoin("test");
    await consumer.poll();
    await consumer.poll();
    expect(consumer.member.asked).toEqual(["JoinGroup"]);
    await consumer.arrive("orders-0", 2);
    expect(await consumer.poll()).toBe("v0 v1");
  });

  test("hands out nothing of what was lost while the application did not poll, and says so first", async () => {
    const consumer = await consumerOf({ maxPollIntervalMs: 60_000 });
    const { member } = consumer;
    await consumer.arrive("orders-0", 3);
    member.clock.advance(60_000);
    await consumer.settle();
    expect([member.state, member.told]).toEqual(["UNJOINED", []]);
    expect(await consumer.poll()).toBe("nothing");
    expect(await consumer.poll()).toBe("nothing");
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
  });

  test("counts the time between polls, and the listener's, and no time of a poll that waits", async () => {
    const consumer = await consumerOf({ maxPollIntervalMs: 60_000, heartbeatIntervalMs: 40_000 });
    expect(await consumer.poll(100_000)).toBe("waits");
    consumer.member.clock.advance(99_999);
    await consumer.settle();
    expect(consumer.member.state).toBe("STABLE");
    consumer.member.clock.advance(1);
    await consumer.settle();
    consumer.member.clock.advance(59_999);
    await consumer.settle();
    expect(consumer.member.state).toBe("STABLE");
    consumer.member.clock.advance(1);
    await consumer.settle();
    expect(consumer.member.state).toBe("UNJOINED");
  });

  test("commits by itself what the polls before have handed out, and nothing more", async () => {
    const consumer = await consumerOf({ enableAutoCommit: true, autoCommitIntervalMs: 1_000 });
    await consumer.arrive("orders-0", 2);
    consumer.member.clock.advance(900);
    await consumer.poll();
    consumer.member.clock.advance(100);
    await consumer.settle();
    expect(consumer.member.asked).toEqual([]);
    await consumer.arrive("orders-0", 3);
    expect(await consumer.poll()).toBe("v2 v3 v4");
    expect(bodyOf(consumer.member.takeCommit()).topics[0]?.partitions[0]?.committedOffset).toBe(2n);
  });
});

describe("Polls.records", () => {
  /** Reads so many records in a loop, and leaves it. */
  async function read(consumer: TestConsumer, count: number): Promise<string[]> {
    const values: string[] = [];
    for await (const record of consumer.polls.records(undefined)) {
      values.push(textOf(record));
      if (values.length === count) break;
    }
    return values;
  }
  const settled = async <T>(consumer: TestConsumer, reading: Promise<T>): Promise<T> => {
    await consumer.settle();
    return reading;
  };

  test("takes back the record at which a loop is left, and those behind it, of all partitions", async () => {
    const consumer = await consumerOf({}, ["orders-0", "orders-1"]);
    await consumer.arrive("orders-0", 3);
    await consumer.arrive("orders-1", 2);
    expect(await settled(consumer, read(consumer, 2))).toEqual(["v0", "v1"]);
    expect([consumer.offset("orders-0"), consumer.offset("orders-1")]).toEqual([1n, 0n]);
  });

  test("takes back the same where the loop throws", async () => {
    const consumer = await consumerOf();
    await consumer.arrive("orders-0", 3);
    const reading = (async () => {
      for await (const record of consumer.polls.records(undefined)) if (textOf(record) === "v1") throw new Error("no");
    })();
    void reading.catch(() => {});
    await consumer.settle();
    await expect(reading).rejects.toThrow("no");
    expect(consumer.offset("orders-0")).toBe(1n);
  });

  test("takes back nothing of what was finished, nor where somebody has moved the position meanwhile", async () => {
    const consumer = await consumerOf({}, ["orders-0", "orders-1"]);
    await consumer.arrive("orders-0", 1);
    await consumer.arrive("orders-1", 2);
    const records = consumer.polls.records(undefined);
    const first = records.next();
    await consumer.settle();
    await first;
    await records.next();
    consumer.member.assignment.get({ topic: "orders", partition: 1 }).seek({ offset: 7n, leaderEpoch: -1 });
    await records.return();
    expect([consumer.offset("orders-0"), consumer.offset("orders-1")]).toEqual([1n, 7n]);
  });

  test("takes back nothing of a partition that is another's meanwhile", async () => {
    const consumer = await consumerOf();
    await consumer.arrive("orders-0", 2);
    const records = consumer.polls.records(undefined);
    const first = records.next();
    await consumer.settle();
    await first;
    consumer.member.assignment.assign([]);
    consumer.member.assignment.assign(named("orders-0"));
    await records.return();
    expect(consumer.offset("orders-0")).toBeUndefined();
  });

  test("is over, after a close, behind the record that it is at, which counts as not finished", async () => {
    const consumer = await consumerOf();
    await consumer.arrive("orders-0", 3);
    const records = consumer.polls.records(undefined);
    const first = records.next();
    await consumer.settle();
    await first;
    await records.next();
    consumer.close();
    consumer.polls.takeBack();
    expect(consumer.offset("orders-0")).toBe(1n);
    expect(await records.next()).toEqual({ value: undefined, done: true });
    expect(consumer.offset("orders-0")).toBe(1n);
  });

  test("commits by itself what the loop has finished, when it needs more", async () => {
    const consumer = await consumerOf({ enableAutoCommit: true, autoCommitIntervalMs: 1_000 });
    await consumer.arrive("orders-0", 2);
    const records = consumer.polls.records(undefined);
    const first = records.next();
    await consumer.settle();
    await first;
    consumer.member.clock.advance(1_000);
    await records.next();
    await consumer.settle();
    expect(consumer.member.asked).toEqual([]);
    const third = records.next();
    await consumer.settle();
    expect(bodyOf(consumer.member.takeCommit()).topics[0]?.partitions[0]?.committedOffset).toBe(2n);
    await consumer.arrive("orders-0", 1);
    await consumer.settle();
    expect((await third).done).toBe(false);
  });
});

describe("where a loop stands", () => {
  test("is said with the epoch of the record before only where none is missing between, which may be of a later one", async () => {
    const consumer = await consumerOf();
    const before = await counted(2, { leaderEpoch: 4 });
    // At 2 a transaction has ended, in an epoch that began there.
    await consumer.arrive("orders-0", Buffer.concat([before, await counted(1, { baseOffset: 3, leaderEpoch: 5 })]));
    const state = consumer.member.assignment.get({ topic: "orders", partition: 0 });
    const positions: unknown[] = [];
    const loop = consumer.polls.records(undefined);
    for (let times = 0; times < 3; times++) {
      const next = loop.next();
      await consumer.settle();
      await next;
      positions.push(consumer.polls.positionOf(state));
    }
    expect(positions).toEqual([
      { offset: 1n, leaderEpoch: 4 },
      { offset: 3n, leaderEpoch: -1 },
      { offset: 4n, leaderEpoch: 5 },
    ]);
  });
});
