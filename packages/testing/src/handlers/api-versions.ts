import { codeOf } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { releases } from "../kafka-version.ts";
import { handler } from "../request-context.ts";

const softwareForm = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export const apiVersions = handler({
  api: ApiVersions,
  refuse: (errorCode) => ({ errorCode, apiKeys: [] }),
  handle: (request, { cluster, apiVersion }) => {
    const software = [request.clientSoftwareName, request.clientSoftwareVersion];
    if (apiVersion >= 3 && !software.every((text) => softwareForm.test(text))) {
      return { errorCode: codeOf("INVALID_REQUEST"), apiKeys: [] };
    }
    const { features } = releases[cluster.version];
    // Clients from before version 4 take no feature whose oldest version is 0 (KAFKA-17011).
    const supported = features.filter(({ minVersion }) => minVersion > 0 || apiVersion >= 4);
    return {
      errorCode: 0,
      apiKeys: cluster.apis,
      throttleTimeMs: 0,
      supportedFeatures: supported.map(({ name, minVersion, maxVersion }) => ({ name, minVersion, maxVersion })),
      finalizedFeaturesEpoch: features.length === 0 ? -1n : 1n,
      finalizedFeatures: features.map(({ name, maxVersion }) => ({
        name,
        maxVersionLevel: maxVersion,
        minVersionLevel: maxVersion,
      })),
    };
  },
});
