import type { NodeApiVersions } from "./node-api-versions.ts";

/**
 * What the whole cluster has settled on, such as `transaction.version` 2. Every broker tells it when a connection is made;
 * the one that knows of the latest change is right. Source: `NodeApiVersions.finalizedFeatures`, KIP-584.
 */
export class ClusterFeatures {
  #epoch = -1n;
  #levels: ReadonlyMap<string, number> = new Map();

  /** Takes what a broker said, unless another has said something newer. */
  update({ finalizedFeaturesEpoch, finalizedFeatures }: NodeApiVersions): void {
    if (finalizedFeaturesEpoch < this.#epoch) return;
    this.#epoch = finalizedFeaturesEpoch;
    this.#levels = finalizedFeatures;
  }

  /** The level of a feature; 0 where the cluster does not use it, or is too old to say. */
  level(feature: string): number {
    return this.#levels.get(feature) ?? 0;
  }
}
