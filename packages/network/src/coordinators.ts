import { BrokerError, codeOf, KafkaError, type VersionBounds } from "@odradek/protocol";
import { FindCoordinator, type FindCoordinatorResponse } from "@odradek/protocol/messages/find-coordinator";
import { type Backoff, exponentialBackoff } from "./backoff.ts";
import type { ResolvedClientOptions } from "./client-options.ts";
import type { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import { TimeoutError } from "./errors.ts";
import type { NetworkClient } from "./network-client.ts";

/** What a broker coordinates: a group, the transactions of an id, or the state of a share group's partition. */
export type CoordinatorType = "group" | "transaction" | "share";

/** The id of the broker that coordinates something, or why none can be told. */
export type Coordinator = number | BrokerError;

/** What is needed of the client to find them. */
export type CoordinatorClient = Pick<NetworkClient, "metadata" | "pause" | "request">;

interface TypeTraits {
  /** How FindCoordinator calls it. */
  readonly keyType: number;
  readonly bounds: VersionBounds;
  /** For messages of errors. */
  readonly text: string;
}

const traits: Readonly<Record<CoordinatorType, TypeTraits>> = Object.freeze({
  group: { keyType: 0, bounds: {}, text: "group" },
  transaction: { keyType: 1, bounds: { oldest: 1 }, text: "transactional id" },
  share: { keyType: 2, bounds: { oldest: 6 }, text: "share group partition" },
});

/** The version from which a request has many keys. */
const manyKeysSince = 4;

const notAvailable = codeOf("COORDINATOR_NOT_AVAILABLE");

/** Where a coordinator is, in either shape of the answer. */
type Told = Pick<FindCoordinatorResponse, "errorCode" | "errorMessage" | "nodeId" | "host" | "port">;

/** Keys that are asked for in one turn of the event loop. */
interface Batch {
  readonly keys: Set<string>;
  /** The latest of those who ask. */
  deadline: Deadline;
  readonly answer: Promise<ReadonlyMap<string, Coordinator>>;
}

/** Who coordinates what. Source: Kafka's `CoordinatorStrategy`, KIP-699. */
export class Coordinators {
  readonly #client: CoordinatorClient;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #known = { group: new Map<string, number>(), transaction: new Map(), share: new Map() };
  /** Those that nobody was asked for yet. */
  readonly #batches = new Map<CoordinatorType, Batch>();

  constructor(
    client: CoordinatorClient,
    options: Pick<ResolvedClientOptions, "retryBackoffMs" | "retryBackoffMaxMs">,
    clock: Clock,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** The broker that was found, by its id; `null` where none was, or it has left the cluster since. */
  known(type: CoordinatorType, key: string): number | null {
    const nodeId = this.#known[type].get(key) ?? null;
    return nodeId !== null && this.#client.metadata.snapshot.nodes.has(nodeId) ? nodeId : null;
  }

  /** Says that what was found is no longer so. */
  forget(type: CoordinatorType, key: string): void {
    this.#known[type].delete(key);
  }

  /** The same for all that a broker coordinates, since it is out of reach or shuts down. */
  forgetNode(nodeId: number): void {
    for (const known of Object.values(this.#known)) {
      for (const [key, id] of known) if (id === nodeId) known.delete(key);
    }
  }

  /**
   * Finds who coordinates each of `keys`. Those that are known are not asked for; the others are as often as it may help, in
   * one request with all that is asked for in the same turn of the event loop, where brokers understand that.
   *
   * @returns for each key the broker, or the last error
   * @throws TimeoutError where a key had neither before the deadline; UnsupportedVersionError where brokers have no
   *   coordinators of that type; the reason of the signal; else the same as `NetworkClient.request`
   */
  async find(
    type: CoordinatorType,
    keys: Iterable<string>,
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Coordinator>> {
    const found = new Map<string, Coordinator | null>([...keys].map((key) => [key, this.known(type, key)]));
    for (let attempt = 0; ; attempt++) {
      const missing = [...found].filter(([, coordinator]) => mayComeYet(coordinator)).map(([key]) => key);
      if (missing.length === 0) return whole(found);
      signal?.throwIfAborted();
      try {
        const answer = await this.#answerTo(type, missing, deadline, signal);
        for (const key of missing) found.set(key, answer.get(key) ?? null);
      } catch (error) {
        if (deadline.isOver && ![...found.values()].includes(null)) return whole(found);
        if (deadline.isOver || !(error instanceof KafkaError && error.retriable)) throw error;
      }
      if (missing.every((key) => !mayComeYet(found.get(key) ?? null))) return whole(found);
      const pauseMs = Math.min(this.#backoff(attempt), deadline.remainingMs);
      await this.#client.pause(new Deadline(this.#clock, pauseMs), { signal });
    }
  }

  /**
   * Asks once, in the same way, for whoever goes on with those that are found while the others are asked for again.
   *
   * @returns for each key the broker, or why it was not found: what the brokers say of it, or why they could not be asked
   * @throws the reason of the signal
   */
  async findOnce(
    type: CoordinatorType,
    keys: Iterable<string>,
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, number | KafkaError>> {
    const all = [...new Set(keys)];
    const missing = all.filter((key) => this.known(type, key) === null);
    if (missing.length > 0) signal?.throwIfAborted();
    const answer = missing.length === 0 ? none : await this.#answerOrError(type, missing, deadline, signal);
    return new Map(
      all.flatMap((key): [string, number | KafkaError][] => {
        const found = this.known(type, key) ?? (answer instanceof KafkaError ? answer : answer.get(key));
        return found === undefined ? [] : [[key, found]];
      }),
    );
  }

  #answerOrError(
    type: CoordinatorType,
    keys: readonly string[],
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, Coordinator> | KafkaError> {
    return this.#answerTo(type, keys, deadline, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (error instanceof KafkaError) return error;
      throw error;
    });
  }

  /** Asks together with others; who has less time or changes its mind does not wait for them. */
  #answerTo(
    type: CoordinatorType,
    keys: readonly string[],
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, Coordinator>> {
    const batch = this.#batches.get(type) ?? this.#newBatch(type, deadline);
    for (const key of keys) batch.keys.add(key);
    if (deadline.atMs > batch.deadline.atMs) batch.deadline = deadline;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      const timer = this.#clock.after(deadline.remainingMs, () => {
        // Where nobody has more time, the request itself ends, and knows why.
        if (batch.deadline !== deadline) reject(new TimeoutError(textOf(type, keys), deadline.timeoutMs));
      });
      signal?.addEventListener("abort", abort);
      void batch.answer.then(resolve, reject).finally(() => {
        timer.cancel();
        signal?.removeEventListener("abort", abort);
      });
    });
  }

  #newBatch(type: CoordinatorType, deadline: Deadline): Batch {
    const answer = new Promise<void>((resolve) => {
      this.#clock.after(0, resolve);
    }).then(() => {
      this.#batches.delete(type);
      return this.#ask(type, [...batch.keys], batch.deadline);
    });
    const batch: Batch = { keys: new Set(), deadline, answer };
    this.#batches.set(type, batch);
    return batch;
  }

  async #ask(type: CoordinatorType, keys: readonly string[], deadline: Deadline): Promise<Map<string, Coordinator>> {
    const { keyType, bounds } = traits[type];
    const [first = "", ...others] = keys;
    let version = 0;
    const body = (usable: number) => {
      version = usable;
      return usable < manyKeysSince ? { keyType, key: first } : { keyType, coordinatorKeys: [...keys] };
    };
    const response = await this.#client.request(FindCoordinator, body, { to: "any", deadline, bounds });
    if (version >= manyKeysSince) {
      const told = new Map(response.coordinators.map((coordinator) => [coordinator.key, coordinator]));
      return new Map(keys.map((key) => [key, this.#take(type, key, told.get(key))]));
    }
    const askOne = async (key: string): Promise<[string, Coordinator]> => {
      const one = { to: "any", deadline, bounds: { ...bounds, newest: manyKeysSince - 1 } } as const;
      return [key, this.#take(type, key, await this.#client.request(FindCoordinator, { keyType, key }, one))];
    };
    return new Map([[first, this.#take(type, first, response)], ...(await Promise.all(others.map(askOne)))]);
  }

  #take(type: CoordinatorType, key: string, told: Told | undefined): Coordinator {
    const about = textOf(type, [key]);
    if (told === undefined) return new BrokerError(notAvailable, about, "the answer does not name it");
    const { errorCode, errorMessage, nodeId, host, port } = told;
    if (errorCode !== 0) return new BrokerError(errorCode, about, errorMessage);
    const { metadata } = this.#client;
    // Negative ids are those of bootstrap servers.
    if (nodeId >= 0) metadata.addNode({ id: nodeId, host, port, rack: null });
    if (nodeId < 0 || !metadata.snapshot.nodes.has(nodeId)) {
      return new BrokerError(notAvailable, about, "the answer names no broker that could be connected to");
    }
    this.#known[type].set(key, nodeId);
    return nodeId;
  }
}

const none: ReadonlyMap<string, Coordinator> = new Map();

/** Whether asking again may help. */
const mayComeYet = (coordinator: Coordinator | null): boolean =>
  coordinator === null || (coordinator instanceof BrokerError && coordinator.retriable);

const whole = (found: ReadonlyMap<string, Coordinator | null>): ReadonlyMap<string, Coordinator> =>
  new Map([...found].flatMap(([key, coordinator]) => (coordinator === null ? [] : [[key, coordinator]])));

function textOf(type: CoordinatorType, keys: readonly string[]): string {
  const [first = "", ...others] = keys;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `FindCoordinator of ${traits[type].text} ${first}${more}`;
}
