import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { entriesOf } from "../configs/config-resource.ts";
import { handler } from "../request-context.ts";

export const describeConfigs = handler({
  api: DescribeConfigs,
  refuse: (errorCode, { resources }) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName }) => ({
      ...{ errorCode, errorMessage: null, resourceType, resourceName, configs: [] },
    })),
  }),
  handle: (request, context) => ({
    throttleTimeMs: 0,
    results: request.resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const { outcome, entries } = entriesOf({ resourceType, resourceName }, context);
      const wanted = entries.filter(({ name }) => configurationKeys === null || configurationKeys.includes(name));
      const configs = wanted.map(({ name, value, source, type, isReadOnly, synonyms }) => ({
        name,
        value,
        readOnly: isReadOnly,
        configSource: source,
        isSensitive: false,
        synonyms: request.includeSynonyms ? synonyms : [],
        configType: type,
        documentation: null,
      }));
      return { ...outcome, resourceType, resourceName, configs };
    }),
  }),
});
