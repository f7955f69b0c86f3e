/**
 * What a connection is for. Each purpose has its own to a broker, so that a heartbeat does not wait behind a fetch
 * that the broker holds for half a second.
 */
export type Purpose = "main" | "fetch" | "coordinator";

/**
 * Whom a connection is to, and what for: one object for each connection, the same in every call. It may be used again for
 * another that takes the place of one which ended.
 */
export interface ConnectionPeer {
  /** The broker's id; negative for a bootstrap server, as long as it is not known which broker that is. */
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly purpose: Purpose;
}
