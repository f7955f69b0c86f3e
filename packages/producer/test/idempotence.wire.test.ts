import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import { bad, good, outcomeOf } from "./outcomes.ts";
import { type ProduceCall, ScriptedBroker } from "./scripted-broker.ts";
import { ScriptedCoordinator, type ScriptedCoordinatorOptions } from "./scripted-coordinator.ts";
import { closeInTheEnd, soon as soonBy } from "./soon.ts";

const topic = "orders";

interface Given extends Partial<ProducerOptions> {
  readonly cluster?: ScriptedCoordinatorOptions;
}

/** A producer in time that stands still, and a broker that leads two partitions. */
async function setUp({ cluster, ...options }: Given = {}) {
  const coordinator = new ScriptedCoordinator(cluster);
  const broker = await ScriptedBroker.listen({ coordinator, partitions: 2 });
  const clock = new ManualClock();
  const { pass, passUntil } = passing(clock);
  const given = { lingerMs: 0, retryBackoffMs: 2, retryBackoffMaxMs: 2, reconnectBackoffMs: 2 };
  const bootstrapServers = broker.bootstrapServers;
  const timeouts = { requestTimeoutMs: 1_000, deliveryTimeoutMs: 1_000, maxBlockMs: 100_000 };
  const producer = new KafkaProducer({ bootstrapServers, ...given, ...timeouts, ...options }, clock);
  closeInTheEnd(producer, clock);
  const soon = <T>(what: Promise<T>): Promise<T> => soonBy(clock, what);
  const send = (value: string, partition = 0) => outcomeOf(producer.send({ topic, partition, value }));
  const next = () => soon(broker.nextCall());
  const asked = () => coordinator.asked.filter((what) => what.startsWith("InitProducerId")).length;
  /** Gives `take` whatever comes until `what` is told. */
  const until = async <T>(what: Promise<T>, take: (call: ProduceCall) => void): Promise<T> => {
    let isTold = false;
    const told = () => {
      isTold = true;
    };
    what.then(told, told);
    while (!isTold) {
      await passUntil(() => isTold || broker.waitingCalls > 0);
      while (broker.waitingCalls > 0) take(await broker.nextCall());
    }
    return what;
  };
  return { asked, broker, clock, coordinator, next, pass, producer, send, soon, until };
}

/** Has one record in each partition, so that the leader knows the producer. */
async function known({ send, next, soon }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  const sends = [send("first", 0), send("first", 1)];
  for (let open = 2; open > 0; ) {
    const call = await next();
    open -= call.batches.length;
    good(call);
  }
  await soon(Promise.all(sends));
}

/** Takes whatever comes until these are told, and tells by partition under which numbers it came. */
async function delivered(
  { until }: Awaited<ReturnType<typeof setUp>>,
  sent: readonly Promise<string>[],
): Promise<string[]> {
  const seen: string[] = [];
  const outcomes = await until(Promise.all(sent), (call) => {
    seen.push(...call.batches.map(({ partition }, index) => `${partition}: ${call.sequences[index]}`));
    good(call, 1n);
  });
  expect(outcomes).toEqual(sent.map(() => "@1"));
  return seen.sort();
}

describe("an id", () => {
  test("that is refused fails who waits for it, and is asked for again with the next record only", async () => {
    const { asked, coordinator, next, pass, send, soon } = await setUp();
    coordinator.spoil("InitProducerId", "CLUSTER_AUTHORIZATION_FAILED");
    expect(await soon(send("a"))).toBe("CLUSTER_AUTHORIZATION_FAILED, no");
    await pass(500);
    expect(asked()).toBe(1);
    const granted = send("b");
    good(await next());
    expect(await soon(granted)).toBe("@0");
    expect(asked()).toBe(2);
  });

  test("is asked for again where it is not to be had for now", async () => {
    const { asked, coordinator, next, send, soon } = await setUp();
    coordinator.spoil("InitProducerId", "COORDINATOR_LOAD_IN_PROGRESS", "closed");
    const sent = send("a");
    good(await next());
    expect(await soon(sent)).toBe("@0");
    expect(asked()).toBe(3);
  });

  test("is replaced when its epochs are used up", async () => {
    const all = await setUp({ cluster: { firstEpoch: 0x7fff } });
    const { next, send, soon } = all;
    await known(all);
    const elsewhere = send("elsewhere", 1);
    const open = await next();
    const refused = send("a");
    const second = await next();
    bad(open, "NOT_ENOUGH_REPLICAS");
    bad(second, "INVALID_TIMESTAMP");
    expect(await soon(refused)).toBe("INVALID_TIMESTAMP, no");
    const sent = [elsewhere, send("b"), send("behind", 1)];
    // What was sent before in other partitions stays what it was, and what is new waits for it.
    expect(await delivered(all, sent)).toEqual(["0: 1001/0: 0", "1: 1000/32767: 1", "1: 1001/0: 0"]);
  });
});

describe("a batch whose time is over while it is under way", () => {
  test("changes no epoch where its answer comes later", async () => {
    const all = await setUp();
    const { clock, next, pass, send, soon } = all;
    await known(all);
    const late = send("late");
    const call = await next();
    // Its second attempt begins later than its time, and so ends later.
    clock.advance(500);
    bad(call, "NOT_ENOUGH_REPLICAS");
    const again = await next();
    expect(await soon(late)).toBe("TIMEOUT, maybe");
    const waiting = send("waiting");
    await pass(0);
    good(again, 1n);
    const behind = await next();
    expect(behind.sequences).toEqual(["1000/0: 2"]);
    good(behind, 2n);
    expect(await soon(waiting)).toBe("@2");
  });

  test("leaves a gap where it never comes: the next one begins anew", async () => {
    const all = await setUp();
    const { clock, next, send, soon } = all;
    await known(all);
    const late = send("late");
    const call = await next();
    clock.advance(500);
    bad(call, "NOT_ENOUGH_REPLICAS");
    const again = await next();
    expect(await soon(late)).toBe("TIMEOUT, maybe");
    const waiting = send("waiting");
    again.connection.reset();
    const behind = await next();
    expect(behind.sequences).toEqual(["1000/1: 0"]);
    good(behind, 1n);
    expect(await soon(waiting)).toBe("@1");
  });

  test("is in the log where one behind it is", async () => {
    const all = await setUp({ deliveryTimeoutMs: 2_000, retryBackoffMs: 100, retryBackoffMaxMs: 100 });
    const { clock, next, send, soon, until } = all;
    await known(all);
    const lost = send("lost");
    const first = await next();
    clock.advance(100);
    const behind = send("behind");
    const second = await next();
    // The answer to the first gets lost, as it seems, and that to the second does not.
    bad(first, "NOT_LEADER_OR_FOLLOWER");
    good(second, 2n);
    expect(await soon(behind)).toBe("@2");
    expect(await until(lost, (again) => bad(again, "NOT_LEADER_OR_FOLLOWER"))).toBe("TIMEOUT, yes");
    // It leaves no gap.
    const after = send("after");
    const third = await next();
    expect(third.sequences).toEqual(["1000/0: 3"]);
    good(third, 3n);
    await soon(after);
  });
});

describe("a producer that its leader does not know any more", () => {
  test("asks again where the leader does not know the beginning of its log either", async () => {
    const all = await setUp();
    const { next, send, soon } = all;
    await known(all);
    const sent = send("a");
    bad(await next(), "UNKNOWN_PRODUCER_ID");
    const again = await next();
    expect(again.sequences).toEqual(["1000/0: 1"]);
    good(again, 1n);
    expect(await soon(sent)).toBe("@1");
  });

  test.each([
    ["were deleted", 1n],
    ["are there", 0n],
  ] as const)("begins anew under the next epoch, where its records %s", async (_, logStartOffset) => {
    const all = await setUp();
    const { next, send, soon } = all;
    await known(all);
    const sends = [send("a")];
    const first = await next();
    sends.push(send("b"));
    const second = await next();
    bad(first, "UNKNOWN_PRODUCER_ID", logStartOffset);
    bad(second, "UNKNOWN_PRODUCER_ID", logStartOffset);
    for (const sequence of [0, 1]) {
      const again = await next();
      expect(again.sequences).toEqual([`1000/1: ${sequence}`]);
      good(again, BigInt(1 + sequence));
    }
    expect(await soon(Promise.all(sends))).toEqual(["@1", "@2"]);
  });
});

describe("numbers that do not follow", () => {
  test("of the next batch are a gap in the log: it begins anew under the next epoch", async () => {
    const all = await setUp();
    const { next, send, soon } = all;
    await known(all);
    const sent = send("a");
    bad(await next(), "OUT_OF_ORDER_SEQUENCE_NUMBER");
    const again = await next();
    expect(again.sequences).toEqual(["1000/1: 0"]);
    good(again, 1n);
    expect(await soon(sent)).toBe("@1");
  });

  test("change nothing for a batch that may be in the log and comes before the refused one", async () => {
    const all = await setUp();
    const { next, send, soon } = all;
    await known(all);
    const sends = [send("may be there")];
    const first = await next();
    sends.push(send("refused"));
    const second = await next();
    sends.push(send("behind"));
    const third = await next();
    bad(first, "NOT_LEADER_OR_FOLLOWER");
    bad(second, "INVALID_TIMESTAMP");
    bad(third, "OUT_OF_ORDER_SEQUENCE_NUMBER");
    const again = await next();
    expect(again.sequences).toEqual(["1000/0: 1"]);
    good(again, 1n);
    bad(await next(), "OUT_OF_ORDER_SEQUENCE_NUMBER");
    const behind = await next();
    expect(behind.sequences).toEqual(["1000/1: 0"]);
    good(behind, 2n);
    expect(await soon(Promise.all(sends))).toEqual(["@1", "INVALID_TIMESTAMP, no", "@2"]);
  });

  test("of other partitions are not touched by an epoch that one begins", async () => {
    const all = await setUp();
    const { next, send } = all;
    await known(all);
    const elsewhere = send("elsewhere", 1);
    const open = await next();
    const refused = send("a");
    const second = await next();
    bad(open, "NOT_ENOUGH_REPLICAS");
    bad(second, "OUT_OF_ORDER_SEQUENCE_NUMBER");
    const sent = [elsewhere, refused, send("behind", 1)];
    expect(await delivered(all, sent)).toEqual(["0: 1000/1: 0", "1: 1000/0: 1", "1: 1000/1: 0"]);
  });
});

describe("a batch that the broker finds too large when it comes again", () => {
  const values = ["a", "b", "c"];

  test("is not split where it may be in the log, and what is behind it begins anew", async () => {
    const all = await setUp();
    const { next, send, soon } = all;
    await known(all);
    const sends = values.map((value) => send(value));
    bad(await next(), "REQUEST_TIMED_OUT");
    const again = await next();
    expect(again.batches[0]?.values).toEqual(values);
    bad(again, "MESSAGE_TOO_LARGE");
    expect(await soon(Promise.all(sends))).toEqual(values.map(() => "MESSAGE_TOO_LARGE, maybe"));
    const sent = send("behind");
    const behind = await next();
    expect(behind.sequences).toEqual(["1000/1: 0"]);
    good(behind, 4n);
    expect(await soon(sent)).toBe("@4");
  });

  test("is split where it is surely not in the log, and its parts say so", async () => {
    const all = await setUp();
    const { next, send, soon } = all;
    await known(all);
    const sends = values.map((value) => send(value));
    bad(await next(), "NOT_ENOUGH_REPLICAS");
    bad(await next(), "MESSAGE_TOO_LARGE");
    const part = await next();
    expect(part.sequences).toEqual(["1000/0: 1"]);
    bad(part, "INVALID_RECORD");
    expect(await soon(Promise.all(sends))).toEqual(values.map(() => "INVALID_RECORD, no"));
  });

  test("has its parts go on with the retries that are left", async () => {
    const all = await setUp({ retries: 1 });
    const { next, send, soon } = all;
    await known(all);
    const sends = values.map((value) => send(value));
    bad(await next(), "NOT_ENOUGH_REPLICAS");
    // A split is no retry.
    bad(await next(), "MESSAGE_TOO_LARGE");
    bad(await next(), "NOT_ENOUGH_REPLICAS");
    expect(await soon(Promise.all(sends))).toEqual(values.map(() => "NOT_ENOUGH_REPLICAS, no"));
  });

  test("is not split either by a producer that numbers nothing", async () => {
    const { next, send, soon } = await setUp({ enableIdempotence: false });
    const sends = values.map((value) => send(value));
    bad(await next(), "REQUEST_TIMED_OUT");
    bad(await next(), "MESSAGE_TOO_LARGE");
    expect(await soon(Promise.all(sends))).toEqual(values.map(() => "MESSAGE_TOO_LARGE, maybe"));
  });
});
