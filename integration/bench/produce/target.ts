/** Where a producer sends, and how. */
export interface Target {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly compression: "none" | "lz4" | "zstd";
  /** How long a batch waits for more records, milliseconds; who never lets one wait ignores it. @default the client's own */
  readonly lingerMs?: number;
}
