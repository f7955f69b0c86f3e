import type { Deserializer } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { WakeupError } from "../../src/errors.ts";
import { bodyOf, named } from "./scripted-group.ts";
import { consumerOf, type TestConsumer, textOf } from "./test-consumer.ts";

/** Writes values in capitals, when the test lets it. */
class HeldDeserializer implements Deserializer<Uint8Array> {
  /** What it was asked for. */
  readonly asked: string[] = [];
  #held: (() => void)[] = [];

  deserialize(bytes: Buffer): Promise<Uint8Array> {
    this.asked.push(bytes.toString());
    return new Promise((resolve) => {
      this.#held.push(() => resolve(Buffer.from(bytes.toString().toUpperCase())));
    });
  }

  release(): void {
    for (const release of this.#held.splice(0)) release();
  }
}

/** A member that has these partitions, and whose values are held. */
async function fixture(options: Parameters<typeof consumerOf>[0] = {}, names: readonly string[] = ["orders-0"]) {
  const values = new HeldDeserializer();
  const consumer = await consumerOf({ valueDeserializer: values, ...options }, names);
  const stateOf = (name: string) => consumer.member.assignment.get(named(name)[0] ?? { topic: "", partition: 0 });
  /** Begins a poll that finds records. */
  const poll = async (signal?: AbortSignal) => {
    const polling = consumer.begin(1_000, signal);
    await consumer.settle();
    return { polling };
  };
  const release = async () => {
    values.release();
    await consumer.settle();
  };
  return { consumer, values, stateOf, poll, release };
}

describe("Polls.next, with a deserializer that gives promises", () => {
  test("awaits all records that it has found at once, and then hands them out", async () => {
    const { consumer, values, poll, release } = await fixture();
    await consumer.arrive("orders-0", 3);
    const { polling } = await poll();
    expect(values.asked).toEqual(["v0", "v1", "v2"]);
    await release();
    expect(await polling).toBe("V0 V1 V2");
    expect(consumer.offset("orders-0")).toBe(3n);
  });

  test("is the only one meanwhile", async () => {
    const { consumer, poll, release } = await fixture();
    await consumer.arrive("orders-0", 1);
    const { polling } = await poll();
    expect(await consumer.poll()).toBe("STATE");
    await release();
    expect(await polling).toBe("V0");
  });

  test("takes the time that it takes, and fetches nothing meanwhile", async () => {
    const { consumer, poll, release } = await fixture();
    await consumer.arrive("orders-0", 1);
    const { polling } = await poll();
    expect(consumer.isPolling).toBe(false);
    consumer.member.clock.advance(2_000);
    await release();
    expect(await polling).toBe("V0");
  });

  test("tells positions as if the records were still to come", async () => {
    const { consumer, stateOf, poll, release } = await fixture();
    await consumer.arrive("orders-0", 2);
    const { polling } = await poll();
    expect(consumer.polls.positionOf(stateOf("orders-0"))?.offset).toBe(0n);
    await release();
    await polling;
    expect(consumer.polls.positionOf(stateOf("orders-0"))?.offset).toBe(2n);
  });

  test("takes the records back where it is woken, and the next one brings them", async () => {
    const { consumer, poll, release } = await fixture();
    await consumer.arrive("orders-0", 2);
    const { polling } = await poll();
    consumer.calls.interrupt(new WakeupError());
    expect(await polling).toBe("WAKEUP");
    expect(consumer.offset("orders-0")).toBe(0n);
    await release();
    await consumer.arrive("orders-0", 2);
    const again = await poll();
    await release();
    expect(await again.polling).toBe("V0 V1");
  });

  test("takes them back where its signal ends it", async () => {
    const { consumer, poll } = await fixture();
    await consumer.arrive("orders-0", 2);
    const controller = new AbortController();
    const { polling } = await poll(controller.signal);
    controller.abort("enough");
    expect(await polling).toBe("enough");
    expect(consumer.offset("orders-0")).toBe(0n);
  });

  test("has them taken back at once where the consumer is closed, before anything is committed", async () => {
    const { consumer, poll } = await fixture();
    await consumer.arrive("orders-0", 2);
    await poll();
    consumer.close();
    consumer.polls.takeBack();
    expect(consumer.offset("orders-0")).toBe(0n);
  });

  test("hands out nothing of what was moved, paused or given up meanwhile", async () => {
    const names = ["orders-0", "orders-1", "orders-2", "orders-3"];
    const { consumer, stateOf, poll, release } = await fixture({}, names);
    for (const name of names) await consumer.arrive(name, 2);
    const { polling } = await poll();
    stateOf("orders-0").seek({ offset: 7n, leaderEpoch: -1 });
    stateOf("orders-1").pause();
    consumer.member.assignment.assign(named("orders-0", "orders-1", "orders-2"));
    await release();
    expect(await polling).toBe("V0 V1");
    expect(names.map((name) => consumer.offset(name))).toEqual([7n, 0n, 2n, undefined]);
  });

  test("goes on where nothing is left of them", async () => {
    const { consumer, stateOf, poll, release } = await fixture();
    await consumer.arrive("orders-0", 2);
    const { polling } = await poll();
    stateOf("orders-0").seek({ offset: 1n, leaderEpoch: -1 });
    await release();
    await consumer.arrive("orders-0", 1);
    await consumer.settle();
    await release();
    expect(await polling).toBe("V1");
  });

  test("counts no time as the application's where it goes on waiting afterwards", async () => {
    const { consumer, stateOf, release } = await fixture({ maxPollIntervalMs: 60_000, heartbeatIntervalMs: 40_000 });
    await consumer.arrive("orders-0", 2);
    const polling = consumer.begin(100_000);
    await consumer.settle();
    stateOf("orders-0").seek({ offset: 1n, leaderEpoch: -1 });
    await release();
    consumer.member.clock.advance(99_999);
    await consumer.settle();
    expect(consumer.member.state).toBe("STABLE");
    consumer.member.clock.advance(1);
    await consumer.settle();
    expect(await polling).toBe("nothing");
  });

  test("lets a member be found stuck, hands out nothing of what it has lost by then, and says so", async () => {
    const { consumer, poll, release } = await fixture({ maxPollIntervalMs: 60_000 });
    const { member } = consumer;
    await consumer.arrive("orders-0", 2);
    const { polling } = await poll();
    member.clock.advance(59_999);
    await consumer.settle();
    expect(member.state).toBe("STABLE");
    member.clock.advance(1);
    await consumer.settle();
    expect(member.state).toBe("UNJOINED");
    await release();
    expect(await polling).toBe("nothing");
    expect(member.told).toEqual(["lost orders-0"]);
  });

  test("commits by itself nothing of what it has not handed out", async () => {
    const { consumer, poll, release } = await fixture({ enableAutoCommit: true, autoCommitIntervalMs: 1_000 });
    await consumer.arrive("orders-0", 2);
    const { polling } = await poll();
    consumer.member.clock.advance(1_000);
    await consumer.settle();
    expect(consumer.member.asked).toEqual([]);
    await release();
    await polling;
    await consumer.poll();
    expect(bodyOf(consumer.member.takeCommit()).topics[0]?.partitions[0]?.committedOffset).toBe(2n);
  });
});

describe("Polls.records, with a deserializer that gives promises", () => {
  async function next(consumer: TestConsumer, records: ReturnType<TestConsumer["polls"]["records"]>) {
    const reading = records.next();
    await consumer.settle();
    return reading;
  }

  test("gives record after record, and takes back what the loop does not finish", async () => {
    const { consumer, values } = await fixture();
    await consumer.arrive("orders-0", 3);
    const records = consumer.polls.records(undefined);
    const first = next(consumer, records);
    await consumer.settle();
    values.release();
    const { value } = await first;
    expect(value === undefined ? null : textOf(value)).toBe("V0");
    await next(consumer, records);
    await records.return();
    expect(consumer.offset("orders-0")).toBe(1n);
  });

  test("takes back all of it where it is closed while values are awaited, and is over", async () => {
    const { consumer } = await fixture();
    await consumer.arrive("orders-0", 3);
    const records = consumer.polls.records(undefined);
    const first = next(consumer, records);
    await consumer.settle();
    consumer.close();
    expect(await first).toEqual({ value: undefined, done: true });
    expect(consumer.offset("orders-0")).toBe(0n);
  });
});
