import type { FetchPosition, PartitionState } from "./partition-state.ts";
import type { SubscriptionState } from "./subscription-state.ts";

/**
 * What was found wrong with positions, until the user is told: once for each, however often it was found, and not of those that
 * were left meanwhile.
 */
export class WrongPositions<T> {
  readonly #subscription: SubscriptionState;
  readonly #found = new Map<PartitionState, { readonly position: FetchPosition; readonly what: T }>();

  constructor(subscription: SubscriptionState) {
    this.#subscription = subscription;
  }

  add(state: PartitionState, position: FetchPosition, what: T): void {
    this.#found.set(state, { position, what });
  }

  /** What was added since the last call, and still holds. */
  take(): T[] {
    const found = [...this.#found];
    this.#found.clear();
    return found.flatMap(([state, { position, what }]) =>
      state.position === position && this.#subscription.has(state) ? [what] : [],
    );
  }
}
