import { type Clock, Deadline, type Logger } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { SubscriptionState } from "../subscription-state.ts";
import type { OffsetAndMetadata } from "./offset-and-metadata.ts";
import type { OffsetCommits } from "./offset-commits.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "autoCommitIntervalMs" | "defaultApiTimeoutMs" | "enableAutoCommit" | "retryBackoffMs"
>;

/** The offsets that a consumer has got to: whatever was handed out counts as done with. */
export function consumedOffsets(subscription: SubscriptionState): OffsetAndMetadata[] {
  return [...subscription.partitions()].flatMap(({ topic, partition, position }) => {
    if (position === null) return [];
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
  readonly #subscription: SubscriptionState;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #dueAtMs: number;
  #isUnderWay = false;

  constructor(options: Options, commits: OffsetCommits, subscription: SubscriptionState, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#commits = commits;
    this.#subscription = subscription;
    this.#clock = clock;
    this.#logger = logger;
    this.#dueAtMs = clock.now() + options.autoCommitIntervalMs;
  }

  /** Whether there is anything that it would commit now. */
  get isNeeded(): boolean {
    return this.#options.enableAutoCommit && consumedOffsets(this.#subscription).length > 0;
  }

  /** Commits if the interval is over. */
  ifDue(): void {
    if (!this.#options.enableAutoCommit || this.#isUnderWay || this.#clock.now() < this.#dueAtMs) return;
    this.#dueAtMs = this.#clock.now() + this.#options.autoCommitIntervalMs;
    if (!this.isNeeded) return;
    this.#isUnderWay = true;
    void this.#commit(new Deadline(this.#clock, this.#options.defaultApiTimeoutMs), false).finally(() => {
      this.#isUnderWay = false;
    });
  }

  /** Commits now, and waits for that. What goes wrong is logged: whoever asks goes on without. */
  async now(deadline: Deadline): Promise<void> {
    if (this.isNeeded) await this.#commit(deadline, true);
  }

  async #commit(deadline: Deadline, isRetried: boolean): Promise<void> {
    try {
      await this.#commits.commit(consumedOffsets(this.#subscription), deadline, isRetried);
    } catch (error) {
      if (error instanceof KafkaError && error.code === "CLOSED") return;
      this.#logger.warn("auto-commit failed", { error: error instanceof Error ? error.message : String(error) });
      if (error instanceof KafkaError && error.retriable) {
        this.#dueAtMs = this.#clock.now() + this.#options.retryBackoffMs;
      }
    }
  }
}
