import { UnsupportedVersionError } from "@odradek/protocol";
import { ApiVersions, type ApiVersionsResponse } from "@odradek/protocol/messages/api-versions";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { describe, expect, test } from "vitest";
import { NodeApiVersions } from "../src/node-api-versions.ts";

const nodeOf = (minVersion: number, maxVersion: number, more: Partial<ApiVersionsResponse> = {}): NodeApiVersions =>
  new NodeApiVersions({
    errorCode: 0,
    apiKeys: [{ apiKey: Metadata.key, minVersion, maxVersion }],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1n,
    finalizedFeatures: [],
    zkMigrationReady: false,
    ...more,
  });

describe("what a node supports", () => {
  test("gives the newest version that both sides have", () => {
    expect(nodeOf(0, 9).usableVersion(Metadata)).toBe(9);
    expect(nodeOf(0, 99).usableVersion(Metadata)).toBe(Metadata.latestStable);
  });

  test("gives no version outside the caller's bounds", () => {
    expect(nodeOf(0, 13).usableVersion(Metadata, { newest: 8 })).toBe(8);
    expect(() => nodeOf(0, 7).usableVersion(Metadata, { oldest: 8 })).toThrow(UnsupportedVersionError);
  });

  test("refuses an API that the node lacks, naming it", () => {
    expect(nodeOf(0, 9).has(Produce)).toBe(false);
    expect(() => nodeOf(0, 9).usableVersion(Produce)).toThrow("the broker does not have Produce");
  });

  test("refuses where nothing is common, naming both ranges", () => {
    const refusal = () => nodeOf(90, 99).usableVersion(Metadata);
    expect(refusal).toThrow(UnsupportedVersionError);
    expect(refusal).toThrow("no common version of Metadata: 0 to 13 here, 90 to 99 on the broker");
  });

  test.each([
    [5, 2],
    [-3, -1],
  ])("refuses a range from %i to %i, which holds no version", (minVersion, maxVersion) => {
    expect(() => nodeOf(minVersion, maxVersion).usableVersion(ApiVersions)).toThrow(UnsupportedVersionError);
    expect(() => nodeOf(minVersion, maxVersion).usableVersion(Metadata)).toThrow(UnsupportedVersionError);
  });

  test("has the features that the cluster settled on, where the broker knows them", () => {
    const finalizedFeatures = [{ name: "transaction.version", minVersionLevel: 0, maxVersionLevel: 2 }];
    const known = nodeOf(0, 9, { finalizedFeatures, finalizedFeaturesEpoch: 12n });
    expect(known.finalizedFeatures).toEqual(new Map([["transaction.version", 2]]));
    const unknown = nodeOf(0, 9, { finalizedFeatures, finalizedFeaturesEpoch: -1n });
    expect(unknown.finalizedFeatures).toEqual(new Map());
  });
});
