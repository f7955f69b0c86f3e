import { type Measurement, median, summary, threeDigits } from "./measurement.ts";
import type { NodeBinary, Run } from "./run.ts";
import type { Table } from "./table.ts";

/** A kind of work: a row of a table. */
export interface Work {
  readonly name: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
}

/** A column behind those of the peers: how one of them stands to the best of some others. */
export interface Ratio {
  readonly head: string;
  readonly of: string;
  readonly rivals: readonly string[];
}

/** The measurements of one run on one Node, side by side. */
export class Comparison {
  readonly #run: Run;
  readonly #node: NodeBinary;
  readonly #peers: readonly string[];
  readonly #ratios: readonly Ratio[];
  readonly #measurements: Measurement[] = [];

  /** @param ratios by default the one to the best of all the others */
  constructor(run: Run, node: NodeBinary, peers: readonly string[], ratios: readonly Ratio[] = [toTheBest(peers)]) {
    this.#run = run;
    this.#node = node;
    this.#peers = peers;
    this.#ratios = ratios;
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
      head: ["work", "unit", ...this.#peers, ...this.#ratios.map(({ head }) => head)],
      rows: works
        .filter(({ name }) => this.#measurements.some(({ work }) => work === name))
        .map((work) => [
          work.name,
          work.unit,
          ...this.#peers.map((peer) => this.#cell(work, peer)),
          ...this.#ratios.map((ratio) => this.#ratio(work, ratio)),
        ]),
    };
  }

  #rounds(): number {
    return Math.max(0, ...this.#measurements.map(({ values }) => values.length));
  }

  #cell(work: Work, peer: string): string {
    const values = this.#values(work, peer);
    return values === null ? "-" : summary(values);
  }

  /** `4.2x`: how many times as fast it is as the fastest of its rivals; below 1 it is slower. */
  #ratio(work: Work, { of, rivals }: Ratio): string {
    const own = this.#values(work, of);
    const others = rivals
      .map((peer) => this.#values(work, peer))
      .flatMap((values) => (values === null ? [] : [median(values)]));
    if (own === null || others.length === 0) return "-";
    const factor = work.better === "lower" ? Math.min(...others) / median(own) : median(own) / Math.max(...others);
    return `${threeDigits(factor)}x`;
  }

  #values(work: Work, peer: string): readonly number[] | null {
    return this.#measurements.find((one) => one.work === work.name && one.peer === peer)?.values ?? null;
  }
}

function toTheBest(peers: readonly string[]): Ratio {
  return { head: "odradek to the best peer", of: "odradek", rivals: peers.filter((peer) => peer !== "odradek") };
}
