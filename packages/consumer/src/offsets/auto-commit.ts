import { type Clock, Deadline, type Logger, type OffsetAndMetadata } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { FetchPosition, PartitionState } from "../positions/partition-state.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import type { Committer, OffsetCommits, OffsetOfTopic } from "./offset-commits.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "autoCommitIntervalMs" | "defaultApiTimeoutMs" | "enableAutoCommit" | "retryBackoffMs"
>;

/**
 * The positions of all partitions, as what is to be committed: whatever was handed out counts as done with. Those in a log that is no
 * more mean nothing in the one that has taken its place: whoever began there would miss what comes before.
 */
export function consumedOffsets(
  assignment: SubscriptionState,
  positionOf: (state: PartitionState) => FetchPosition | null = (state) => state.position,
): OffsetAndMetadata[] {
  return [...assignment.partitions()].flatMap((state) => {
    const position = positionOf(state);
    if (position === null || state.isOrphaned) return [];
    const { topic, partition } = state;
    const { offset, leaderEpoch } = position;
    return { topic, partition, offset, leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch, metadata: "" };
  });
}

/**
 * Commits by itself, where the user wants that: at an interval, before partitions are given up, and at the end. It is asked
 * only where whatever was handed out is done with, as when the application polls for more.
 */
export class AutoCommit {
  readonly #options: Options;
  readonly #commits: OffsetCommits;
  readonly #committer: Pick<Committer, "committer">;
  readonly #subscription: SubscriptionState;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #dueAtMs: number;
  #isUnderWay = false;

  constructor(
    options: Options,
    commits: OffsetCommits,
    committer: Pick<Committer, "committer">,
    subscription: SubscriptionState,
    clock: Clock,
    logger: Logger,
  ) {
    this.#options = options;
    this.#commits = commits;
    this.#committer = committer;
    this.#subscription = subscription;
    this.#clock = clock;
    this.#logger = logger;
    this.#dueAtMs = clock.now() + options.autoCommitIntervalMs;
  }

  /** Whether there is anything that it would commit now. */
  get isNeeded(): boolean {
    return this.#options.enableAutoCommit && consumedOffsets(this.#subscription).length > 0;
  }

  /** Commits if the interval is over. @returns when it will be */
  poll(nowMs: number): number {
    if (!this.isNeeded) return Number.POSITIVE_INFINITY;
    if (!this.#isUnderWay && nowMs >= this.#dueAtMs) {
      const mayCommit = this.#mayCommit();
      this.#dueAtMs = nowMs + (mayCommit ? this.#options.autoCommitIntervalMs : this.#options.retryBackoffMs);
      if (mayCommit) this.#begin();
    }
    // One that takes longer than the interval is followed by the next with whatever happens next, such as an answer to a fetch.
    return this.#dueAtMs > nowMs ? this.#dueAtMs : Number.POSITIVE_INFINITY;
  }

  #begin(): void {
    this.#isUnderWay = true;
    void this.#commit(new Deadline(this.#clock, this.#options.defaultApiTimeoutMs), false).finally(() => {
      this.#isUnderWay = false;
    });
  }

  #mayCommit(): boolean {
    try {
      this.#committer.committer();
      return true;
    } catch {
      return false;
    }
  }

  /** Commits now, and waits for that. What goes wrong is logged: whoever asks goes on without. */
  async now(deadline: Deadline): Promise<void> {
    if (this.isNeeded) await this.#commit(deadline, true);
  }

  /** Where one topic has taken the place of another, offsets of the one must not be taken for such of the other. */
  #consumed(): OffsetOfTopic[] {
    return consumedOffsets(this.#subscription).map((consumed) => {
      return { ...consumed, topicId: this.#subscription.find(consumed)?.log?.topicId ?? null };
    });
  }

  async #commit(deadline: Deadline, isRetried: boolean): Promise<void> {
    try {
      // Of a topic that was deleted there is nothing to keep, and whoever waits must not wait for it: it may come back as another.
      await this.#commits.commit(this.#consumed(), deadline, isRetried, false);
    } catch (error) {
      if (error instanceof KafkaError && error.code === "CLOSED") return;
      const isPassing = error instanceof KafkaError && error.retriable;
      const said = { error: error instanceof Error ? error.message : String(error) };
      if (isPassing) this.#logger.debug("auto-commit failed, and is tried again", said);
      else this.#logger.warn("auto-commit failed", said);
      if (isPassing) this.#dueAtMs = this.#clock.now() + this.#options.retryBackoffMs;
    }
  }
}
