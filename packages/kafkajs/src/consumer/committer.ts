import {
  type Clock,
  CommitFailedError,
  type KafkaConsumer,
  type OffsetToCommit,
  RebalanceInProgressError,
  type TopicPartition,
} from "odradek";
import { givenUp } from "../errors/error-translation.ts";
import type { Logger } from "../logger.ts";
import type { ResolvedRetryOptions } from "../retry-options.ts";
import type { ConsumerEventPayloads } from "./consumer-events.ts";
import { type NextOffset, OffsetLedger, topicOffsetsOf } from "./offset-ledger.ts";
import type { ResolvedRunConfig } from "./run-config.ts";

interface CommitterParts {
  readonly consumer: Pick<KafkaConsumer<Buffer, Buffer>, "commitSync" | "groupMetadata">;
  readonly config: ResolvedRunConfig;
  readonly retry: ResolvedRetryOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onCommitted: (payload: ConsumerEventPayloads["consumer.commit_offsets"]) => void;
}

/** Commits what the handlers are done with, when it is time, and what users say. */
export class Committer {
  readonly ledger = new OffsetLedger();
  readonly #parts: CommitterParts;
  #committedAtMs: number;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#committedAtMs = parts.clock.now();
  }

  /** Whether it may be time to commit while a batch is handled. */
  get isCommittingWithin(): boolean {
    const { autoCommit, autoCommitInterval, autoCommitThreshold } = this.#parts.config;
    return autoCommit && (autoCommitInterval !== null || autoCommitThreshold !== null);
  }

  /** @throws where the coordinator does not take it */
  async commit(offsets: readonly (NextOffset & Pick<OffsetToCommit, "metadata">)[]): Promise<void> {
    const { consumer, clock, onCommitted } = this.#parts;
    if (offsets.length === 0) return;
    await consumer.commitSync(offsets);
    for (const offset of offsets) this.ledger.committed(offset);
    this.#committedAtMs = clock.now();
    const { groupId, memberId, generationId } = consumer.groupMetadata();
    onCommitted({ groupId, memberId, groupGenerationId: generationId, topics: topicOffsetsOf(offsets) });
  }

  /** The same for users. @throws their errors */
  async commitGiven(offsets: readonly (NextOffset & Pick<OffsetToCommit, "metadata">)[]): Promise<void> {
    try {
      await this.commit(offsets);
    } catch (error) {
      throw givenUp(error, this.#parts.retry);
    }
  }

  /** @param of default all partitions */
  async autoCommit(of?: readonly TopicPartition[]): Promise<void> {
    if (this.#parts.config.autoCommit) await this.#commitUnlessRebalancing(of);
  }

  /** Commits what is resolved, where the interval or the threshold says that it is time; else `null`, which costs no turn. */
  commitIfDue(): Promise<void> | null {
    const { autoCommitInterval, autoCommitThreshold } = this.#parts.config;
    const elapsedMs = this.#parts.clock.now() - this.#committedAtMs;
    const isDue =
      (autoCommitInterval !== null && elapsedMs >= autoCommitInterval) ||
      (autoCommitThreshold !== null && this.ledger.uncommittedCount >= autoCommitThreshold);
    return isDue ? this.#commitUnlessRebalancing() : null;
  }

  async #commitUnlessRebalancing(of?: readonly TopicPartition[]): Promise<void> {
    try {
      await this.commit(this.ledger.uncommitted(of));
    } catch (error) {
      this.requireRebalance(error);
    }
  }

  /** While the group rebalances commits are refused: what was not committed comes again, here or at another member. @throws all else */
  requireRebalance(error: unknown): void {
    if (!(error instanceof CommitFailedError) && !(error instanceof RebalanceInProgressError)) throw error;
    const { groupId } = this.#parts.consumer.groupMetadata();
    this.#parts.logger.warn("Offsets are not committed: the group is rebalancing", { groupId, error: error.message });
  }
}
