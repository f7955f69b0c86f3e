import {
  type ClientOptions,
  Deadline,
  NetworkClient,
  OptionReader,
  resolveClientOptions,
  systemClock,
} from "@odradek/network";
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
