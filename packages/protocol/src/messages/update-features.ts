import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * UpdateFeatures, api key 57: raise or lower what the cluster as a whole has switched on, such as `metadata.version`
 * (KIP-584).
 * An admin client sends it to the controller; in KRaft any broker forwards it there.
 *
 * Versions: 1 dry runs, and three kinds of change instead of a flag (KIP-778), 2 one result for all features together.
 *
 * Source: UpdateFeaturesRequest.json, UpdateFeaturesResponse.json
 */
export const UpdateFeatures = api({
  name: "UpdateFeatures",
  key: 57,
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32.default(60_000),
    featureUpdates: array({
      feature: string,
      /** The level wanted, from 1 on; below 1 the feature is switched off. */
      maxVersionLevel: int16,
      allowDowngrade: bool.until(0),
      /** 1 upgrade, 2 downgrade that loses nothing, 3 downgrade that may lose metadata. */
      upgradeType: int8.since(1).default(1),
    }),
    /** Check everything, change nothing. */
    validateOnly: bool.since(1).default(false),
  },
  response: {
    throttleTimeMs: int32,
    /** From version 2 on that of the first feature that failed, and then none has changed. */
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({
      feature: string,
      errorCode: int16,
      errorMessage: string.nullable(),
    })
      .until(1)
      .ignorable(),
  },
});

export type UpdateFeaturesRequest = RequestOf<typeof UpdateFeatures>;
export type UpdateFeaturesResponse = ResponseOf<typeof UpdateFeatures>;
