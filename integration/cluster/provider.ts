import type { Fleet } from "./machine.ts";
import type { ClusterPlan } from "./plan.ts";

export type ProviderName = "containers" | "jvm";

/** Where work that takes long is announced, one line each. */
export type Progress = (line: string) => void;

/** A place where clusters can be started. */
export interface Provider {
  readonly name: ProviderName;
  /** Where its clusters run: "on the local JVM". */
  readonly place: string;
  /** What speaks for it, where it is the first that is tried. */
  readonly merit: string;
  /**
   * Gets what the plan needs and is not there yet, such as an image or jars.
   *
   * @returns what lays the brokers out, ready to start
   * @throws Unavailable where this plan cannot run here
   */
  prepare(plan: ClusterPlan, progress: Progress): Promise<() => Promise<Fleet>>;
}

/**
 * Why a provider cannot be had, as a clause that goes behind "because".
 *
 * Its code is `JAVA_MISSING` where whoever installs Java and Maven gets further, and `UNAVAILABLE` elsewhere.
 */
export class Unavailable extends Error {
  readonly code: "JAVA_MISSING" | "UNAVAILABLE";

  constructor(message: string, { code = "UNAVAILABLE", cause }: { code?: Unavailable["code"]; cause?: unknown } = {}) {
    super(message, { cause });
    this.code = code;
  }
}
