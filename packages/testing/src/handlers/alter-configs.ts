import { AlterConfigs } from "@odradek/protocol/messages/alter-configs";
import { alter, replacing } from "../configs/config-resource.ts";
import { handler } from "../request-context.ts";

export const alterConfigs = handler({
  api: AlterConfigs,
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
      return { ...alter(resource, replacing(resource, configs, context), request.validateOnly, context), ...resource };
    }),
  }),
});
