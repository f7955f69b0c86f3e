import { describe, expect, test } from "vitest";
import { call, libraries, make } from "../libraries.ts";

const [topicType, literal, read, allow] = [2, 3, 3, 3];
const acl = {
  resourceType: topicType,
  resourceName: "t",
  resourcePatternType: literal,
  principal: "User:a",
  host: "*",
  operation: read,
  permissionType: allow,
};
const config = { type: topicType, name: "t" };
const twice = [{ topic: "t" }, { topic: "t" }];
const moved = (partitionAssignment: unknown) => ({ topics: [{ topic: "t", partitionAssignment }] });
const moving = (partitions: unknown) => ({ topics: [{ topic: "t", partitions }] });
const json = (value: unknown) => JSON.stringify(value);

/** Method, arguments, message. */
const refusals: readonly (readonly [string, readonly unknown[], string])[] = [
  ["createTopics", [{ topics: null }], "Invalid topics array null"],
  ["createTopics", [{ topics: "t" }], "Invalid topics array t"],
  ["createTopics", [{ topics: [{ topic: 5 }] }], "Invalid topics array, the topic names have to be a valid string"],
  ["createTopics", [{ topics: twice }], "Invalid topics array, it cannot have multiple entries for the same topic"],
  [
    "createTopics",
    [{ topics: [{ topic: "t", configEntries: "none" }] }],
    'Invalid configEntries for topic "t", must be an array',
  ],
  [
    "createTopics",
    [{ topics: [{ topic: "t", configEntries: ["none"] }] }],
    'Invalid configEntries for topic "t". Entry 0 must be an object',
  ],
  [
    "createTopics",
    [{ topics: [{ topic: "t", configEntries: [{ name: "a", value: "b" }, { name: "a" }] }] }],
    'Invalid configEntries for topic "t". Entry 1 must have a valid "value" property',
  ],
  [
    "createTopics",
    [{ topics: [{ topic: "t", configEntries: [{ value: "b" }] }] }],
    'Invalid configEntries for topic "t". Entry 0 must have a valid "name" property',
  ],
  ["deleteTopics", [{ topics: null }], "Invalid topics array null"],
  ["deleteTopics", [{ topics: [5] }], "Invalid topics array, the names must be a valid string"],
  ["createPartitions", [{ topicPartitions: null }], "Invalid topic partitions array null"],
  ["createPartitions", [{ topicPartitions: [] }], "Empty topic partitions array"],
  [
    "createPartitions",
    [{ topicPartitions: [{ topic: 5 }] }],
    "Invalid topic partitions array, the topic names have to be a valid string",
  ],
  [
    "createPartitions",
    [{ topicPartitions: twice }],
    "Invalid topic partitions array, it cannot have multiple entries for the same topic",
  ],
  ["fetchTopicMetadata", [{ topics: [null] }], "Invalid topic null"],
  ["fetchTopicMetadata", [{ topics: ["t", 0] }], "Invalid topic 0"],
  ["fetchTopicOffsets", [null], "Invalid topic null"],
  ["fetchTopicOffsets", [5], "Invalid topic 5"],
  ["fetchTopicOffsetsByTimestamp", [""], "Invalid topic "],
  ["fetchOffsets", [{ groupId: null }], "Invalid groupId null"],
  ["fetchOffsets", [{ groupId: "g", topics: "t" }], "Expected topics array to be set"],
  ["setOffsets", [{ groupId: "", topic: "t" }], "Invalid groupId "],
  ["setOffsets", [{ groupId: "g", topic: null }], "Invalid topic null"],
  ["setOffsets", [{ groupId: "g", topic: "t" }], "Invalid partitions"],
  ["setOffsets", [{ groupId: "g", topic: "t", partitions: [] }], "Invalid partitions"],
  ["resetOffsets", [{ groupId: undefined, topic: "t" }], "Invalid groupId undefined"],
  ["resetOffsets", [{ groupId: "g", topic: null }], "Invalid topic null"],
  ["deleteGroups", [null], "Invalid groupIds array null"],
  ["deleteGroups", ["g"], "Invalid groupIds array g"],
  ["deleteTopicRecords", [{ topic: 5, partitions: [] }], 'Invalid topic "5"'],
  ["deleteTopicRecords", [{ topic: "t", partitions: [] }], "Invalid partitions"],
  ["describeConfigs", [{ resources: null }], "Invalid resources array null"],
  ["describeConfigs", [{ resources: [] }], "Resources array cannot be empty"],
  [
    "describeConfigs",
    [{ resources: [config, { type: 5, name: "t" }] }],
    `Invalid resource type 5: ${json({ type: 5, name: "t" })}`,
  ],
  ["describeConfigs", [{ resources: [{ type: 2 }] }], `Invalid resource name undefined: ${json({ type: 2 })}`],
  [
    "describeConfigs",
    [{ resources: [{ ...config, configNames: 5 }] }],
    `Invalid resource configNames 5: ${json({ ...config, configNames: 5 })}`,
  ],
  ["alterConfigs", [{ resources: "none" }], "Invalid resources array none"],
  ["alterConfigs", [{ resources: [] }], "Resources array cannot be empty"],
  [
    "alterConfigs",
    [{ resources: [{ type: 5, name: "t" }] }],
    `Invalid resource type 5: ${json({ type: 5, name: "t" })}`,
  ],
  ["alterConfigs", [{ resources: [{ type: 2, name: 5 }] }], `Invalid resource name 5: ${json({ type: 2, name: 5 })}`],
  ["alterConfigs", [{ resources: [config] }], `Invalid resource configEntries undefined: ${json(config)}`],
  [
    "alterConfigs",
    [{ resources: [{ ...config, configEntries: [{ name: "a", value: 5 }] }] }],
    `Invalid resource config value: ${json({ ...config, configEntries: [{ name: "a", value: 5 }] })}`,
  ],
  ["createAcls", [{ acl: null }], "Invalid ACL array null"],
  ["createAcls", [{ acl: [] }], "Empty ACL array"],
  ["createAcls", [{ acl: [{ ...acl, principal: 5 }] }], "Invalid ACL array, the principals have to be a valid string"],
  ["createAcls", [{ acl: [{ ...acl, host: 5 }] }], "Invalid ACL array, the hosts have to be a valid string"],
  [
    "createAcls",
    [{ acl: [{ ...acl, resourceName: undefined }] }],
    "Invalid ACL array, the resourceNames have to be a valid string",
  ],
  [
    "createAcls",
    [{ acl: [acl, { ...acl, operation: 99 }] }],
    `Invalid operation type 99: ${json({ ...acl, operation: 99 })}`,
  ],
  [
    "createAcls",
    [{ acl: [{ ...acl, resourcePatternType: 99 }] }],
    `Invalid resource pattern type 99: ${json({ ...acl, resourcePatternType: 99 })}`,
  ],
  [
    "createAcls",
    [{ acl: [{ ...acl, permissionType: 99 }] }],
    `Invalid permission type 99: ${json({ ...acl, permissionType: 99 })}`,
  ],
  [
    "createAcls",
    [{ acl: [{ ...acl, resourceType: 99 }] }],
    `Invalid resource type 99: ${json({ ...acl, resourceType: 99 })}`,
  ],
  ["describeAcls", [{ ...acl, principal: 5 }], "Invalid principal, the principal have to be a valid string"],
  ["describeAcls", [{ ...acl, host: null }], "Invalid host, the host have to be a valid string"],
  ["describeAcls", [{ ...acl, resourceName: 5 }], "Invalid resourceName, the resourceName have to be a valid string"],
  ["describeAcls", [{ ...acl, operation: 99 }], "Invalid operation type 99"],
  ["describeAcls", [{ ...acl, resourcePatternType: 99 }], "Invalid resource pattern filter type 99"],
  ["describeAcls", [{ ...acl, permissionType: 99 }], "Invalid permission type 99"],
  ["describeAcls", [{ ...acl, resourceType: 99 }], "Invalid resource type 99"],
  ["deleteAcls", [{ filters: null }], "Invalid ACL Filter array null"],
  ["deleteAcls", [{ filters: [] }], "Empty ACL Filter array"],
  [
    "deleteAcls",
    [{ filters: [{ ...acl, principal: 5 }] }],
    "Invalid ACL Filter array, the principals have to be a valid string",
  ],
  ["deleteAcls", [{ filters: [{ ...acl, host: 5 }] }], "Invalid ACL Filter array, the hosts have to be a valid string"],
  [
    "deleteAcls",
    [{ filters: [{ ...acl, resourceName: null }] }],
    "Invalid ACL Filter array, the resourceNames have to be a valid string",
  ],
  [
    "deleteAcls",
    [{ filters: [{ ...acl, permissionType: 99 }] }],
    `Invalid permission type 99: ${json({ ...acl, permissionType: 99 })}`,
  ],
  ["alterPartitionReassignments", [{ topics: null }], "Invalid topics array null"],
  [
    "alterPartitionReassignments",
    [{ topics: [{ topic: 5 }] }],
    "Invalid topics array, the topic names have to be a valid string",
  ],
  [
    "alterPartitionReassignments",
    [{ topics: twice }],
    "Invalid topics array, it cannot have multiple entries for the same topic",
  ],
  ["alterPartitionReassignments", [moved(null)], "Invalid partitions array: null for topic: t"],
  ["alterPartitionReassignments", [moved([{ partition: null }])], "Invalid partitions index: null for topic: t"],
  ["alterPartitionReassignments", [moved([{ partition: -1 }])], "Invalid partitions index: -1 for topic: t"],
  [
    "alterPartitionReassignments",
    [moved([{ partition: 0, replicas: 5 }])],
    "Invalid replica assignment: 5 for topic: t on partition: 0",
  ],
  [
    "alterPartitionReassignments",
    [moved([{ partition: 0, replicas: [1, -1] }])],
    "Invalid replica assignment: 1,-1 for topic: t on partition: 0. Replicas must be a non negative number",
  ],
  ["listPartitionReassignments", [{ topics: "t" }], "Invalid topics array t"],
  [
    "listPartitionReassignments",
    [{ topics: twice }],
    "Invalid topics array, it cannot have multiple entries for the same topic",
  ],
  ["listPartitionReassignments", [moving(null)], "Invalid partition array: null for topic: t"],
  [
    "listPartitionReassignments",
    [moving(["a"])],
    "Invalid partition array: a for topic: t. The partition indices have to be a valid number greater than 0.",
  ],
];

describe.each(libraries)("an admin client of %s, which nobody answers,", (_, library) => {
  const admin = call(make(library, "Kafka", { brokers: [], logLevel: 0 }), "admin");

  test.each(refusals)("refuses %s(%j)", async (method, given, message) => {
    await expect(call(admin, method, ...given)).rejects.toMatchObject({
      name: "KafkaJSNonRetriableError",
      retriable: false,
      message,
    });
  });
});
