import { type Measurement, median, summary, threeDigits } from "./measurement.ts";
import { type Peer, peers } from "./peer.ts";
import type { NodeBinary, Run } from "./run.ts";
import type { Table } from "./table.ts";

/** A kind of work: a row of a table. */
export interface Work {
  readonly name: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
}

/** The measurements of one run on one Node, side by side. */
export class Comparison {
  readonly #run: Run;
  readonly #node: NodeBinary;
  readonly #measurements: Measurement[] = [];

  constructor(run: Run, node: NodeBinary) {
    this.#run = run;
    this.#node = node;
  }

  /** @throws Error for numbers of another run or Node: the machine was another one by then, and so would the ratio be */
  add(measurement: Measurement): void {
    const { runId, nodeVersion } = measurement;
    if (runId !== this.#run.id || nodeVersion !== this.#node.version) {
      throw new Error(
        `${measurement.peer}, ${measurement.work}: measured in another run or on another Node, not compared`,
      );
    }
    this.#measurements.push(measurement);
  }

  /** A row for each kind of work that anybody did. */
  table(title: string, works: readonly Work[]): Table {
    return {
      title: `${title}, Node ${this.#node.version}, median (range) of ${this.#rounds()}`,
      head: ["work", "unit", ...peers, "odradek to the best peer"],
      rows: works
        .filter(({ name }) => this.#measurements.some(({ work }) => work === name))
        .map((work) => [work.name, work.unit, ...peers.map((peer) => this.#cell(work, peer)), this.#ratio(work)]),
    };
  }

  #rounds(): number {
    return Math.max(0, ...this.#measurements.map(({ values }) => values.length));
  }

  #cell(work: Work, peer: Peer): string {
    const values = this.#values(work, peer);
    return values === null ? "-" : summary(values);
  }

  /** `4.2x`: how many times as fast odradek is as the fastest of the others; below 1 it is slower. */
  #ratio(work: Work): string {
    const own = this.#values(work, "odradek");
    const others = peers
      .filter((peer) => peer !== "odradek")
      .map((peer) => this.#values(work, peer))
      .flatMap((values) => (values === null ? [] : [median(values)]));
    if (own === null || others.length === 0) return "-";
    const factor = work.better === "lower" ? Math.min(...others) / median(own) : median(own) / Math.max(...others);
    return `${threeDigits(factor)}x`;
  }

  #values(work: Work, peer: Peer): readonly number[] | null {
    return this.#measurements.find((one) => one.work === work.name && one.peer === peer)?.values ?? null;
  }
}
