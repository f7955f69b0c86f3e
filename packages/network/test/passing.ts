import { subscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";
import type { ManualClock } from "./manual-clock.ts";
import { until } from "./until.ts";

/**
 * What our own code does between two events of its sockets (a listener, a promise, the event "close") is over after a turn
 * or two of the event loop, however slow the machine is. Only what the kernel does takes as long as it likes.
 */
const turnsOfOurOwn = 4;

/** More timers than this while a test lets time pass are a loop that does not sleep. */
const spinRings = 20_000;

/** Both ends of a connection. */
interface Link {
  readonly client: Socket;
  /** Of both ends; `null` before they are connected. */
  ports: string | null;
  /** `null` before the other end has got it. */
  peer: Socket | null;
}

const links = new Set<Link>();

/** The accepted ends that were not found by their clients yet, by the ports of both. */
const accepted = new Map<string, Socket>();

function socketOf(message: unknown): Socket {
  if (typeof message === "object" && message !== null && "socket" in message && message.socket instanceof Socket) {
    return message.socket;
  }
  throw new Error("this version of Node tells of sockets in another way");
}

// Clients and peers are in one process, so that what is on its way between them can be known instead of waited for.
subscribe("net.client.socket", (message) => {
  const client = socketOf(message);
  const link: Link = { client, ports: null, peer: null };
  links.add(link);
  // Who is closed does not know its ports any more.
  client.once("connect", () => {
    link.ports = `${client.localPort}:${client.remotePort}`;
  });
});
subscribe("net.server.socket", (message) => {
  const peer = socketOf(message);
  accepted.set(`${peer.remotePort}:${peer.localPort}`, peer);
});

/** Whether all that one end sent, its end included, is where the other can act on it. */
function hasArrived(from: Socket, to: Socket): boolean {
  // Who leaves unread what came sees nothing of what comes after it.
  if (to.destroyed || to.readableLength > 0) return true;
  if (from.destroyed || from.writableEnded) return to.readableEnded;
  return from.writableLength === 0 && to.bytesRead === from.bytesWritten;
}

function isQuiet(link: Link): boolean {
  const { client, ports } = link;
  if (ports !== null && link.peer === null) {
    link.peer = accepted.get(ports) ?? null;
    accepted.delete(ports);
  }
  const { peer } = link;
  if (peer === null) {
    // Nobody listened there, or the server closed before it took the connection.
    if (client.closed) links.delete(link);
    return client.closed;
  }
  if (client.closed && peer.closed) links.delete(link);
  const isClosing = client.destroyed !== client.closed || peer.destroyed !== peer.closed;
  return !isClosing && hasArrived(client, peer) && hasArrived(peer, client);
}

/**
 * Waits until nothing is on its way between the clients and the peers of this process, and all have acted on what came. What
 * goes by a `ManualClock` has still to do what is due at once: `pass(0)` has that done too.
 */
export async function quiet(): Promise<void> {
  let turns = 0;
  const isOver = () => {
    turns = [...links].every(isQuiet) ? turns + 1 : 0;
    return turns > turnsOfOurOwn;
  };
  await until(isOver);
}

/** How a test lets time pass for what goes over sockets. */
export interface Passing {
  /**
   * Lets `ms` pass, from one timer to the next, and never while something is on its way: what came of each timer has
   * happened before the next one rings, and in the end nothing is left that may still happen.
   */
  readonly pass: (ms: number) => Promise<void>;
  /**
   * Lets time pass in the same way, and no more of it than until something happened: the clock stands where that was.
   *
   * @throws where no timer is left that could bring it about
   */
  readonly passUntil: (happened: () => boolean) => Promise<void>;
}

export function passing(clock: ManualClock): Passing {
  const run = async (untilMs: number, isOver: () => boolean) => {
    const startRings = clock.rings;
    await quiet();
    while (!isOver() && clock.nextAtMs <= untilMs) {
      if (clock.rings - startRings > spinRings) throw new Error(`${spinRings} timers rang, and there is no end`);
      clock.advanceTo(Math.max(clock.now(), clock.nextAtMs));
      await quiet();
    }
  };
  return {
    pass: async (ms) => {
      const untilMs = clock.now() + ms;
      await run(untilMs, () => false);
      clock.advanceTo(untilMs);
    },
    passUntil: async (happened) => {
      await run(Number.MAX_VALUE, happened);
      if (!happened()) throw new Error(`does not happen, however much time passes: ${String(happened)}`);
    },
  };
}
