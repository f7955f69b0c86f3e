import type * as enums from "./enums.ts";

export const CompressionTypes: typeof enums.CompressionTypes = { None: 0, GZIP: 1, Snappy: 2, LZ4: 3, ZSTD: 4 };
export type CompressionTypes = enums.CompressionTypes;

export const ConfigResourceTypes: typeof enums.ConfigResourceTypes = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
};
export type ConfigResourceTypes = enums.ConfigResourceTypes;

export const ConfigSource: typeof enums.ConfigSource = {
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
};
export type ConfigSource = enums.ConfigSource;

export const AclResourceTypes: typeof enums.AclResourceTypes = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
};
export type AclResourceTypes = enums.AclResourceTypes;

export const AclOperationTypes: typeof enums.AclOperationTypes = {
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
};
export type AclOperationTypes = enums.AclOperationTypes;

export const AclPermissionTypes: typeof enums.AclPermissionTypes = { UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 };
export type AclPermissionTypes = enums.AclPermissionTypes;

export const ResourcePatternTypes: typeof enums.ResourcePatternTypes = {
  UNKNOWN: 0,
  ANY: 1,
  MATCH: 2,
  LITERAL: 3,
  PREFIXED: 4,
};
export type ResourcePatternTypes = enums.ResourcePatternTypes;
