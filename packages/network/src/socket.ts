import { connect, type Socket } from "node:net";
import type { Address } from "./errors.ts";

/** The only place that opens sockets. Small requests must not wait for acknowledgements (Nagle), as in Java. */
export function openSocket({ host, port }: Address): Socket {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  return socket;
}
