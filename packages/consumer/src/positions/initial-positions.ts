import { type Clock, Deadline } from "@odradek/network";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { NoOffsetForPartitionError } from "../errors.ts";
import type { CommittedOffsets } from "../offsets/committed-offsets.ts";
import type { PartitionState } from "./partition-state.ts";
import type { SubscriptionState } from "./subscription-state.ts";

type Options = Pick<ResolvedConsumerOptions<unknown, unknown>, "autoOffsetReset">;

/**
 * Where partitions begin that have just been assigned: at what their group has committed, and where there is nothing, or no
 * group, as `autoOffsetReset` says. Source: Kafka's `ConsumerCoordinator.initWithCommittedOffsetsIfNeeded`.
 */
export class InitialPositions {
  readonly #options: Options;
  readonly #subscription: SubscriptionState;
  readonly #committed: CommittedOffsets | null;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  /** Partitions for which an answer is on its way. */
  readonly #asked = new Set<PartitionState>();
  #error: Error | null = null;

  /**
   * @param committed `null` without a group
   * @param onChange called when positions were found, or could not be
   */
  constructor(
    options: Options,
    subscription: SubscriptionState,
    committed: CommittedOffsets | null,
    clock: Clock,
    onChange: () => void,
  ) {
    this.#options = options;
    this.#subscription = subscription;
    this.#committed = committed;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** Begins to look for those that nobody looks for yet. */
  poll(): void {
    const fresh = [...this.#subscription.partitions()].filter(
      (state) => state.state === "INITIALIZING" && !this.#asked.has(state),
    );
    if (fresh.length === 0) return;
    if (this.#committed === null) this.#reset(fresh);
    // It waits as long as they are assigned, or until something says that waiting is in vain.
    else if (this.#error === null) void this.#ask(this.#committed, fresh).finally(this.#onChange);
  }

  async #ask(committed: CommittedOffsets, fresh: readonly PartitionState[]): Promise<void> {
    for (const state of fresh) this.#asked.add(state);
    try {
      const found = await committed.lookUp(fresh, new Deadline(this.#clock, Number.POSITIVE_INFINITY));
      const open = fresh.filter((state, index) => {
        // Void after a seek, a reset, or a new assignment: whoever did that knows better.
        if (state.state !== "INITIALIZING" || !this.#subscription.has(state)) return false;
        const { offset = null, leaderEpoch = null } = found[index] ?? {};
        if (offset !== null) state.seek({ offset, leaderEpoch: leaderEpoch ?? -1 });
        return offset === null;
      });
      if (open.length > 0) this.#reset(open);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
    } finally {
      for (const state of fresh) this.#asked.delete(state);
    }
  }

  #reset(states: readonly PartitionState[]): void {
    const policy = this.#options.autoOffsetReset;
    if (policy.kind === "none") this.#error = new NoOffsetForPartitionError(states);
    else for (const state of states) state.requestReset(policy);
  }
}
