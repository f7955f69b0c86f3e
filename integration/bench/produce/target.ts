/** Where a producer sends, and how. */
export interface Target {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly compression: "none" | "lz4" | "zstd";
}
