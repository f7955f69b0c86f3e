import {
  type ClientOptions,
  Coordinators,
  Deadline,
  NetworkClient,
  OptionReader,
  resolveClientOptions,
  systemClock,
} from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { opened } from "./opened.ts";

/** Long enough for whatever a broker does on a loaded machine. */
export const withinAMinute = (): Deadline => new Deadline(systemClock, 60_000);

/** For requests that no client makes for its user yet. Closed behind the test. */
export function networkOf(options: ClientOptions): NetworkClient {
  const resolved = resolveClientOptions(new OptionReader(options));
  const network = new NetworkClient("admin-client", { ...resolved, maxInFlightRequestsPerConnection: 5 }, systemClock);
  opened.push({ [Symbol.asyncDispose]: () => network.close() });
  return network;
}

/** A client for requests about a group, and the broker that coordinates it. */
export async function coordinatorOf(
  bootstrapServers: readonly string[],
  groupId: string,
): Promise<{ readonly network: NetworkClient; readonly nodeId: number }> {
  const network = networkOf({ bootstrapServers });
  const coordinators = new Coordinators(network, { retryBackoffMs: 100, retryBackoffMaxMs: 1_000 }, systemClock);
  const nodeId = (await coordinators.find("group", [groupId], withinAMinute())).get(groupId);
  if (nodeId === undefined || nodeId instanceof BrokerError) throw nodeId ?? new Error(`nobody coordinates ${groupId}`);
  return { network, nodeId };
}
