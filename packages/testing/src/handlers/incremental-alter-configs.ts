import { codeOf } from "@odradek/protocol";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { alter } from "../configs/config-resource.ts";
import { handler } from "../request-context.ts";
import { type ConfigChange, configOperations } from "../topics/topic-configs.ts";

export const incrementalAlterConfigs = handler({
  api: IncrementalAlterConfigs,
  refuse: (errorCode, { resources }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName }) => ({
      ...{ errorCode, errorMessage: null, resourceType, resourceName },
    })),
  }),
  handle: (request, context) => ({
    throttleTimeMs: 0,
    responses: request.resources.map(({ resourceType, resourceName, configs }) => {
      const resource = { resourceType, resourceName };
      const changes = configs.flatMap(({ name, configOperation, value }): ConfigChange[] => {
        const operation = configOperations[configOperation];
        return operation === undefined ? [] : [{ name, operation, value }];
      });
      if (changes.length !== configs.length) {
        return { errorCode: codeOf("INVALID_REQUEST"), errorMessage: "Unknown operation type.", ...resource };
      }
      return { ...alter(resource, changes, request.validateOnly, context), ...resource };
    }),
  }),
});
