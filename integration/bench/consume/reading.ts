import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Offsets } from "./offsets.ts";
import { nothingMeasured, type Outcome, peakMib } from "./outcome.ts";
import type { Patience } from "./patience.ts";
import type { Sink } from "./sink.ts";
import { type Spent, stretch } from "./stretch.ts";

/** What is to be read. */
export interface Task {
  /** How many records are in the topic. */
  readonly records: number;
  readonly handlerMs: number;
}

/** Of the records, this part only warms up. */
const warmUpShare = 0.25;
/** How many records may come before somebody looks at the clock: a loop over what is there at once lets no timer run. */
const lookEvery = 1_000;

/** Reads a topic to its end, or for as long as it may, and measures the greater part of that. */
export class Reading implements Sink {
  readonly handlerMs: number;
  readonly #records: number;
  readonly #warmUpRecords: number;
  readonly #patience: Patience;
  readonly #offsets = new Offsets();
  readonly #done: Promise<Outcome>;
  #settle: (outcome: Outcome | Promise<Outcome>) => void = () => {};
  #read = 0;
  #bytes = 0;
  /** How many records are read when there is something to be looked at next. */
  #mark = 1;
  #firstAtMs = 0;
  /** The measured stretch: when it began, what was read by then, and what ends it. */
  #measured: { readonly atMs: number; readonly from: number; readonly end: () => Spent } | null = null;
  #isOver = false;

  constructor({ records, handlerMs }: Task, patience: Patience) {
    this.handlerMs = handlerMs;
    this.#records = records;
    this.#warmUpRecords = Math.max(1, Math.floor(records * warmUpShare));
    this.#patience = patience;
    this.#done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Rejects where records are missing among those that came, or came twice. */
  get done(): Promise<Outcome> {
    return this.#done;
  }

  take(partition: number, offset: bigint | string, key: Uint8Array | null, value: Uint8Array | null): void {
    this.#bytes += (key === null ? 0 : key.length) + (value === null ? 0 : value.length);
    this.#offsets.read(partition, offset);
    this.#read += 1;
    if (this.#read === this.#mark) this.#reach();
  }

  #reach(): void {
    if (this.#read === 1) {
      this.#firstAtMs = performance.now();
      setTimeout(() => this.#look(), this.#patience.warmUpMs);
    }
    this.#look();
    if (this.#read >= this.#records) this.#end(true);
    const next = this.#measured === null ? this.#warmUpRecords : this.#records;
    this.#mark = Math.min(next, this.#read + lookEvery);
  }

  /** Begins or ends what is measured, where it is time. */
  #look(): void {
    const nowMs = performance.now();
    const { warmUpMs, readMs } = this.#patience;
    if (this.#measured !== null) {
      if (nowMs - this.#measured.atMs >= readMs) this.#end(false);
    } else if (this.#read >= this.#warmUpRecords || nowMs - this.#firstAtMs >= warmUpMs) {
      this.#measured = { atMs: nowMs, from: this.#read, end: stretch() };
      setTimeout(() => this.#end(false), readMs);
    }
  }

  #end(isWhole: boolean): void {
    if (this.#isOver || this.#measured === null) return;
    this.#isOver = true;
    const { from, end } = this.#measured;
    const { wallMs, cpuMicros } = end();
    const records = this.#read - from;
    const measured = {
      ...nothingMeasured,
      isWhole,
      // In a smoke run there may be nothing behind the warm-up.
      recordsPerSecond: records === 0 ? null : (records / wallMs) * 1_000,
      cpuMicros: records === 0 ? null : cpuMicros / records,
    };
    const complete = (): Outcome => {
      this.#offsets.check(this.#read);
      return { ...measured, readRecords: this.#read, readBytes: this.#bytes, peakMib: peakMib() };
    };
    const { lateMs } = this.#patience;
    this.#settle(isWhole ? sleep(lateMs).then(complete) : Promise.resolve().then(complete));
  }
}
