import type { Api } from "@odradek/protocol";
import { type KafkaVersion, releases } from "./kafka-version.ts";

/** The versions of an API that a broker takes. */
export interface ApiRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What a broker of this version speaks: what the release has and `apis` know, in the order of the keys. */
export function advertisedApis(version: KafkaVersion, apis: readonly Api[]): readonly ApiRange[] {
  const { newest, oldest } = releases[version];
  return apis
    .flatMap((api): ApiRange[] => {
      const newestVersion = newest[api.key];
      if (newestVersion === undefined) return [];
      const minVersion = oldest[api.key] ?? api.versions[0];
      return [{ apiKey: api.key, minVersion, maxVersion: Math.min(newestVersion, api.versions[1]) }];
    })
    .sort((a, b) => a.apiKey - b.apiKey);
}
