import { type Backoff, partitionText, State, type TopicPartition } from "@odradek/network";
import type { IsolationLevel } from "../consumer-options.ts";
import type { OffsetSpec } from "./auto-offset-reset.ts";

const fetchStates = () =>
  new State("INITIALIZING", {
    INITIALIZING: ["FETCHING", "AWAIT_RESET"], // assigned; where to begin is not known
    FETCHING: ["FETCHING", "AWAIT_VALIDATION", "ORPHANED", "AWAIT_RESET"], // has a position that may be fetched from
    AWAIT_VALIDATION: ["FETCHING", "AWAIT_VALIDATION", "ORPHANED", "AWAIT_RESET"], // has one that the leader's log may not have
    ORPHANED: ["FETCHING", "AWAIT_VALIDATION", "ORPHANED", "AWAIT_RESET"], // has one of a log that is no more: only the user knows where to go on
    AWAIT_RESET: ["FETCHING", "AWAIT_RESET"], // one end of the log is being asked for
  });

/** Kafka's `FetchStates`, and one for topics that were made anew. */
export type FetchState = ReturnType<typeof fetchStates>["now"];

/** Where a partition is read next. */
export interface FetchPosition {
  readonly offset: bigint;
  /** Epoch of the leader that wrote the record before it, where that is known, else -1. */
  readonly leaderEpoch: number;
}

/** A log that a position is held against: its topic may have been made anew, and whoever leads it may have less of it. */
export interface LedLog {
  /** The zero UUID where brokers have no topic ids. */
  readonly topicId: string;
  /** -1 where brokers do not tell. */
  readonly leaderEpoch: number;
}

/** Another replica than the leader, to read from for a while. */
interface PreferredReplica {
  readonly nodeId: number;
  readonly untilMs: number;
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
  /** Its text: a key that need not be made anew. */
  readonly key: string;
  readonly #state = fetchStates();
  #position: FetchPosition | null = null;
  /** That the position is of; `null` until somebody says so. */
  #log: LedLog | null = null;
  #preferred: PreferredReplica | null = null;
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
    this.key = partitionText(this);
  }

  get state(): FetchState {
    return this.#state.now;
  }

  /** Set exactly in FETCHING, AWAIT_VALIDATION and ORPHANED. */
  get position(): FetchPosition | null {
    return this.#position;
  }

  /** The log that the position was taken from, or was last held against; `null` where that is not known. */
  get log(): LedLog | null {
    return this.#log;
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

  /** Goes on at `position`, whatever was before. @param log where the position is known to be of it */
  seek(position: FetchPosition, log: LedLog | null = null): void {
    this.#state.to("FETCHING");
    this.#position = position;
    this.#log = log;
    this.#resetTo = null;
    this.#minFetchBytes = 0;
    this.#stalls = 0;
    this.succeeded();
  }

  /** Goes back to `position`, which it has come from. */
  rewind(position: FetchPosition): void {
    const before = this.state;
    this.seek(position, this.#log);
    this.#state.to(before);
  }

  /** Who leads it now, of which nothing follows where it is the one before. Else the new one's log may end before the position. */
  ledBy(log: LedLog): void {
    if (this.#position === null) return;
    const isSame = this.#log?.leaderEpoch === log.leaderEpoch && !this.isOrphaned;
    this.#log = log;
    if (isSame) return;
    this.#preferred = null;
    // Where either epoch is unknown, there is nothing that the leader could be asked.
    const canBeAsked = log.leaderEpoch >= 0 && this.#position.leaderEpoch >= 0;
    this.#state.to(canBeAsked ? "AWAIT_VALIDATION" : "FETCHING");
    this.succeeded();
  }

  /** Whether it is led still as it was in that epoch. What was said of it in another one may be of records that are no more. */
  isLedIn(leaderEpoch: number): boolean {
    return this.#log === null || this.#log.leaderEpoch === leaderEpoch;
  }

  /** The position is of another log than the one there is: it is neither read from nor committed. */
  orphan(): void {
    this.#state.to("ORPHANED");
  }

  get isOrphaned(): boolean {
    return this.#state.is("ORPHANED");
  }

  /** The log has what the position says, or nobody can tell. */
  validated(): void {
    this.#state.to("FETCHING");
    this.succeeded();
  }

  /** Whether the leader is to be asked first if its log has what the position says. */
  get awaitsValidation(): boolean {
    return this.#state.is("AWAIT_VALIDATION");
  }

  /** Reads from that replica until then, unless it fails. */
  prefer(nodeId: number, untilMs: number): void {
    this.#preferred = { nodeId, untilMs };
  }

  /** Reads from the leader again. */
  preferLeader(): void {
    this.#preferred = null;
  }

  /** The replica that is read from instead of the leader, if there is one. */
  preferredReplica(nowMs: number): number | null {
    return this.#preferred !== null && nowMs < this.#preferred.untilMs ? this.#preferred.nodeId : null;
  }

  /** Forgets the position; it is to be looked up. */
  requestReset(spec: OffsetSpec): void {
    this.#state.to("AWAIT_RESET");
    this.#position = null;
    this.#log = null;
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
    const end = endFor(this.#logEnds, isolationLevel);
    if (end < 0n) return null;
    return end > position.offset ? end - position.offset : 0n;
  }

  /** Whether nothing can be read behind its position, as far as is known: a fetch of it would wait at the broker. */
  isAtEnd(isolationLevel: IsolationLevel): boolean {
    if (this.#position === null || this.#logEnds === null) return false;
    const end = endFor(this.#logEnds, isolationLevel);
    return end >= 0n && this.#position.offset >= end;
  }

  /** Records between the beginning of the log and its position; `null` while either is unknown. */
  get lead(): bigint | null {
    if (this.#position === null || this.#logEnds === null || this.#logEnds.logStartOffset < 0n) return null;
    return this.#position.offset - this.#logEnds.logStartOffset;
  }
}

/** Where what may be read ends; negative where the leader does not tell. */
const endFor = ({ highWatermark, lastStableOffset }: LogEnds, isolationLevel: IsolationLevel): bigint =>
  isolationLevel === "read_committed" ? lastStableOffset : highWatermark;
