import type { Logger } from "@odradek/network";
import type { ClusterView } from "../cluster-view.ts";

/** One that is being made need not be known everywhere for so long. */
const graceMs = 1_000;

/**
 * Says in the log which topics are to be read and are not there: else a name that is misspelt would look like a topic without records.
 * Each once, until it comes. Source: the warnings of Kafka's `NetworkClient.DefaultMetadataUpdater` and `ConsumerCoordinator`.
 */
export class AbsentTopics {
  readonly #cluster: Pick<ClusterView, "metadata">;
  readonly #logger: Logger;
  readonly #wanted: () => Iterable<string>;
  /** Since when each is missed; `null` where that was said. */
  readonly #missed = new Map<string, number | null>();
  #snapshot: ClusterView["metadata"]["snapshot"] | null = null;

  /** @param wanted the topics that are to be read, there or not */
  constructor(cluster: Pick<ClusterView, "metadata">, logger: Logger, wanted: () => Iterable<string>) {
    this.#cluster = cluster;
    this.#logger = logger;
    this.#wanted = wanted;
  }

  /** Looks at each answer about metadata once. */
  look(nowMs: number): void {
    const { metadata } = this.#cluster;
    const { snapshot } = metadata;
    if (snapshot === this.#snapshot) return;
    this.#snapshot = snapshot;
    for (const topic of this.#missed.keys()) if (!snapshot.topicErrors.has(topic)) this.#missed.delete(topic);
    if (snapshot.topicErrors.size === 0) return;
    for (const topic of this.#wanted()) {
      if (metadata.errorOf(topic)?.code !== "UNKNOWN_TOPIC_OR_PARTITION") continue;
      const sinceMs = this.#missed.get(topic);
      if (sinceMs === undefined) this.#missed.set(topic, nowMs);
      else if (sinceMs !== null && nowMs - sinceMs >= graceMs) this.#warn(topic);
    }
  }

  #warn(topic: string): void {
    this.#missed.set(topic, null);
    this.#logger.warn("a topic that is to be read does not exist: waits for it", { topic });
  }
}
