import {
  type Backoff,
  type Clock,
  type Coordinators,
  Deadline,
  exponentialBackoff,
  type Purpose,
} from "@odradek/network";
import { BrokerError, KafkaError } from "@odradek/protocol";
import type { ClusterView } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "requestTimeoutMs" | "retryBackoffMs" | "retryBackoffMaxMs"
>;

/** What is needed of the network to find a coordinator. */
export type CoordinatorFinder = Pick<Coordinators, "find" | "known" | "forget">;

/**
 * The broker that a group's requests go to. It is looked for whenever somebody needs it and it is not known, and forgotten
 * when it turns out to be another or cannot be reached. Source: the part of Kafka's `AbstractCoordinator` about that.
 */
export class GroupCoordinator {
  readonly groupId: string;
  readonly #options: Options;
  readonly #cluster: ClusterView;
  readonly #finder: CoordinatorFinder;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #onChange: () => void;
  readonly #closing = new AbortController();
  #isBeingSought = false;
  /** Losses since it last answered. */
  #losses = 0;
  #soughtAgainAtMs = Number.NEGATIVE_INFINITY;
  #error: Error | null = null;
  #lastError: Error | null = null;

  /** @param onChange called when it was found, or could not be */
  constructor(
    groupId: string,
    options: Options,
    cluster: ClusterView,
    finder: CoordinatorFinder,
    clock: Clock,
    onChange: () => void,
  ) {
    this.groupId = groupId;
    this.#options = options;
    this.#cluster = cluster;
    this.#finder = finder;
    this.#clock = clock;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
    this.#onChange = onChange;
  }

  /** Why nobody is looked for: asking again will not mend it, unless somebody takes the error and wants another attempt. */
  get error(): Error | null {
    return this.#error;
  }

  /** The same, for the user, once. */
  takeError(): Error | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** What went wrong last, for the message of a time-out. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** The node that takes a request of the group right now; `null` while it is being found or connected to. */
  ready(purpose: Purpose = "coordinator"): number | null {
    const nodeId = this.#finder.known("group", this.groupId);
    if (nodeId === null) {
      this.#seek();
      return null;
    }
    if (this.#cluster.ready(nodeId, purpose)) return nodeId;
    const refusal = this.#cluster.authenticationError(nodeId, purpose);
    if (refusal !== null) this.#fail(refusal);
    // A back-off means that connecting failed: the group may have another coordinator by now.
    else if (Number.isFinite(this.#cluster.retryAtMs(nodeId, purpose))) {
      this.lost(nodeId, this.#cluster.lastError(nodeId, purpose));
    }
    return null;
  }

  /** When to ask `ready` again although nothing woke the caller; `Infinity` where a wake will come. */
  get retryAtMs(): number {
    const isKnown = this.#finder.known("group", this.groupId) !== null;
    return isKnown || this.#isBeingSought || this.#error !== null ? Number.POSITIVE_INFINITY : this.#soughtAgainAtMs;
  }

  /** It answered as the coordinator does. */
  answered(): void {
    this.#losses = 0;
    this.#lastError = null;
  }

  /** It is out of reach, or says that it is another: it is looked for again after a back-off. Void where another is known by now. */
  lost(nodeId: number, error: Error | null): void {
    this.#lastError = error ?? this.#lastError;
    if (this.#finder.known("group", this.groupId) !== nodeId) return;
    this.#finder.forget("group", this.groupId);
    this.#backOff();
  }

  /** Nothing comes of what it is asked: it may be another by now. */
  suspect(): void {
    const nodeId = this.#finder.known("group", this.groupId);
    if (nodeId !== null) this.lost(nodeId, null);
  }

  /** Looks for it no more. */
  close(): void {
    this.#closing.abort();
  }

  #seek(): void {
    // Whoever has not heard of an error yet would have it happen again.
    if (this.#isBeingSought || this.#error !== null || this.#soughtAgainAtMs > this.#clock.now()) return;
    this.#isBeingSought = true;
    void this.#find().finally(() => {
      this.#isBeingSought = false;
      this.#onChange();
    });
  }

  async #find(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const deadline = new Deadline(this.#clock, this.#options.requestTimeoutMs);
      const found = (await this.#finder.find("group", [this.groupId], deadline, signal)).get(this.groupId);
      if (found instanceof BrokerError) this.#fail(found);
    } catch (error) {
      if (!signal.aborted) this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    this.#lastError = error;
    this.#backOff();
    if (!(error instanceof KafkaError && error.retriable)) this.#error ??= error;
  }

  #backOff(): void {
    this.#soughtAgainAtMs = this.#clock.now() + this.#backoff(this.#losses);
    this.#losses += 1;
  }
}
