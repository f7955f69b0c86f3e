import { performance } from "node:perf_hooks";
import { percentile } from "../measurement.ts";
import { type Payload, payloads } from "./payloads.ts";
import type { Workload } from "./workloads.ts";

/** A peer's producer, called as its own documentation does, and as it is by default with acks of all in-sync replicas. */
export interface PeerProducer {
  send(payload: Payload): Promise<unknown>;
  sendBatch(payloads: readonly Payload[]): Promise<unknown>;
  close(): Promise<unknown>;
}

/** For how long to send, in milliseconds, and how much at a time. */
export interface Patience {
  /** Until the compiler is done and connections are there. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** More calls than that are never outstanding, whatever the workload says. */
  readonly mostOutstanding: number;
}

export const patient: Patience = { warmUpMs: 2_000, measuredMs: 3_000, mostOutstanding: 1_000 };
export const hasty: Patience = { warmUpMs: 50, measuredMs: 100, mostOutstanding: 50 };

/** What a producer took for a workload. */
export interface Outcome {
  /** All that was acknowledged, also while nothing was measured. */
  readonly sentRecords: number;
  readonly recordsPerSecond: number;
  /** CPU time of the process for each record, user and system. */
  readonly cpuMicros: number;
  /** From a call to its outcome; `null` where a peer does not tell, or nothing that can be compared. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** The most memory that the process ever had. */
  readonly peakMib: number | null;
}

/** With one record a call, the time of each would be a part of what is measured. */
const timedOneOf = 37;

/** Sends for as long as asked. The last calls end after that time, and count. */
export async function load(producer: PeerProducer, workload: Workload, patience: Patience): Promise<Outcome> {
  const source = new Source(workload);
  const { warmUpMs, measuredMs, mostOutstanding } = patience;
  const outstandingCalls = Math.min(workload.outstandingCalls, mostOutstanding);
  const order = { ...workload, outstandingCalls };
  const warmUp = await sendFor(warmUpMs, producer, order, source);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const { records, tookMs } = await sendFor(measuredMs, producer, order, source);
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  tookMs.sort();
  return {
    sentRecords: warmUp.records + records,
    recordsPerSecond: (records / wallMs) * 1_000,
    cpuMicros: (user + system) / records,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    peakMib: process.resourceUsage().maxRSS / 1_024,
  };
}

interface Sent {
  readonly records: number;
  readonly tookMs: Float64Array;
}

async function sendFor(ms: number, producer: PeerProducer, workload: Workload, source: Source): Promise<Sent> {
  const { recordsPerCall, outstandingCalls } = workload;
  const stride = recordsPerCall === 1 ? timedOneOf : 1;
  const tookMs: number[] = [];
  let calls = 0;
  let isOver = false;
  const call = recordsPerCall === 1 ? () => producer.send(source.one()) : () => producer.sendBatch(source.many());
  const caller = async (): Promise<void> => {
    while (!isOver) {
      calls += 1;
      if (calls % stride !== 0) {
        await call();
        continue;
      }
      const calledAt = performance.now();
      await call();
      tookMs.push(performance.now() - calledAt);
    }
  };
  const timer = setTimeout(() => {
    isOver = true;
  }, ms);
  try {
    await Promise.all(Array.from({ length: outstandingCalls }, caller));
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
  return { records: calls * recordsPerCall, tookMs: Float64Array.from(tookMs) };
}

/** Gives the same payloads, one after the other, again and again. */
class Source {
  readonly #payloads: readonly Payload[];
  readonly #batches: readonly (readonly Payload[])[];
  #next = 0;

  constructor({ valueBytes, recordsPerCall }: Workload) {
    this.#payloads = payloads(valueBytes);
    const batchCount = Math.floor(this.#payloads.length / recordsPerCall);
    this.#batches = Array.from({ length: batchCount }, (_, index) =>
      this.#payloads.slice(index * recordsPerCall, (index + 1) * recordsPerCall),
    );
  }

  one(): Payload {
    return this.#following(this.#payloads);
  }

  many(): readonly Payload[] {
    return this.#following(this.#batches);
  }

  #following<T>(all: readonly T[]): T {
    const item = all[this.#next++ % all.length];
    if (item === undefined) throw new Error("there is nothing to send");
    return item;
  }
}
