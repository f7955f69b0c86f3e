import { describe, expect, test } from "vitest";
import { type ConsumerOptions, resolveConsumerOptions } from "../../src/consumer-options.ts";
import { FetchBuffer } from "../../src/fetch/fetch-buffer.ts";
import { Fetcher } from "../../src/fetch/fetcher.ts";
import { FetchMetrics } from "../../src/metrics/fetch-metrics.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { fetchAnswer, fetched } from "../answers.ts";
import { named } from "../group/scripted-group.ts";
import { counted } from "../log.ts";
import { measured } from "../metrics/measured.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

/** A consumer of `orders`, whose partitions 0 and 1 are both led by 1, at offset 10. */
function fixture(given: Partial<ConsumerOptions> = {}) {
  const cluster = new TestCluster([topicLedBy("orders", [1, 1])]);
  const { clock } = cluster;
  const { registry, values } = measured(clock);
  const options = resolveConsumerOptions({ bootstrapServers: ["127.0.0.1:9092"], ...given });
  const assignment = new SubscriptionState();
  const metrics = new FetchMetrics(registry, clock, "read_uncommitted", assignment);
  const buffer = new FetchBuffer<Uint8Array, Uint8Array>(assignment, metrics);
  const fetcher = new Fetcher(options, cluster, assignment, buffer, clock, () => {}, metrics);
  assignment.assign(named("orders-0", "orders-1"));
  for (const state of assignment.partitions()) state.seek({ offset: 10n, leaderEpoch: -1 });
  /** Sends what is due, which is one request. */
  const ask = () => {
    const [request, ...more] = fetcher.poll(clock.now()).requests;
    if (request === undefined || more.length > 0) throw new Error("one request was to be sent");
    return request.parts;
  };
  const of = (partition: number) => values({ topic: "orders", partition });
  return { clock, assignment, buffer, fetcher, ask, values, of };
}

describe("what is measured of fetches", () => {
  test("is of the answer when it comes, and of records when a poll takes them", async () => {
    const { clock, buffer, ask, values, of } = fixture();
    const first = await counted(3, { baseOffset: 10 });
    const other = await counted(2, { baseOffset: 10 });
    const request = ask();
    clock.advance(25);
    const partitions = [fetched(0, { records: first }), fetched(1, { records: other })];
    request.onAnswer({ ...fetchAnswer("orders", partitions), throttleTimeMs: 7 });
    expect(values()).toMatchObject({
      "fetch-total": 1,
      "fetch-latency-max": 25,
      "fetch-throttle-time-max": 7,
      "fetch-size-max": first.length + other.length,
      "bytes-consumed-total": first.length + other.length,
      "records-consumed-total": 0,
    });
    buffer.drain(4);
    expect(values()).toMatchObject({ "records-consumed-total": 4, "records-per-request-avg": 4 });
    expect(values({ topic: "orders" })).toMatchObject({ "records-consumed-total": 4 });
    expect(of(0)).toMatchObject({ "records-lag": 87, "records-lead": 13 });
    expect(of(1)).toMatchObject({ "records-lag": 89, "records-lead": 11 });
    expect(values()).toMatchObject({ "records-lag-max": 89, "records-lead-min": 11 });
    buffer.drain(4);
    expect(values()["records-per-request-avg"]).toBe(5);
    expect(of(1)).toMatchObject({
      "records-lag": 88,
      "records-lag-max": 89,
      "records-lead": 12,
      "records-lead-min": 11,
    });
  });

  test("has the ends of a log also where there is nothing new to read", () => {
    const { ask, values, of } = fixture();
    ask().onAnswer(fetchAnswer("orders", [fetched(0, { highWatermark: 10n }), fetched(1, { highWatermark: 30n })]));
    expect([of(0)["records-lag"], of(1)["records-lag"]]).toEqual([0, 20]);
    expect(values()).toMatchObject({ "fetch-total": 1, "fetch-size-max": Number.NaN, "records-lag-max": 20 });
  });

  test("has the time that a quota takes also where it holds back all that was asked for", () => {
    const { ask, values } = fixture();
    ask().onAnswer({ ...fetchAnswer("orders", []), responses: [], throttleTimeMs: 100 });
    expect(values()).toMatchObject({ "fetch-total": 1, "fetch-throttle-time-max": 100 });
  });

  test("has the replica that the leader sends a partition to", () => {
    const { ask, of } = fixture({ clientRack: "here" });
    ask().onAnswer(fetchAnswer("orders", [fetched(0, { preferredReadReplica: 3 }), fetched(1)]));
    expect([of(0)["preferred-read-replica"], of(1)["preferred-read-replica"]]).toEqual([3, -1]);
  });

  test("has nothing of what a seek made void, or the broker refused", async () => {
    const { ask, assignment, buffer, values, of } = fixture();
    const request = ask();
    assignment.get({ topic: "orders", partition: 0 }).seek({ offset: 5n, leaderEpoch: -1 });
    const records = await counted(3, { baseOffset: 10 });
    const partitions = [fetched(0, { records }), fetched(1, { error: "NOT_LEADER_OR_FOLLOWER", records })];
    request.onAnswer(fetchAnswer("orders", partitions));
    expect(buffer.drain(10)).toBeNull();
    expect(values()).toMatchObject({ "fetch-total": 1, "bytes-consumed-total": 0, "records-consumed-total": 0 });
    expect([of(0), of(1)]).toEqual([{}, {}]);
  });

  test("goes with the partition, when others are asked for", async () => {
    const { assignment, fetcher, clock, ask, of } = fixture();
    ask().onAnswer(fetchAnswer("orders", [fetched(0), fetched(1)]));
    assignment.assign(named("orders-1"));
    expect(of(0)["records-lag"]).toBe(90);
    fetcher.poll(clock.now());
    expect(of(0)).toEqual({});
    expect(of(1)["records-lag"]).toBe(90);
  });
});
