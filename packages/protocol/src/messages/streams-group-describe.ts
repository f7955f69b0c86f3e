import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uint16,
} from "../schema.ts";

const keyValue = { key: string, value: string };

/** A topic that Kafka Streams keeps for itself and the coordinator creates. */
const internalTopic = {
  name: string,
  /** 0 where the coordinator decides; always 0 for changelogs. */
  partitions: int32,
  /** 0 for the broker's default. */
  replicationFactor: int16,
  topicConfigs: array(keyValue),
};

/** One task per subtopology and partition. */
const tasks = array({ subtopologyId: string, partitions: array(int32) });

const assignment = struct({
  activeTasks: tasks,
  /** Copies of state that follow along. */
  standbyTasks: tasks,
  /** Copies of state that catch up before the task moves here. */
  warmupTasks: tasks,
});

/** Sums over the changelogs of a task. */
const offsetsByTask = array({ subtopologyId: string, partition: int32, offset: int64 });

/**
 * StreamsGroupDescribe, api key 89: state, topology, members and tasks of Kafka Streams groups (KIP-1071).
 * An admin client sends it to the coordinator of the groups.
 *
 * Source: StreamsGroupDescribeRequest.json, StreamsGroupDescribeResponse.json
 */
export const StreamsGroupDescribe = api({
  name: "StreamsGroupDescribe",
  key: 89,
  versions: [0, 0],
  flexible: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: array({
      /** GROUP_ID_NOT_FOUND also for a group of another type. */
      errorCode: int16,
      errorMessage: string.nullable().default(null),
      groupId: string,
      /** Empty, NotReady, Assigning, Reconciling, Stable or Dead. */
      groupState: string,
      /** Rises whenever members, the topology or the topics change. */
      groupEpoch: int32,
      /** The group epoch that the target assignment was made for; behind it while a new one is worked out. */
      assignmentEpoch: int32,
      /** Null with an error. */
      topology: struct({
        epoch: int32,
        /** With patterns resolved to topics; null while source topics are missing or wrongly partitioned. */
        subtopologies: array({
          subtopologyId: string,
          sourceTopics: array(string),
          repartitionSinkTopics: array(string),
          stateChangelogTopics: array(internalTopic),
          repartitionSourceTopics: array(internalTopic),
        })
          .nullable()
          .default(null),
      })
        .nullable()
        .default(null),
      members: array({
        memberId: string,
        memberEpoch: int32,
        /** Null unless the member is static. */
        instanceId: string.nullable().default(null),
        rackId: string.nullable().default(null),
        clientId: string,
        clientHost: string,
        /** Of the topology that the member runs, not the group's. */
        topologyEpoch: int32,
        /** Shared by all members of one process. */
        processId: string,
        /** Where the member answers interactive queries; null if it does not. */
        userEndpoint: struct({ host: string, port: uint16 }).nullable().default(null),
        clientTags: array(keyValue),
        taskOffsets: offsetsByTask,
        taskEndOffsets: offsetsByTask,
        /** What the member runs. */
        assignment,
        /** What it shall run in the end. */
        targetAssignment: assignment,
        /** True for a member of the classic protocol in a group that is migrating. */
        isClassic: bool,
      }),
      /** Bit n for the ACL operation of code n. */
      authorizedOperations: int32.default(-2_147_483_648 /* not asked for */),
    }),
  },
});

export type StreamsGroupDescribeRequest = RequestOf<typeof StreamsGroupDescribe>;
export type StreamsGroupDescribeResponse = ResponseOf<typeof StreamsGroupDescribe>;
