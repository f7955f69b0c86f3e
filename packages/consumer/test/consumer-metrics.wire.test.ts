import { afterEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing, quiet } from "../../network/test/passing.ts";
import { KafkaConsumer } from "../src/consumer.ts";
import { fetchAnswer, fetched } from "./answers.ts";
import { counted } from "./log.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const partitionsOf = (...partitions: readonly number[]) =>
  partitions.map((partition) => ({ topic: "orders", partition }));

/** A consumer of `orders-0`, whose five records are all that has come of a log that ends at 12. */
async function fixture() {
  const records = await counted(5);
  const broker = await ScriptedBroker.start({
    fetch: ({ offset }) =>
      fetchAnswer("orders", [fetched(0, { highWatermark: 12n, records: offset < 5 ? records : Buffer.alloc(0) })]),
  });
  const clock = new ManualClock();
  const options = { bootstrapServers: broker.bootstrapServers, clientId: "reader", maxPollRecords: 3 };
  const consumer = new KafkaConsumer({ ...options, autoOffsetReset: "earliest" }, clock);
  // Closing waits for nothing that goes by the clock.
  opened.push(broker, consumer);
  consumer.assign(partitionsOf(0));
  const { pass, passUntil } = passing(clock);
  const poll = async () => {
    let count = -1;
    const polling = consumer.poll(5_000).then((found) => {
      count = found.count;
    });
    await passUntil(() => count >= 0);
    await polling;
    // What it has asked for behind that is answered too.
    await quiet();
    return count;
  };
  /** Values by name, of the groups that do not belong to the network. */
  const values = (tags: { readonly topic?: string; readonly partition?: string } = {}) =>
    Object.fromEntries(
      consumer
        .metrics()
        .filter((metric) => metric.tags["topic"] === tags.topic && metric.tags["partition"] === tags.partition)
        .map(({ name, value }) => [name, value]),
    );
  return { records, clock, consumer, pass, poll, values };
}

describe("KafkaConsumer.metrics", () => {
  test("says what was consumed, in all, by topic and by partition", async () => {
    const { poll, values, records } = await fixture();
    expect(await poll()).toBe(3);
    expect(values({ topic: "orders", partition: "0" })).toMatchObject({ "records-lag": 9, "records-lead": 3 });
    expect(await poll()).toBe(2);
    const consumed = {
      "records-consumed-total": 5,
      "bytes-consumed-total": records.length,
      "fetch-size-max": records.length,
      "records-per-request-avg": 5,
    };
    expect(values()).toMatchObject({ ...consumed, "records-lag-max": 9, "records-lead-min": 3 });
    expect(values({ topic: "orders" })).toMatchObject(consumed);
    expect(values({ topic: "orders", partition: "0" })).toMatchObject({
      "records-lag": 7,
      "records-lag-max": 9,
      "records-lead": 5,
      "records-lead-min": 3,
    });
  });

  test("says when the application polled", async () => {
    const { poll, pass, values, clock } = await fixture();
    expect(values()["last-poll-seconds-ago"]).toBe(-1);
    await poll();
    const beganMs = clock.now();
    await pass(2_500);
    expect(values()["last-poll-seconds-ago"]).toBe(2);
    await poll();
    expect(values()["last-poll-seconds-ago"]).toBe(0);
    expect(values()["time-between-poll-max"]).toBeGreaterThanOrEqual(clock.now() - beganMs);
    expect(values()["poll-idle-ratio-avg"]).toBeLessThan(1);
  });

  test("says nothing of what is not assigned any more", async () => {
    const { consumer, poll, values } = await fixture();
    await poll();
    consumer.assign(partitionsOf(1));
    expect(values({ topic: "orders", partition: "0" })).toEqual({});
    expect(values({ topic: "orders" })).toMatchObject({ "records-consumed-total": 3 });
    await consumer.unsubscribe();
    expect(values({ topic: "orders" })).toEqual({});
    expect(values()).toMatchObject({ "records-consumed-total": 3 });
  });

  test("has no metrics of a group where there is none, and those of one from the start", async () => {
    const groups = (options = {}) => {
      const consumer = new KafkaConsumer({ bootstrapServers: ["127.0.0.1:9092"], ...options });
      opened.push(consumer);
      return new Set(consumer.metrics().map(({ group }) => group));
    };
    const always = ["consumer-metrics", "consumer-fetch-manager-metrics"];
    expect(groups()).toEqual(new Set(always));
    expect(groups({ groupId: "billing" })).toEqual(new Set([...always, "consumer-coordinator-metrics"]));
  });
});
