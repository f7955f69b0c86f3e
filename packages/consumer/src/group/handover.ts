import { partitionText, type TopicPartition } from "@odradek/network";
import type { CoordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import type { RebalanceProtocol } from "./partition-assignor.ts";
import { ListenerCalls } from "./rebalance-listener.ts";
import type { Subscription } from "./subscription.ts";

/**
 * How partitions change hands: what goes, what stays and what comes, and the calls of the user's listener in between. Each step
 * is told whether it still counts, since the consumer may leave its group while the listener works.
 * Source: Kafka's `ConsumerCoordinator.onJoinPrepare`, `onJoinComplete` and `onLeavePrepare`, KIP-429.
 */
export class Handover {
  readonly #subscription: Subscription;
  readonly #assignment: SubscriptionState;
  readonly #protocol: RebalanceProtocol;
  readonly #metrics: Pick<CoordinatorMetrics, "listenerCall">;
  /** What the listener is being told of as going. It may leave the group right then, and is not told once more. */
  readonly #going = new Set<string>();

  constructor(
    subscription: Subscription,
    assignment: SubscriptionState,
    protocol: RebalanceProtocol,
    metrics: Pick<CoordinatorMetrics, "listenerCall">,
  ) {
    this.#subscription = subscription;
    this.#assignment = assignment;
    this.#protocol = protocol;
    this.#metrics = metrics;
  }

  /** What is owned, in the order of topics and numbers. */
  get owned(): TopicPartition[] {
    return this.#assignment.toArray();
  }

  /** What must not be owned any more before the member joins. */
  get goesBeforeJoining(): TopicPartition[] {
    if (this.#protocol === "eager") return this.owned;
    const { topics } = this.#subscription;
    return this.owned.filter(({ topic }) => !topics.has(topic));
  }

  /** What is owned and not among `partitions`. */
  goesFor(partitions: readonly TopicPartition[]): TopicPartition[] {
    return without(this.owned, partitions);
  }

  /** Gives up what must go before the member joins. @throws what the listener throws, at the end */
  async beforeJoining(counts: () => boolean): Promise<void> {
    const calls = this.#listenerCalls();
    const goes = this.goesBeforeJoining;
    // Java tells it of an eager rebalance even where it owns nothing.
    if (goes.length > 0 || this.#protocol === "eager") await this.#tell(goes, () => calls.revoked(goes));
    if (counts()) this.#assignment.assign(without(this.owned, goes));
    calls.end();
  }

  /** Has lost everything, with its place in the group. @throws what the listener throws, at the end */
  async lost(counts: () => boolean): Promise<void> {
    const calls = this.#listenerCalls();
    const goes = this.#untold;
    if (goes.length > 0) await this.#tell(goes, () => calls.lost(goes));
    if (counts()) this.#assignment.assign([]);
    calls.end();
  }

  /** Takes over what it was given; what goes to others goes first. @throws what the listener throws, at the end */
  async afterJoining(partitions: readonly TopicPartition[], counts: () => boolean): Promise<void> {
    const calls = this.#listenerCalls();
    const goes = this.goesFor(partitions);
    if (goes.length > 0) await this.#tell(goes, () => calls.revoked(goes));
    if (counts()) {
      const comes = without(partitions, this.owned);
      this.#assignment.assign(partitions);
      await calls.assigned(comes);
    }
    calls.end();
  }

  /** Gives up everything, in order. @throws what the listener throws, at the end */
  async onLeaving(): Promise<void> {
    const calls = this.#listenerCalls();
    const goes = this.#untold;
    if (goes.length > 0) await this.#tell(goes, () => calls.revoked(goes));
    this.#assignment.assign([]);
    calls.end();
  }

  /** What is owned, without what the listener is being told of right now. */
  get #untold(): TopicPartition[] {
    return this.owned.filter((partition) => !this.#going.has(partitionText(partition)));
  }

  #listenerCalls(): ListenerCalls {
    return new ListenerCalls(this.#subscription.listener, this.#metrics);
  }

  async #tell(goes: readonly TopicPartition[], call: () => Promise<void>): Promise<void> {
    const keys = goes.map(partitionText);
    for (const key of keys) this.#going.add(key);
    await call();
    for (const key of keys) this.#going.delete(key);
  }
}

function without(partitions: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const keys = new Set(others.map(partitionText));
  return partitions.filter((partition) => !keys.has(partitionText(partition)));
}
