import { KafkaError } from "@odradek/protocol";

/**
 * Offsets were not committed, and will not be: the group has given this consumer's partitions to others, because it did not poll
 * for `maxPollIntervalMs`, its heartbeats did not get through for `sessionTimeoutMs`, or it has not joined yet. Records behind
 * the last commit come again, to whoever has the partitions now. The next poll joins the group anew.
 */
export class CommitFailedError extends KafkaError {
  constructor(cause?: unknown) {
    super(
      "the offsets cannot be committed: this consumer has no place in its group (any more), and its partitions may be another's; " +
        "poll to join anew. Where that is because it did not poll for too long, raise maxPollIntervalMs or lower maxPollRecords",
      { code: "COMMIT_FAILED", cause },
    );
  }
}

/** Offsets were not committed, because the group is being rebalanced. Poll, so that it can be finished, and commit again. */
export class RebalanceInProgressError extends KafkaError {
  constructor(cause?: unknown) {
    super("the offsets cannot be committed while the group is being rebalanced: poll, then commit again", {
      code: "REBALANCE_IN_PROGRESS",
      retriable: true,
      cause,
    });
  }
}
