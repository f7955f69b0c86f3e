import { OptionReader, OptionsError, softwareName, softwareVersion } from "@odradek/network";
import { BrokerError, type KafkaError } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { UpdateFeatures } from "@odradek/protocol/messages/update-features";
import { checkedKeys, isInt32, isText } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toBroker, toController } from "./asking/routing.ts";
import type { Results } from "./results.ts";

const upgradeTypes = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const;

/** `SAFE_DOWNGRADE` loses nothing, `UNSAFE_DOWNGRADE` may lose metadata. Source: Kafka's `FeatureUpdate.UpgradeType`. */
export type FeatureUpgradeType = keyof typeof upgradeTypes;

/** A change of what the cluster has settled on. Source: Kafka's `FeatureUpdate`. */
export interface FeatureUpdate {
  /** Such as `metadata.version`. */
  readonly feature: string;
  /** The level wanted; 0 switches it off, which is a downgrade. */
  readonly maxVersionLevel: number;
  /** @default "UPGRADE" */
  readonly upgradeType?: FeatureUpgradeType;
}

export interface DescribeFeaturesOptions extends AdminCallOptions {
  /** The broker that is asked, or the controller where the client begins with those. @default any */
  readonly nodeId?: number;
}

export interface UpdateFeaturesOptions extends AdminCallOptions {
  /** Only checks whether they could be changed (Kafka 3.3). @default false */
  readonly validateOnly?: boolean;
}

export interface FeatureDescription {
  readonly feature: string;
  /** What the cluster has settled on; 0 where it is switched off. */
  readonly finalizedLevel: number;
  /** What the broker could do; `null` where it does not know the feature. */
  readonly supportedLevels: { readonly min: number; readonly max: number } | null;
}

export interface FeatureMetadata {
  readonly features: readonly FeatureDescription[];
  /** Grows with every change of metadata; `null` where the cluster has settled on nothing. */
  readonly finalizedEpoch: bigint | null;
}

/** See `KafkaAdmin.describeFeatures`. */
export async function describeFeatures(
  context: AdminContext,
  options: DescribeFeaturesOptions,
): Promise<FeatureMetadata> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const nodeId = reader.value("nodeId", null, isIdOrNull, "the id of a broker or a controller");
  reader.finish();
  const response = await askOne(
    call,
    "ApiVersions",
    async (whom) => {
      // The broker knows the connection by it.
      const body = { clientSoftwareName: softwareName, clientSoftwareVersion: softwareVersion };
      const answer = await call.request(ApiVersions, body, whom, { oldest: featuresSince });
      if (answer.errorCode !== 0) throw new BrokerError(answer.errorCode, "ApiVersions");
      return answer;
    },
    { routing: toBroker(() => nodeId) },
  );
  const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = response;
  const supported = new Map(
    supportedFeatures.map(({ name, minVersion: min, maxVersion: max }) => [name, { min, max }]),
  );
  const isSettled = finalizedFeaturesEpoch >= 0n;
  const finalized = new Map(
    isSettled ? finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]) : [],
  );
  const names = [...new Set([...supported.keys(), ...finalized.keys()])].sort();
  return {
    features: names.map((feature) => ({
      feature,
      finalizedLevel: finalized.get(feature) ?? 0,
      supportedLevels: supported.get(feature) ?? null,
    })),
    finalizedEpoch: isSettled ? finalizedFeaturesEpoch : null,
  };
}

/** The first version that tells features. */
const featuresSince = 3;

const isIdOrNull = (value: unknown): value is number | null => value === null || isInt32(value);

/** See `KafkaAdmin.updateFeatures`. */
export async function updateFeatures(
  context: AdminContext,
  given: readonly FeatureUpdate[],
  options: UpdateFeaturesOptions,
): Promise<Results<string>> {
  const updates = new Map(
    checkedKeys("updates", given, checkedUpdate, ({ feature }) => feature).map((update) => [update.feature, update]),
  );
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const validateOnly = reader.boolean("validateOnly", false);
  reader.finish();
  return askAll(call, {
    keys: [...updates.keys()],
    textOf: String,
    routing: toController(),
    ask: async (features, whom) => {
      const wanted = features.flatMap((feature) => updates.get(feature) ?? []);
      let isOneForAll = false;
      const body = (version: number) => {
        isOneForAll = version >= oneResultSince;
        return {
          timeoutMs: call.brokerTimeoutMs,
          featureUpdates: wanted.map(({ feature, maxVersionLevel, upgradeType }) => ({
            feature,
            maxVersionLevel,
            ...(version < upgradeTypesSince
              ? { allowDowngrade: upgradeType !== "UPGRADE" }
              : { upgradeType: upgradeTypes[upgradeType] }),
          })),
          ...(version < upgradeTypesSince ? {} : { validateOnly }),
        };
      };
      const bounds = validateOnly ? { oldest: upgradeTypesSince } : {};
      const { errorCode, errorMessage, results } = await call.request(UpdateFeatures, body, whom, bounds);
      if (errorCode !== 0) throw new BrokerError(errorCode, "updating features", errorMessage);
      if (isOneForAll) return new Map(features.map((feature) => [feature, feature]));
      return new Map(
        results.map((result): [string, string | KafkaError] => {
          const { feature } = result;
          if (result.errorCode === 0) return [feature, feature];
          return [feature, new BrokerError(result.errorCode, `updating feature ${feature}`, result.errorMessage)];
        }),
      );
    },
  });
}

/** From this version on, of Kafka 4.0, one result is for all of them. */
const oneResultSince = 2;

const upgradeTypesSince = 1;

function checkedUpdate(given: FeatureUpdate, path: string) {
  const reader = new OptionReader(given, path);
  const update = {
    feature: reader.required("feature", isText, "the name of a feature"),
    maxVersionLevel: reader.required("maxVersionLevel", isLevel, "a whole number from 0 to 32767"),
    upgradeType: reader.value<FeatureUpgradeType>(
      "upgradeType",
      "UPGRADE",
      isUpgradeType,
      Object.keys(upgradeTypes).join(", "),
    ),
  };
  reader.finish();
  if (update.maxVersionLevel === 0 && update.upgradeType === "UPGRADE") {
    throw new OptionsError(
      `${path}.upgradeType`,
      update.upgradeType,
      "a downgrade, since level 0 switches the feature off,",
    );
  }
  return update;
}

const isLevel = (value: unknown): value is number => isInt32(value) && value <= 0x7fff;
const isUpgradeType = (value: unknown): value is FeatureUpgradeType =>
  typeof value === "string" && Object.hasOwn(upgradeTypes, value);
