import { type Api, type ResponseOf, usableVersion, type VersionBounds, type VersionRange } from "@odradek/protocol";
import type { ApiVersions } from "@odradek/protocol/messages/api-versions";

/** What one broker said it supports. */
export class NodeApiVersions {
  readonly #ranges: ReadonlyMap<number, VersionRange>;
  /** Features that the cluster has settled on, such as `transaction.version`; empty where the broker does not know. */
  readonly finalizedFeatures: ReadonlyMap<string, number>;
  /** Grows with every change of them; -1 where the broker does not know. */
  readonly finalizedFeaturesEpoch: bigint;

  constructor(response: ResponseOf<typeof ApiVersions>) {
    this.#ranges = new Map(
      response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]),
    );
    this.finalizedFeaturesEpoch = response.finalizedFeaturesEpoch;
    const features = response.finalizedFeaturesEpoch < 0n ? [] : response.finalizedFeatures;
    this.finalizedFeatures = new Map(features.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
  }

  has(api: Api): boolean {
    return this.#ranges.has(api.key);
  }

  /**
   * The newest version that the broker, we and `bounds` allow.
   *
   * @throws UnsupportedVersionError naming the API, our range and the broker's
   */
  usableVersion(api: Api, bounds?: VersionBounds): number {
    return usableVersion(api, this.#ranges.get(api.key), bounds);
  }
}
