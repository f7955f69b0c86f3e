import { performance } from "node:perf_hooks";
import { nothingMeasured, type Outcome, peakMib } from "./outcome.ts";
import type { Sink } from "./sink.ts";

/** Waits for one record, from its own beginning on. */
export class FirstRecord implements Sink {
  readonly handlerMs = 0;
  readonly done: Promise<Outcome>;
  readonly #startedAt = performance.now();
  #settle: (outcome: Outcome) => void = () => {};

  constructor() {
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  take(): void {
    const firstMs = performance.now() - this.#startedAt;
    this.#settle({ ...nothingMeasured, readRecords: 1, isWhole: false, firstMs, peakMib: peakMib() });
  }
}
