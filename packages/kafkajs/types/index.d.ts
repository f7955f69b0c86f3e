// Where the names are the same these go first: as enums, and not as the constants that stand for them.
export {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  logLevel,
  ResourcePatternTypes,
} from "../dist/enums.js";
export * from "../dist/index.js";
