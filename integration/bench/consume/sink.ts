import type { Style } from "./workloads.ts";

/** What a consumer hands each of its records to. */
export interface Sink {
  /** How long the application waits at each record, milliseconds. */
  readonly handlerMs: number;
  /** @param offset as the client has it, which is not to be turned into anything else for this */
  take(partition: number, offset: bigint | string, key: Uint8Array | null, value: Uint8Array | null): void;
}

/** What a consumer reads, and how. */
export interface Source {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  /** A new one each time. */
  readonly groupId: string;
  readonly compression: "none" | "lz4" | "zstd";
  readonly style: Style;
}

/**
 * Makes a consumer, and has it hand everything in the topic to the sink, for as long as the process lives. It is called as the
 * client's documentation does, and as it is by default, but for commits: nobody commits while it is measured.
 *
 * @returns when it reads, or never; `null` for what the client cannot do
 */
export type StartConsumer = (source: Source, sink: Sink) => Promise<void> | null;
