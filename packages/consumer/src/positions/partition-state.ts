import { type Backoff, State, type TopicPartition } from "@odradek/network";
import type { IsolationLevel } from "../consumer-options.ts";
import type { OffsetSpec } from "./auto-offset-reset.ts";

const fetchStates = () =>
  new State("INITIALIZING", {
    INITIALIZING: ["FETCHING", "AWAIT_RESET"], // assigned; where to begin is not known
    FETCHING: ["FETCHING", "AWAIT_RESET"], // has a position that may be fetched from
    AWAIT_RESET: ["FETCHING", "AWAIT_RESET"], // one end of the log is being asked for
  });

/** Kafka's `FetchStates`. */
export type FetchState = ReturnType<typeof fetchStates>["now"];

/** Where a partition is read next. */
export interface FetchPosition {
  readonly offset: bigint;
  /** Epoch of the leader that wrote the record before it, where that is known, else -1. */
  readonly leaderEpoch: number;
}

/** What a leader said of the ends of its log. */
export interface LogEnds {
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
}

/** One partition that is assigned: its position, and what is known of its log. No I/O. Source: Kafka's `TopicPartitionState`. */
export class PartitionState implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #state = fetchStates();
  #position: FetchPosition | null = null;
  #resetTo: OffsetSpec | null = null;
  #isPaused = false;
  #logEnds: LogEnds | null = null;
  #minFetchBytes = 0;
  #failures = 0;
  #stalls = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  get state(): FetchState {
    return this.#state.now;
  }

  /** Set exactly in FETCHING. */
  get position(): FetchPosition | null {
    return this.#position;
  }

  /** Set exactly in AWAIT_RESET. */
  get resetTo(): OffsetSpec | null {
    return this.#resetTo;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** When the leader may be asked again, after an answer that was an error. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Bytes that a fetch must be allowed, because a batch came cut short; 0 for no such need. */
  get minFetchBytes(): number {
    return this.#minFetchBytes;
  }

  /** Whether `poll` may give records of it. */
  get isFetchable(): boolean {
    return this.#state.is("FETCHING") && !this.#isPaused;
  }

  /** Goes on at `position`, whatever was before. */
  seek(position: FetchPosition): void {
    this.#state.to("FETCHING");
    this.#position = position;
    this.#resetTo = null;
    this.#minFetchBytes = 0;
    this.#stalls = 0;
    this.succeeded();
  }

  /** Forgets the position; it is to be looked up. */
  requestReset(spec: OffsetSpec): void {
    this.#state.to("AWAIT_RESET");
    this.#position = null;
    this.#resetTo = spec;
    this.succeeded();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** The next batch is `bytes` long, which is more than was asked for. */
  needs(bytes: number): void {
    this.#minFetchBytes = bytes;
  }

  /** Takes a step forward, behind records that were handed out. */
  advance(position: FetchPosition): void {
    this.#position = position;
    this.#minFetchBytes = 0;
    this.#stalls = 0;
  }

  /** The leader's answer was an error: it is left alone for a while, longer each time in a row. */
  failed(nowMs: number, backoff: Backoff): void {
    this.#retryAtMs = nowMs + backoff(this.#failures);
    this.#failures += 1;
  }

  /**
   * The leader's answer was a good one and led nowhere. From the second in a row on, it is left alone for a while.
   *
   * @returns how many in a row there were
   */
  stalled(nowMs: number, backoff: Backoff): number {
    if (this.#stalls > 0) this.#retryAtMs = nowMs + backoff(this.#stalls - 1);
    this.#stalls += 1;
    return this.#stalls;
  }

  /** The leader's answer was a good one. */
  succeeded(): void {
    this.#failures = 0;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Takes what an answer said of the ends of the log. */
  saw(logEnds: LogEnds): void {
    this.#logEnds = logEnds;
  }

  /** Records between a position and the end of what may be read; `null` while either is unknown. @param position default its own */
  lag(isolationLevel: IsolationLevel, position = this.#position): bigint | null {
    if (position === null || this.#logEnds === null) return null;
    const { highWatermark, lastStableOffset } = this.#logEnds;
    const end = isolationLevel === "read_committed" ? lastStableOffset : highWatermark;
    if (end < 0n) return null;
    return end > position.offset ? end - position.offset : 0n;
  }
}
