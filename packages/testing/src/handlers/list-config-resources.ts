import { ListConfigResources } from "@odradek/protocol/messages/list-config-resources";
import { resourceType } from "../configs/config-resource.ts";
import { handler } from "../request-context.ts";

export const listConfigResources = handler({
  api: ListConfigResources,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, configResources: [] }),
  handle: ({ resourceTypes }, { cluster, apiVersion }) => {
    // Version 0 asks for client metrics alone, of which there are none.
    const isWanted = (type: number) => apiVersion > 0 && (resourceTypes.length === 0 || resourceTypes.includes(type));
    const topics = isWanted(resourceType.topic) ? cluster.topics.all().map(({ name }) => name) : [];
    const brokers = isWanted(resourceType.broker) ? cluster.brokers.map(({ id }) => String(id)) : [];
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      configResources: [
        ...topics.map((resourceName) => ({ resourceName, resourceType: resourceType.topic })),
        ...brokers.map((resourceName) => ({ resourceName, resourceType: resourceType.broker })),
      ],
    };
  },
});
