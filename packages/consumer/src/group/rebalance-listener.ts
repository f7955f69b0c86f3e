import { OptionsError, type TopicPartition } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { CoordinatorMetrics, ListenerCall } from "../metrics/coordinator-metrics.ts";

/**
 * Is told which partitions a consumer gets and gives up. Each call is awaited before the rebalance goes on, within a `poll`,
 * `unsubscribe` or `close` of the application; it may seek, commit and ask for positions, and must not poll.
 * What it throws is thrown by that poll, after the rebalance went on. Source: Kafka's `ConsumerRebalanceListener`.
 */
export interface ConsumerRebalanceListener {
  /** These were added to the assignment; their positions may be set here. Called, perhaps without any, at the end of every rebalance. */
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** These are about to be given up. They are still this consumer's: what was finished can be committed. */
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** These are gone, and may be another's already: commits would be refused. @default what `onPartitionsRevoked` does */
  onPartitionsLost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

const names = ["onPartitionsAssigned", "onPartitionsRevoked", "onPartitionsLost"] as const;

/** @throws OptionsError for what is no listener */
export function checkedListener(listener: ConsumerRebalanceListener): ConsumerRebalanceListener {
  if (typeof listener !== "object" || listener === null) {
    throw new OptionsError("listener", listener, `an object with ${names.join(", ")}`);
  }
  for (const name of names) {
    const call: unknown = listener[name];
    if (call !== undefined && typeof call !== "function")
      throw new OptionsError(`listener.${name}`, call, "a function");
  }
  return listener;
}

/** Calls a listener, all of it: the first error is kept until the end. Source: Kafka's `ConsumerRebalanceListenerInvoker`. */
export class ListenerCalls {
  readonly #listener: ConsumerRebalanceListener;
  readonly #metrics: Pick<CoordinatorMetrics, "listenerCall">;
  #error: Error | null = null;

  constructor(listener: ConsumerRebalanceListener | null, metrics: Pick<CoordinatorMetrics, "listenerCall">) {
    this.#listener = listener ?? {};
    this.#metrics = metrics;
  }

  assigned(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#call("assigned", "onPartitionsAssigned", partitions);
  }

  revoked(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#call("revoked", "onPartitionsRevoked", partitions);
  }

  lost(partitions: readonly TopicPartition[]): Promise<void> {
    const isSilent = this.#listener.onPartitionsLost === undefined;
    return this.#call("lost", isSilent ? "onPartitionsRevoked" : "onPartitionsLost", partitions);
  }

  /** @throws what the first call that failed threw, within a KafkaError unless it is one */
  end(): void {
    if (this.#error !== null) throw this.#error;
  }

  async #call(call: ListenerCall, name: (typeof names)[number], partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#listener[name] === undefined) return;
    const told = partitions.map(({ topic, partition }) => ({ topic, partition }));
    try {
      await this.#metrics.listenerCall(call, () => this.#listener[name]?.(told));
    } catch (error) {
      this.#error ??=
        error instanceof KafkaError
          ? error
          : new KafkaError(`the rebalance listener's ${name} threw`, { code: "LISTENER", cause: error });
    }
  }
}
