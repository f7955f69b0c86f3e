import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Node } from "../src/cluster-snapshot.ts";
import { leastLoadedNode, type NodeLoad } from "../src/least-loaded-node.ts";

const nodeOf = (id: number): Node => ({ id, host: `broker-${id}`, port: 9_092, rack: null });

const ready = (inFlightCount: number): NodeLoad => ({ state: "ready", inFlightCount, lastAttemptMs: 0 });
const connecting: NodeLoad = { state: "connecting", inFlightCount: 0, lastAttemptMs: 0 };
const connectable = (lastAttemptMs: number): NodeLoad => ({ state: "connectable", inFlightCount: 0, lastAttemptMs });
const unavailable: NodeLoad = { state: "unavailable", inFlightCount: 0, lastAttemptMs: 0 };

/** The place in `loads` of the node that is chosen, wherever the look begins; `null` where none is. */
const chosen = (loads: readonly NodeLoad[], random = 0): number | null => {
  const nodes = loads.map((_, id) => nodeOf(id));
  return (
    leastLoadedNode(
      nodes,
      ({ id }) => loads[id] ?? unavailable,
      () => random,
    )?.id ?? null
  );
};

describe("the least loaded node", () => {
  test.each([
    ["has nothing under way", [ready(3), ready(0), connecting, connectable(0)], 1],
    ["has the fewest requests under way", [ready(4), ready(2), ready(3)], 1],
    ["is ready, however busy, before one that is being connected to", [connecting, ready(90)], 1],
    ["is being connected to, before another is begun", [connectable(-1), connecting, connectable(0)], 1],
    ["was tried longest ago, where none is connected to", [connectable(5), connectable(2), unavailable], 1],
    ["was never tried", [connectable(5), connectable(Number.NEGATIVE_INFINITY)], 1],
  ])("is one that %s", (_, loads, expected) => {
    for (const random of [0, 0.4, 0.8, 0.999]) expect(chosen(loads, random)).toBe(expected);
  });

  test("is nobody where none can be reached for now, or none is known", () => {
    expect(chosen([unavailable, unavailable])).toBeNull();
    expect(chosen([])).toBeNull();
  });

  test("is another each time among equals", () => {
    const loads = [ready(1), ready(1), ready(1)];
    expect(new Set([0, 0.34, 0.67].map((random) => chosen(loads, random)))).toEqual(new Set([0, 1, 2]));
  });

  test("is never a worse one than another, wherever the look begins", () => {
    const load = fc.oneof(
      fc.nat(5).map(ready),
      fc.constant(connecting),
      fc.nat(5).map(connectable),
      fc.constant(unavailable),
    );
    const order = { ready: 0, connecting: 1, connectable: 2, unavailable: 3 };
    fc.assert(
      fc.property(fc.array(load, { minLength: 1 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (loads, random) => {
        const found = loads[chosen(loads, random) ?? -1] ?? unavailable;
        for (const other of loads) {
          expect(order[found.state]).toBeLessThanOrEqual(order[other.state]);
          if (other.state === found.state && found.state === "ready") {
            expect(found.inFlightCount).toBeLessThanOrEqual(other.inFlightCount);
          }
        }
      }),
    );
  });
});
