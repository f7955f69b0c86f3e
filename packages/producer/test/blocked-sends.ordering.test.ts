import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BlockedSends } from "../src/blocked-sends.ts";
import type { SerializedRecord } from "../src/producer-record.ts";
import { recordOf, Told } from "./told.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What happens to a record after it was sent: its serializer answers, its sender gives up, there is memory for it. */
type Event = "serialized" | "serializerFails" | "abort" | "admitted";

interface Scenario {
  readonly sends: readonly { readonly topic: "a" | "b"; readonly isPending: boolean }[];
  /** One after the other, each for one of the records. */
  readonly events: readonly { readonly record: number; readonly event: Event }[];
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  sends: fc.array(fc.record({ topic: fc.constantFrom("a", "b"), isPending: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  }),
  events: fc.array(
    fc.record({
      record: fc.nat(7),
      event: fc.constantFrom<Event>("serialized", "serializerFails", "abort", "admitted", "admitted"),
    }),
    { maxLength: 30 },
  ),
});

/** What became of each record, in the order in which it did. */
async function play({ sends, events }: Scenario) {
  const clock = new ManualClock();
  const admitted: number[] = [];
  const failed: number[] = [];
  const admissions = new Map<number, () => void>();
  const blocked = new BlockedSends(clock, 1_000, {
    lacksPartition: () => false,
    admit: ({ position }, _, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) reject(signal.reason);
        signal?.addEventListener("abort", () => reject(signal.reason));
        admissions.set(position, () => resolve(true));
      }).then(() => admitted.push(position) > 0),
    fail: ({ position }) => failed.push(position),
  });
  const records = sends.map(({ topic, isPending }, position) => {
    const record = recordOf(1, { topic, delivery: new Told(), position });
    const controller = new AbortController();
    let settle: { resolve: (record: SerializedRecord) => void; reject: (error: Error) => void } | null = null;
    if (isPending) {
      const serialization = new Promise<SerializedRecord>((resolve, reject) => {
        settle = { resolve, reject };
      });
      blocked.addPending({ ...record, source: { topic } }, serialization, controller.signal);
    } else {
      blocked.add(record, controller.signal);
    }
    const happen: Record<Event, () => void> = {
      serialized: () => settle?.resolve(record),
      serializerFails: () => settle?.reject(new Error("no schema")),
      abort: () => controller.abort(new Error("gave up")),
      admitted: () => admissions.get(position)?.(),
    };
    return happen;
  });
  for (const { record, event } of events) {
    await turn();
    records[record]?.[event]();
  }
  let isSettled = false;
  const settled = blocked.settled().then(() => {
    isSettled = true;
  });
  // Whatever is left is let through.
  while (!isSettled) {
    await turn();
    for (const happen of records) {
      happen.serialized();
      happen.admitted();
    }
  }
  await settled;
  return { admitted, failed };
}

describe("records that wait, whatever serializers, senders and memory do", () => {
  test("are admitted or fail, once, and none overtakes another of its topic", async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const { admitted, failed } = await play(scenario);
        const all = scenario.sends.map((_, index) => index);
        expect([...admitted, ...failed].sort((a, b) => a - b)).toEqual(all);
        for (const topic of ["a", "b"]) {
          const ofTopic = admitted.filter((position) => scenario.sends[position]?.topic === topic);
          expect(ofTopic).toEqual(ofTopic.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});
