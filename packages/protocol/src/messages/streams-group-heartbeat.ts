import {
  api,
  array,
  bool,
  int8,
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

/** One task per subtopology and partition. Null unchanged. */
const tasks = array({ subtopologyId: string, partitions: array(int32) })
  .nullable()
  .default(null);

/** Sums over the changelogs of a task. Null unchanged. */
const offsetsByTask = array({ subtopologyId: string, partition: int32, offset: int64 }).nullable().default(null);

/** Where a member answers interactive queries. */
const endpoint = struct({ host: string, port: uint16 });

const topicPartitions = array({ topic: string, partitions: array(int32) });

/**
 * StreamsGroupHeartbeat, api key 88: a member of a Kafka Streams application joins, stays, reports its tasks and leaves
 * (KIP-1071).
 * A Streams client sends it to the coordinator of its group, which turns the topology into tasks and hands them out.
 *
 * Source: StreamsGroupHeartbeatRequest.json, StreamsGroupHeartbeatResponse.json
 */
export const StreamsGroupHeartbeat = api({
  name: "StreamsGroupHeartbeat",
  key: 88,
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    /** A UUID that the member makes up and keeps for life. */
    memberId: string,
    /** 0 joins, -1 leaves, -2 leaves as a static member that will be back; else what the last answer said. */
    memberEpoch: int32,
    /** Of the newest `partitionsByUserEndpoint` that the member has. */
    endpointInformationEpoch: int32,
    /** Name of a static member. Null unchanged, or not static. */
    instanceId: string.nullable().default(null),
    /** Null unchanged, or none. */
    rackId: string.nullable().default(null),
    /** How long the member may take to give up tasks. -1 unchanged. */
    rebalanceTimeoutMs: int32.default(-1),
    /** Sent on joining, null otherwise. */
    topology: struct({
      /** Rises with every change of the topology, so that old and new members are told apart. */
      epoch: int32,
      subtopologies: array({
        subtopologyId: string,
        sourceTopics: array(string),
        /** Patterns of topics that it reads besides. */
        sourceTopicRegex: array(string),
        stateChangelogTopics: array(internalTopic),
        repartitionSinkTopics: array(string),
        repartitionSourceTopics: array(internalTopic),
        /** Topics that need the same partition count, as indexes into the lists above. */
        copartitionGroups: array({
          sourceTopics: array(int16),
          sourceTopicRegex: array(int16),
          repartitionSourceTopics: array(int16),
        }),
      }),
    })
      .nullable()
      .default(null),
    /** What the member runs at the moment: this acknowledges an assignment. */
    activeTasks: tasks,
    /** Copies of state that follow along. */
    standbyTasks: tasks,
    /** Copies of state that catch up before the task moves here. */
    warmupTasks: tasks,
    /** Shared by all members of one process. Null unchanged. */
    processId: string.nullable().default(null),
    /** Null unchanged, or none. */
    userEndpoint: endpoint.nullable().default(null),
    /** Spread standby tasks over racks and the like. Null unchanged. */
    clientTags: array(keyValue).nullable().default(null),
    taskOffsets: offsetsByTask,
    taskEndOffsets: offsetsByTask,
    /** True tells every member of the group to shut down. */
    shutdownApplication: bool.default(false),
  },
  response: {
    throttleTimeMs: int32,
    /**
     * FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID: all tasks are lost, join again with epoch 0.
     * UNRELEASED_INSTANCE_ID: another member still holds the instance id.
     * STREAMS_INVALID_TOPOLOGY, STREAMS_INVALID_TOPOLOGY_EPOCH, STREAMS_TOPOLOGY_FENCED: the group has no use for this
     * topology.
     */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    /** How many offsets a warm-up task may be behind when the active task moves to it. */
    acceptableRecoveryLag: int32,
    /** How often to send `taskOffsets`. */
    taskOffsetIntervalMs: int32,
    /** What keeps the group from its work, if anything. */
    status: array({
      /**
       * 0 stale topology, 1 source topics missing, 2 topics wrongly partitioned, 3 internal topics missing,
       * 4 application shutting down, 5 assignment delayed.
       */
      statusCode: int8,
      statusDetail: string,
    }).nullable(),
    /** What the member shall run, all three kinds together. */
    activeTasks: tasks,
    standbyTasks: tasks,
    warmupTasks: tasks,
    endpointInformationEpoch: int32,
    /** Which member answers queries on which partitions. Null unchanged. */
    partitionsByUserEndpoint: array({
      userEndpoint: endpoint,
      activePartitions: topicPartitions,
      standbyPartitions: topicPartitions,
    })
      .nullable()
      .default(null),
  },
});

export type StreamsGroupHeartbeatRequest = RequestOf<typeof StreamsGroupHeartbeat>;
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof StreamsGroupHeartbeat>;
