import type { Node } from "./cluster-snapshot.ts";

/** What the connection to a node is good for at the moment. */
export interface NodeLoad {
  /** `unavailable`: it backs off after a failure, has no room, or is closing. */
  readonly state: "ready" | "connecting" | "connectable" | "unavailable";
  readonly inFlightCount: number;
  readonly lastAttemptMs: number;
}

/**
 * The node that an arbitrary request goes to: the least busy of those that are ready, else one that is being connected
 * to, else the one whose last attempt is longest ago; among equals any. `null` where none can be reached for now.
 * Source: `NetworkClient.leastLoadedNode`.
 *
 * @param random for tests; a number from 0 up to 1
 */
export function leastLoadedNode(
  nodes: readonly Node[],
  loadOf: (node: Node) => NodeLoad,
  random: () => number = Math.random,
): Node | null {
  const start = Math.floor(random() * nodes.length);
  let best: { readonly node: Node; readonly load: NodeLoad } | null = null;
  for (const node of [...nodes.slice(start), ...nodes.slice(0, start)]) {
    const load = loadOf(node);
    if (load.state !== "unavailable" && (best === null || isBetter(load, best.load))) best = { node, load };
  }
  return best?.node ?? null;
}

const preference = { ready: 0, connecting: 1, connectable: 2, unavailable: 3 };

function isBetter(a: NodeLoad, b: NodeLoad): boolean {
  if (a.state !== b.state) return preference[a.state] < preference[b.state];
  if (a.state === "ready") return a.inFlightCount < b.inFlightCount;
  return a.state === "connectable" && a.lastAttemptMs < b.lastAttemptMs;
}
