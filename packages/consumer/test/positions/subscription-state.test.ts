import { StateError } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";

const of = (topic: string, ...partitions: number[]) => partitions.map((partition) => ({ topic, partition }));
const names = (subscription: SubscriptionState) =>
  [...subscription.partitions()].map(({ topic, partition }) => `${topic}-${partition}`);

describe("SubscriptionState", () => {
  test("has exactly what was assigned last, each partition once", () => {
    const subscription = new SubscriptionState();
    subscription.assign([...of("orders", 0, 1), ...of("orders", 1), ...of("bills", 0)]);
    expect(names(subscription)).toEqual(["orders-0", "orders-1", "bills-0"]);
    expect([...subscription.topics]).toEqual(["orders", "bills"]);
    subscription.assign(of("bills", 3));
    expect(names(subscription)).toEqual(["bills-3"]);
  });

  test("keeps the position and the pause of a partition that stays", () => {
    const subscription = new SubscriptionState();
    subscription.assign(of("orders", 0, 1));
    subscription.get({ topic: "orders", partition: 1 }).seek({ offset: 9n, leaderEpoch: -1 });
    subscription.get({ topic: "orders", partition: 1 }).pause();
    subscription.assign(of("orders", 1, 2));
    expect(subscription.get({ topic: "orders", partition: 1 })).toMatchObject({
      position: { offset: 9n },
      isPaused: true,
    });
  });

  test("forgets a partition that was given up, even if it comes back", () => {
    const subscription = new SubscriptionState();
    subscription.assign(of("orders", 0));
    const before = subscription.get({ topic: "orders", partition: 0 });
    before.seek({ offset: 9n, leaderEpoch: -1 });
    subscription.assign([]);
    subscription.assign(of("orders", 0));
    expect(subscription.has(before)).toBe(false);
    expect(subscription.get({ topic: "orders", partition: 0 }).position).toBeNull();
  });

  test("says which partition is not assigned", () => {
    const subscription = new SubscriptionState();
    expect(subscription.find({ topic: "orders", partition: 7 })).toBeUndefined();
    expect(() => subscription.get({ topic: "orders", partition: 7 })).toThrow(StateError);
    expect(() => subscription.get({ topic: "orders", partition: 7 })).toThrow("orders-7 is not assigned");
  });

  test("asks last for a partition that has had its turn", () => {
    const subscription = new SubscriptionState();
    subscription.assign(of("orders", 0, 1, 2));
    const first = subscription.get({ topic: "orders", partition: 0 });
    subscription.moveToEnd(first);
    expect(names(subscription)).toEqual(["orders-1", "orders-2", "orders-0"]);
  });

  test("does not take back a partition that was given up meanwhile", () => {
    const subscription = new SubscriptionState();
    subscription.assign(of("orders", 0, 1));
    const gone = subscription.get({ topic: "orders", partition: 0 });
    subscription.assign(of("orders", 1));
    subscription.moveToEnd(gone);
    expect(names(subscription)).toEqual(["orders-1"]);
  });
});
