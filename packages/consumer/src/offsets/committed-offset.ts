import type { TopicPartition } from "@odradek/network";

/** What a group has committed of one partition; no offset where it has not, or no longer. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: bigint | null;
  readonly leaderEpoch: number | null;
  readonly metadata: string | null;
}
