import type { TopicPartition } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { Handover } from "../../src/group/handover.ts";
import type { RebalanceProtocol } from "../../src/group/partition-assignor.ts";
import type { ConsumerRebalanceListener } from "../../src/group/rebalance-listener.ts";
import { Subscription } from "../../src/group/subscription.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { named, outcome, scriptedCoordinator, texts } from "./scripted-group.ts";

/** A member that subscribed to `orders` and owns `refunds-1`, `orders-1` and `orders-0`, in the order of their turns. */
function fixture(protocol: RebalanceProtocol, listener?: ConsumerRebalanceListener) {
  const told: string[] = [];
  const tell = (what: string) => (partitions: readonly TopicPartition[]) => {
    told.push([what, ...texts(partitions), "of", ...texts(assignment.partitions())].join(" "));
  };
  const assignment = new SubscriptionState();
  assignment.assign(named("refunds-1", "orders-1", "orders-0"));
  const subscription = new Subscription({ excludeInternalTopics: true });
  subscription.subscribe(
    ["orders"],
    listener ?? {
      onPartitionsAssigned: tell("assigned"),
      onPartitionsRevoked: tell("revoked"),
      onPartitionsLost: tell("lost"),
    },
  );
  const handover = new Handover(subscription, assignment, protocol, scriptedCoordinator().metrics);
  const owned = () => texts(handover.owned);
  return { told, tell, assignment, subscription, handover, owned };
}

const always = () => true;
const never = () => false;

describe("Handover", () => {
  test("owns in the order of topics and numbers, whatever the order in which they are fetched", () => {
    expect(fixture("eager").owned()).toEqual(["orders-0", "orders-1", "refunds-1"]);
  });

  test("gives up everything before an eager member joins, when the listener was told", async () => {
    const { handover, told, owned } = fixture("eager");
    await handover.beforeJoining(always);
    expect(told).toEqual(["revoked orders-0 orders-1 refunds-1 of refunds-1 orders-1 orders-0"]);
    expect(owned()).toEqual([]);
  });

  test("tells of an eager rebalance also where nothing is owned, as Java does", async () => {
    const { handover, told, assignment } = fixture("eager");
    assignment.assign([]);
    await handover.beforeJoining(always);
    expect(told).toEqual(["revoked of"]);
  });

  test("gives up what is not subscribed to any more before a cooperative member joins, and keeps the rest", async () => {
    const { handover, told, owned } = fixture("cooperative");
    await handover.beforeJoining(always);
    expect(told).toEqual(["revoked refunds-1 of refunds-1 orders-1 orders-0"]);
    expect(owned()).toEqual(["orders-0", "orders-1"]);
    await handover.beforeJoining(always);
    expect(told).toHaveLength(1);
  });

  test("gives up, then takes over, and keeps what stays as it is", async () => {
    const { handover, told, owned, assignment } = fixture("cooperative");
    const kept = assignment.get({ topic: "orders", partition: 1 });
    await handover.afterJoining(named("orders-1", "orders-2"), always);
    expect(told).toEqual([
      "revoked orders-0 refunds-1 of refunds-1 orders-1 orders-0",
      "assigned orders-2 of orders-1 orders-2",
    ]);
    expect(owned()).toEqual(["orders-1", "orders-2"]);
    expect(assignment.has(kept)).toBe(true);
  });

  test("tells of the end of a rebalance that brought nothing", async () => {
    const { handover, told, assignment } = fixture("cooperative");
    assignment.assign(named("orders-0"));
    await handover.afterJoining(named("orders-0"), always);
    expect(told).toEqual(["assigned of orders-0"]);
  });

  test("changes nothing any more where it does not count when the listener was told", async () => {
    const { handover, told, owned } = fixture("eager");
    await handover.beforeJoining(never);
    await handover.lost(never);
    await handover.afterJoining(named("orders-2"), never);
    expect(told.map((call) => call.split(" ")[0])).toEqual(["revoked", "lost", "revoked"]);
    expect(owned()).toEqual(["orders-0", "orders-1", "refunds-1"]);
  });

  test("tells what is lost, and nothing where nothing is", async () => {
    const { handover, told, owned } = fixture("eager");
    await handover.lost(always);
    await handover.lost(always);
    expect(told).toEqual(["lost orders-0 orders-1 refunds-1 of refunds-1 orders-1 orders-0"]);
    expect(owned()).toEqual([]);
  });

  test("tells that what is lost is revoked where the listener knows no difference", async () => {
    const revoked: string[][] = [];
    const { handover } = fixture("eager", {
      onPartitionsRevoked: (partitions) => void revoked.push(texts(partitions)),
    });
    await handover.lost(always);
    expect(revoked).toEqual([["orders-0", "orders-1", "refunds-1"]]);
  });

  test("gives up everything when it leaves, and tells nothing where there is nothing", async () => {
    const { handover, told, owned } = fixture("cooperative");
    await handover.onLeaving();
    await handover.onLeaving();
    expect(told).toEqual(["revoked orders-0 orders-1 refunds-1 of refunds-1 orders-1 orders-0"]);
    expect(owned()).toEqual([]);
  });

  test.each(["beforeJoining", "lost", "onLeaving"] as const)(
    "tells once what goes, where the listener leaves as it is told in %s",
    async (step) => {
      const told: string[] = [];
      const { handover, owned } = fixture("eager", {
        onPartitionsRevoked: async (partitions) => {
          told.push(...texts(partitions));
          await handover.onLeaving();
        },
      });
      await handover[step](always);
      expect([told, owned()]).toEqual([["orders-0", "orders-1", "refunds-1"], []]);
    },
  );

  test("tells, where the listener leaves, of what it was not told yet", async () => {
    const { handover, told, tell } = fixture("cooperative", {
      onPartitionsRevoked: async (partitions) => {
        tell("revoked")(partitions);
        await handover.onLeaving();
      },
    });
    await handover.beforeJoining(always);
    expect(told).toEqual([
      "revoked refunds-1 of refunds-1 orders-1 orders-0",
      "revoked orders-0 orders-1 of refunds-1 orders-1 orders-0",
    ]);
  });

  test("does without a listener", async () => {
    const { handover, subscription, owned } = fixture("eager");
    subscription.subscribe(["orders"], null);
    await handover.beforeJoining(always);
    await handover.afterJoining(named("orders-3"), always);
    expect(owned()).toEqual(["orders-3"]);
  });

  test("goes on where the listener throws, and throws the first error at the end", async () => {
    const calls: string[] = [];
    const { handover, owned } = fixture("cooperative", {
      onPartitionsRevoked: () => {
        calls.push("revoked");
        throw new Error("first");
      },
      onPartitionsAssigned: () => {
        calls.push("assigned");
        return Promise.reject(new Error("second"));
      },
    });
    await expect(handover.afterJoining(named("orders-2"), always)).rejects.toMatchObject({
      code: "LISTENER",
      cause: { message: "first" },
      message: expect.stringContaining("onPartitionsRevoked"),
    });
    expect([calls, owned()]).toEqual([["revoked", "assigned"], ["orders-2"]]);
  });

  test.each(["beforeJoining", "lost"] as const)(
    "gives up all the same where the listener throws in %s",
    async (step) => {
      const { handover, owned } = fixture("eager", {
        onPartitionsRevoked: () => {
          throw new KafkaError("asleep", { code: "WAKEUP" });
        },
      });
      // An error of ours is thrown as it is.
      expect(await outcome(handover[step](always))).toBe("WAKEUP");
      expect(owned()).toEqual([]);
    },
  );

  test("gives the listener partitions of its own, which it may keep and change", async () => {
    const kept: TopicPartition[] = [];
    const { handover, assignment } = fixture("eager", { onPartitionsRevoked: (given) => void kept.push(...given) });
    await handover.beforeJoining(always);
    expect(kept).toEqual(named("orders-0", "orders-1", "refunds-1"));
    expect(assignment.size).toBe(0);
  });
});
