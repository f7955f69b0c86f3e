import { randomBytes } from "node:crypto";
import { type Listener, listenersOf } from "./listeners.ts";
import type { ClusterPlan } from "./plan.ts";
import { freePorts } from "./ports.ts";
import type { Address } from "./wire.ts";

/** One end of a broker. */
export interface Endpoint {
  readonly listener: Listener;
  /** Where the broker listens. */
  readonly bind: Address;
  /** Where others find it. */
  readonly advertised: Address;
}

/** One broker as it is laid out before it runs. */
export interface Node {
  readonly id: number;
  readonly endpoints: readonly Endpoint[];
}

/**
 * The brokers of a plan, with a free port of this machine for each listener of each.
 *
 * @param ends says for a listener of a broker where it binds and where it is found, given that port
 */
export async function layOutNodes(
  plan: ClusterPlan,
  ends: (id: number, listener: Listener, port: number) => Omit<Endpoint, "listener">,
): Promise<Node[]> {
  const names = listenersOf(plan);
  const ports = (await freePorts(plan.brokers * names.length)).values();
  return Array.from({ length: plan.brokers }, (_, i) => ({
    id: i + 1,
    endpoints: names.map((listener) => ({ listener, ...ends(i + 1, listener, ports.next().value ?? 0) })),
  }));
}

export function endpointOf(node: Node, listener: Listener): Endpoint {
  const endpoint = node.endpoints.find((each) => each.listener === listener);
  if (endpoint === undefined) {
    throw new Error(`broker ${node.id} has no listener ${listener}: start the cluster with { secure: true }`);
  }
  return endpoint;
}

export const hostPort = ({ host, port }: Address): string => `${host}:${port}`;

/** As Kafka's own: 16 random bytes, not with a dash in front, which would read as an option. */
export function randomClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? randomClusterId() : id;
}
