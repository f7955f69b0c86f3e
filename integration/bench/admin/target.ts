/** The topics that a turn is about: `prefix-0`, `prefix-1`, ... */
export interface Target {
  readonly bootstrapServers: readonly string[];
  readonly prefix: string;
  readonly topics: number;
  /** Of each topic. */
  readonly partitions: number;
}

export const topicNames = ({ prefix, topics }: Pick<Target, "prefix" | "topics">): string[] =>
  Array.from({ length: topics }, (_, index) => `${prefix}-${index}`);
