import type { Fields, Input, VersionBounds } from "@odradek/protocol";
import type { Purpose } from "./connection-peer.ts";
import type { Deadline } from "./deadline.ts";

/** A request, or how to make it once the version is known: some versions name topics, later ones their ids. */
export type Body<Req extends Fields> = Input<Req> | ((version: number) => Input<Req>);

export interface SendOptions {
  /** @default "main" */
  readonly purpose?: Purpose;
  /** Versions that the caller can use, where that is not all of ours. */
  readonly bounds?: VersionBounds;
  /** @default requestTimeoutMs of the client */
  readonly timeoutMs?: number;
}

export interface RequestOptions extends SendOptions {
  /** Whom to ask: a broker by its id, the controller, or whoever is least busy. */
  readonly to: number | "any" | "controller";
  /** Until when to wait, for a connection and then for the answer. */
  readonly deadline: Deadline;
  /**
   * Ends the wait with its reason. A request that was written by then may be carried out all the same; its answer is dropped
   * when it comes, and the connection goes on.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What else a wait takes. */
export interface WaitOptions {
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}
