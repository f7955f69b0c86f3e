import type { Node } from "./node.ts";

/** What a broker runs in: a process, or a container. */
export interface Machine {
  readonly node: Node;
  /** Starts the broker, with the data of the last time. It need not answer yet. */
  start(): Promise<void>;
  /** Resolves when the broker that was started last has ended, with what is known of how: an exit code, a signal. */
  ended(): Promise<string>;
  /** Asks the broker to end, and waits until it has. */
  stop(): Promise<void>;
  /** Ends it at once, and waits until it has. */
  kill(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  log(): Promise<string>;
}

const shownLines = 40;

/** The last lines of a log, for an error. */
export const endOfLog = (log: string): string => log.trimEnd().split("\n").slice(-shownLines).join("\n");

/** What a provider gives: brokers that are laid out and do not run yet. */
export interface Fleet {
  readonly machines: readonly Machine[];
  /** Ends whatever still runs, and removes all traces. */
  dispose(): Promise<void>;
}
