import {
  type Body,
  type Clock,
  ConnectionError,
  type Coordinators,
  Deadline,
  type NetworkClient,
  type NetworkOptions,
  type OptionReader,
  type RequestOptions,
} from "@odradek/network";
import {
  type Api,
  BrokerError,
  type Fields,
  KafkaError,
  type KafkaErrorCode,
  type Output,
  UnsupportedVersionError,
  type VersionBounds,
} from "@odradek/protocol";
import type { PartitionLeaders } from "./partition-leaders.ts";
import { releaseText } from "./releases.ts";

/** What every call takes. */
export interface AdminCallOptions {
  /** How long all of it may take, retries included, milliseconds. @default defaultApiTimeoutMs of the client */
  readonly timeoutMs?: number;
  /** Ends the wait; the call rejects with the signal's reason. What was begun may be carried out all the same. */
  readonly signal?: AbortSignal;
}

/** What an admin client works with. */
export interface AdminContext {
  readonly network: NetworkClient;
  readonly coordinators: Coordinators;
  readonly leaders: PartitionLeaders;
  readonly options: NetworkOptions;
  readonly clock: Clock;
}

/** Whom to ask: a broker by its id, the controller, or whoever is least busy. */
export type Whom = RequestOptions["to"];

/** What brokers say who do not know what became of it, since they only passed it on, or waited too long for others. */
const unknownOutcomes: ReadonlySet<KafkaErrorCode> = new Set<KafkaErrorCode>([
  "NETWORK_EXCEPTION",
  "REQUEST_TIMED_OUT",
]);

/** One call of the user: its budget of time, and how it reaches the cluster. */
export class Call {
  readonly context: AdminContext;
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
  /** What requests failed with that had been written. */
  readonly #lost = new WeakSet<KafkaError>();

  /**
   * @param reader the options of the call, of which it takes those that every call has
   * @throws OptionsError
   */
  constructor(context: AdminContext, reader: OptionReader) {
    this.context = context;
    const timeoutMs = reader.integer("timeoutMs", context.options.defaultApiTimeoutMs, 0);
    this.signal = reader.value<AbortSignal | undefined>("signal", undefined, isSignal, "an AbortSignal");
    this.deadline = new Deadline(context.clock, timeoutMs);
  }

  /** Whether the client begins with controllers, of which the active one alone does what any broker would pass on to it. */
  get asksControllers(): boolean {
    return this.context.options.asksControllers === true;
  }

  /** How long a broker may take over what it is asked, where the request says so. */
  get brokerTimeoutMs(): number {
    return Math.min(Math.ceil(this.deadline.remainingMs), this.context.options.requestTimeoutMs);
  }

  /** Whether a request that failed so may have been carried out all the same. */
  isLost(error: KafkaError): boolean {
    return this.#lost.has(error) || (error instanceof BrokerError && unknownOutcomes.has(error.code));
  }

  /**
   * Asks once.
   *
   * @throws ConnectionError where the broker of that id is not there, or leaves the cluster meanwhile; TimeoutError,
   *   AuthenticationError, ClosedError; UnsupportedVersionError naming the API, the releases that have it and what the broker has;
   *   the reason of the signal
   */
  async request<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    body: Body<Req>,
    to: Whom,
    bounds: VersionBounds = {},
  ): Promise<Output<Res>> {
    const { network } = this.context;
    let isWritten = false;
    // It is asked for when there is a connection that it goes to at once.
    const written = (version: number) => {
      isWritten = true;
      return typeof body === "function" ? body(version) : body;
    };
    try {
      if (typeof to === "string") {
        return await network.request(api, written, { to, bounds, deadline: this.deadline, signal: this.signal });
      }
      return await this.#whileItIsThere(to, (signal) => {
        // Whoever else leads or coordinates by then is to be looked for, rather than this one waited for until the end.
        const deadline = new Deadline(this.context.clock, this.brokerTimeoutMs);
        return network.request(api, written, { to, bounds, deadline, signal });
      });
    } catch (error) {
      if (error instanceof UnsupportedVersionError && error.path === "") throw error.of(releaseText(api, bounds));
      if (isWritten && error instanceof KafkaError) this.#lost.add(error);
      throw error;
    }
  }

  /** Runs it until it is done, the call is aborted, or the broker is in the cluster no more. */
  async #whileItIsThere<T>(brokerId: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { network } = this.context;
    const { signal } = this;
    const ends = new AbortController();
    const abort = () => ends.abort(signal?.reason);
    const look = () => {
      if (network.metadata.snapshot.nodes.has(brokerId)) return;
      ends.abort(new ConnectionError(null, `broker ${brokerId} is not in the cluster`));
    };
    const stopLooking = network.onWake(look);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    look();
    try {
      return await run(ends.signal);
    } finally {
      stopLooking();
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** What calls take besides whose requests say how long a broker may take over them. */
export interface OperationOptions extends AdminCallOptions {
  /**
   * How long that is, milliseconds: then it answers `REQUEST_TIMED_OUT`, and may carry it out all the same. Source: librdkafka's operation
   * timeout. @default requestTimeoutMs of the client, or what is left of timeoutMs
   */
  readonly operationTimeoutMs?: number;
}

/** One such call. */
export class OperationCall extends Call {
  readonly #operationTimeoutMs: number;

  /** @throws OptionsError */
  constructor(context: AdminContext, reader: OptionReader) {
    super(context, reader);
    this.#operationTimeoutMs = reader.integer("operationTimeoutMs", context.options.requestTimeoutMs, 0);
  }

  get operationTimeoutMs(): number {
    return Math.min(this.#operationTimeoutMs, this.brokerTimeoutMs);
  }
}

const isSignal = (value: unknown): value is AbortSignal | undefined =>
  value === undefined || value instanceof AbortSignal;
