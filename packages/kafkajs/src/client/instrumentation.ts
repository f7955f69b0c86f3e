import { type Clock, systemClock } from "odradek";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { Logger } from "../logger.ts";

export interface InstrumentationEvent<T> {
  /** Grows with every event of the process. A number, whatever the type has said since kafkajs. */
  id: string;
  type: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  payload: T;
}

export type RemoveInstrumentationEventListener<_Name> = () => void;

type Listening<Name, Event> = (
  eventName: Name,
  listener: (event: Event) => void,
) => RemoveInstrumentationEventListener<Name>;

type Intersection<Union> = (Union extends unknown ? (given: Union) => void : never) extends (given: infer All) => void
  ? All
  : never;

/**
 * Listens to the events of one client: an overload for each, and one for a name that may be several, whose listener may expect what it
 * likes, as in kafkajs' types.
 *
 * @returns what removes the listener
 * @throws KafkaJSNonRetriableError for an event that there is not
 */
export type Listen<Payloads> = Intersection<
  { [Name in keyof Payloads]: Listening<Name, InstrumentationEvent<Payloads[Name]>> }[keyof Payloads]
> &
  // biome-ignore lint/suspicious/noExplicitAny: nothing else lets a listener without types look at what it is told
  Listening<keyof Payloads, InstrumentationEvent<any>>;

/** Its payload is `undefined`, whatever the type has said since kafkajs. */
export type ConnectEvent = InstrumentationEvent<null>;
/** Its payload is `undefined`, whatever the type has said since kafkajs. */
export type DisconnectEvent = InstrumentationEvent<null>;

/** A request that has its answer. */
export interface RequestPayload {
  /** `host:port` */
  broker: string;
  clientId: string;
  correlationId: number;
  /** Bytes of the answer. */
  size: number;
  createdAt: number;
  sentAt: number;
  pendingDuration: number;
  /** Milliseconds. */
  duration: number;
  apiName: string;
  apiKey: number;
  apiVersion: number;
}

/** A request that has none in time. */
export type RequestTimeoutPayload = Omit<RequestPayload, "size" | "duration">;

/** How many requests wait. */
export type RequestQueueSizePayload = Pick<RequestPayload, "broker" | "clientId"> & { queueSize: number };

export type RequestEvent = InstrumentationEvent<RequestPayload>;
export type RequestTimeoutEvent = InstrumentationEvent<RequestTimeoutPayload>;
export type RequestQueueSizeEvent = InstrumentationEvent<RequestQueueSizePayload>;

let nextId = 0;

/** The events of one client. Listeners are called at once, one after the other. */
export class Instrumentation {
  /** `producer`, `consumer` or `admin`. */
  readonly client: string;
  readonly #events: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly #listeners = new Map<string, Set<{ readonly tell: (event: never) => unknown }>>();
  readonly #watchers = new Set<{ readonly onRequest: () => void }>();

  /**
   * @param client `producer`, `consumer` or `admin`
   * @param events by their names in kafkajs, such as `CONNECT: "producer.connect"`
   */
  constructor(client: string, events: Readonly<Record<string, string>>, logger: Logger, clock: Clock = systemClock) {
    this.client = client;
    this.#events = events;
    this.logger = logger;
    this.clock = clock;
  }

  /**
   * @returns what removes the listener
   * @throws KafkaJSNonRetriableError for an event that there is not
   */
  on(eventName: string, tell: (event: never) => unknown): () => void {
    if (!Object.values(this.#events).includes(eventName)) {
      const names = Object.keys(this.#events).map((name) => `${this.client}.events.${name}`);
      throw new KafkaJSNonRetriableError(`Event name should be one of ${names.join(", ")}`);
    }
    const listeners = this.#listeners.get(eventName) ?? new Set();
    this.#listeners.set(eventName, listeners);
    const listener = { tell };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Whether there is a listener: an event that nobody hears need not be made. */
  isHeard(type: string): boolean {
    const listeners = this.#listeners.get(type);
    return listeners !== undefined && listeners.size > 0;
  }

  /** Has something else than an event come of each request that is sent. @returns what ends that */
  watchRequests(onRequest: () => void): () => void {
    const watcher = { onRequest };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Whether somebody watches what is sent. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  requestSent(): void {
    for (const { onRequest } of this.#watchers) onRequest();
  }

  /** What a listener throws, or rejects with, is logged and reaches nobody else. */
  emit(type: string, payload?: object): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined || listeners.size === 0) return;
    const event = { id: nextId++, type, timestamp: this.clock.wallTimeMs(), payload };
    for (const { tell } of [...listeners]) {
      try {
        const told: unknown = Reflect.apply(tell, undefined, [event]);
        if (told instanceof Promise) told.catch((error: unknown) => this.#failed(type, error));
      } catch (error) {
        this.#failed(type, error);
      }
    }
  }

  #failed(type: string, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    this.logger.error(`Failed to execute listener: ${message}`, { eventName: type, stack });
  }
}
