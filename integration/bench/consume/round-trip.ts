import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../measurement.ts";
import type { PeerProducer } from "../produce/load.ts";
import { Offsets } from "./offsets.ts";
import { nothingMeasured, type Outcome, peakMib } from "./outcome.ts";
import type { Patience } from "./patience.ts";
import type { Sink } from "./sink.ts";
import { type Spent, stretch } from "./stretch.ts";

const recordsPerSecond = 1_000;
const valueBytes = 100;
const tickMs = 1;
/** A value begins with when it was sent, in microseconds of the process, and a blank behind it. */
const zero = "0".charCodeAt(0);
const blank = " ".charCodeAt(0);

/** Records on their way from a producer to a consumer in the same process, so that one clock times both ends. */
export class RoundTrip implements Sink {
  readonly handlerMs = 0;
  readonly #producer: PeerProducer;
  readonly #offsets = new Offsets();
  readonly #latenciesMs: number[] = [];
  #sent = 0;
  #read = 0;
  /** What was sent before is not timed. */
  #timedFromMs = Number.POSITIVE_INFINITY;
  #onRead: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(producer: PeerProducer) {
    this.#producer = producer;
  }

  take(partition: number, offset: bigint | string, _key: Uint8Array | null, value: Uint8Array | null): void {
    this.#offsets.read(partition, offset);
    this.#read += 1;
    const sentAtMs = value === null ? 0 : microsOf(value) / 1_000;
    if (sentAtMs >= this.#timedFromMs) this.#latenciesMs.push(performance.now() - sentAtMs);
    this.#onRead();
  }

  /** Sends for as long as asked, and waits until all of it has come back. Rejects where something cannot be sent. */
  run(patience: Patience): Promise<Outcome> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    return Promise.race([this.#run(patience), failed]);
  }

  async #run({ warmUpMs, sendMs, lateMs }: Patience): Promise<Outcome> {
    // The consumer has joined, and both have their connections, when the first one is back.
    this.#sendOne();
    await this.#allRead();
    await this.#send(warmUpMs);
    await this.#allRead();
    const end = stretch();
    // What is sent has its time in whole microseconds.
    this.#timedFromMs = Math.floor(performance.now() * 1_000) / 1_000;
    await this.#send(sendMs);
    await this.#allRead();
    return this.#outcome(end(), lateMs);
  }

  async #outcome({ wallMs, cpuMicros }: Spent, lateMs: number): Promise<Outcome> {
    await sleep(lateMs);
    this.#offsets.check(this.#read);
    const tookMs = Float64Array.from(this.#latenciesMs).sort();
    return {
      ...nothingMeasured,
      readRecords: this.#read,
      isWhole: true,
      recordsPerSecond: (tookMs.length / wallMs) * 1_000,
      cpuMicros: cpuMicros / tookMs.length,
      p50Ms: percentile(tookMs, 0.5),
      p99Ms: percentile(tookMs, 0.99),
      peakMib: peakMib(),
    };
  }

  /** Sends for so long as many as are due by the time, whoever is late. */
  #send(forMs: number): Promise<void> {
    const startedAt = performance.now();
    let sent = 0;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const tookMs = performance.now() - startedAt;
        const due = Math.floor((Math.min(tookMs, forMs) * recordsPerSecond) / 1_000);
        for (; sent < due; sent++) this.#sendOne();
        if (tookMs < forMs) return;
        clearInterval(timer);
        resolve();
      }, tickMs);
    });
  }

  #sendOne(): void {
    const key = `key-${this.#sent++}`;
    const value = `${Math.round(performance.now() * 1_000)} `.padEnd(valueBytes, "x");
    this.#producer.send({ key, value }).catch(this.#fail);
  }

  #allRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRead = () => {
        if (this.#read >= this.#sent) resolve();
      };
      this.#onRead();
    });
  }
}

function microsOf(value: Uint8Array): number {
  let micros = 0;
  for (let at = 0; at < value.length && value[at] !== blank; at++) micros = micros * 10 + ((value[at] ?? zero) - zero);
  return micros;
}
