import { type Clock, ClosedError, Deadline, type Metric, NetworkClient, systemClock } from "@odradek/network";
import { type AdminOptions, resolveAdminOptions } from "./admin-options.ts";
import type { NewTopic } from "./new-topic.ts";
import type { Results } from "./results.ts";
import type { AdminContext } from "./retries.ts";
import { type CreatedTopic, type CreateTopicsOptions, createTopics } from "./topics.ts";

/**
 * The cluster's own affairs: what an operator or a test does to it. Connects on the first call.
 *
 * Every call resolves to `Results`: one result for each thing asked for, its error being a value. Errors that may pass
 * (a controller that moved, a broker that restarts) are asked again until `timeoutMs`.
 */
export class KafkaAdmin {
  readonly #context: AdminContext;
  #closing: Promise<void> | null = null;

  /**
   * @param clock for tests, which let time pass as they like
   * @throws OptionsError naming option, value and what is allowed
   */
  constructor(options: AdminOptions, clock: Clock = systemClock) {
    const resolved = resolveAdminOptions(options);
    this.#context = { options: resolved, clock, network: new NetworkClient("admin-client", resolved, clock) };
  }

  /**
   * Connects now, for who wants to fail fast.
   *
   * @throws TimeoutError where no broker of the cluster answers in time, AuthenticationError
   */
  async connect(): Promise<void> {
    const { network, options, clock } = this.#open();
    const deadline = new Deadline(clock, options.defaultApiTimeoutMs);
    await network.awaitMetadata(deadline, "connecting to the cluster", () => network.metadata.snapshot.controllerId);
  }

  /**
   * Creates topics (CreateTopics, Kafka 0.10.1 and newer).
   *
   * @returns for each topic what the broker made of it, or its error, such as `TOPIC_ALREADY_EXISTS`
   * @throws OptionsError for a topic that no broker would take
   */
  async createTopics(topics: readonly NewTopic[], options: CreateTopicsOptions = {}): Promise<Results<CreatedTopic>> {
    return createTopics(this.#open(), topics, options);
  }

  /** What was measured so far, by Kafka's names: connections, requests and authentications, in all and for each broker. */
  metrics(): Metric[] {
    return this.#context.network.metrics();
  }

  /** Lets calls under way finish for `timeoutMs`, then closes every connection. @default requestTimeoutMs */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#context.network.close(options);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): AdminContext {
    if (this.#closing !== null) throw new ClosedError("admin client");
    return this.#context;
  }
}
