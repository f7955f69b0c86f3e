import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Shape } from "./sources.ts";

/** The files with what there is to decode. They are written once in a run, and read by every peer's process. */
export const inputNames = {
  /** One record batch of format 2, not compressed. */
  batch: ({ count, valueBytes }: Shape): string => `batch-${count}-${valueBytes}`,
  /** A response without its length: 500 topics of 12 partitions each, with 3 replicas. */
  metadata: (version: number): string => `metadata-${version}`,
  /** A response without its length: 50 partitions of one topic, all appended. */
  produce: (version: number): string => `produce-${version}`,
} as const;

/** Reads those files. */
export class Inputs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  batch(shape: Shape): Promise<Buffer> {
    return this.#read(inputNames.batch(shape));
  }

  metadata(version: number): Promise<Buffer> {
    return this.#read(inputNames.metadata(version));
  }

  produce(version: number): Promise<Buffer> {
    return this.#read(inputNames.produce(version));
  }

  #read(name: string): Promise<Buffer> {
    return readFile(join(this.#folder, name));
  }
}
