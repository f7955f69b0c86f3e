import { UnsupportedVersionError } from "./errors.ts";
import type { Api } from "./schema.ts";

/** What a broker says it supports of one API. */
export interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** Bounds that the caller of an API sets, such as "no topic ids, so no version above 12". */
export interface VersionBounds {
  readonly oldest?: number;
  readonly newest?: number;
}

/**
 * The newest version that both sides and the caller's bounds allow. One that is not stable yet is chosen only where the caller can
 * do with no older one.
 *
 * @throws UnsupportedVersionError naming the API, our range and the broker's
 */
export function usableVersion(api: Api, broker: VersionRange | undefined, bounds: VersionBounds = {}): number {
  const oldest = Math.max(api.versions[0], bounds.oldest ?? 0);
  const offered = oldest > api.latestStable ? api.versions[1] : api.latestStable;
  const newest = Math.min(offered, bounds.newest ?? offered);
  if (broker === undefined) {
    throw new UnsupportedVersionError(`the broker does not have ${api.name} (${oldest} to ${newest} would do)`);
  }
  const version = Math.min(newest, broker.maxVersion);
  if (version < oldest || version < broker.minVersion) {
    throw new UnsupportedVersionError(
      `no common version of ${api.name}: ${oldest} to ${newest} here, ${broker.minVersion} to ${broker.maxVersion} on the broker`,
    );
  }
  return version;
}
