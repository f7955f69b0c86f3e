import * as fs from "node:fs";
import * as net from "node:net";
import * as tls from "node:tls";
import * as kafkajs from "kafkajs";
import {
  type AclEntry,
  type AclFilter,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  type AdminConfig,
  type Assigner,
  AssignerProtocol,
  type AuthenticationProviderArgs,
  type Authenticator,
  type Batch,
  type BrokersFunction,
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  type Consumer,
  type ConsumerConfig,
  type ConsumerCrashEvent,
  type ConsumerEachBatchPayload,
  type ConsumerEachMessagePayload,
  type ConsumerGroupJoinEvent,
  type ConsumerRunConfig,
  type ConsumerSubscribeTopic,
  type ConsumerSubscribeTopics,
  type DeleteGroupsResult,
  type EachBatchHandler,
  type EachMessageHandler,
  type GroupDescriptions,
  type GroupMember,
  type GroupMemberAssignment,
  type ICustomPartitioner,
  type IHeaders,
  type InstrumentationEvent,
  type IResourceConfig,
  type ISocketFactory,
  type ITopicConfig,
  type Kafka,
  type KafkaConfig,
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSDeleteGroupsError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  type KafkaMessage,
  type LogEntry,
  type Logger,
  type logCreator,
  logLevel,
  type Mechanism,
  type Message,
  type Offsets,
  type PartitionAssigner,
  PartitionAssigners,
  type PartitionerArgs,
  Partitioners,
  type Producer,
  type ProducerBatch,
  type ProducerConfig,
  type ProducerRecord,
  type RecordMetadata,
  type RemoveInstrumentationEventListener,
  type RequestEvent,
  ResourcePatternTypes,
  type RetryOptions,
  type SASLOptions,
  type SeekEntry,
  type TopicMessages,
  type TopicPartition,
  type TopicPartitionOffsetAndMetadata,
  type TopicPartitions,
  type Transaction,
} from "kafkajs";
import type * as types from "kafkajs/types";

// A service as they were written against kafkajs 2: what of it does not compile is not compatible.

const names: { [Level in logLevel]: string } = {
  [logLevel.NOTHING]: "none",
  [logLevel.ERROR]: "error",
  [logLevel.WARN]: "warn",
  [logLevel.INFO]: "info",
  [logLevel.DEBUG]: "debug",
};

function labelOf(level: logLevel): string {
  switch (level) {
    case logLevel.NOTHING:
    case logLevel.ERROR:
      return names[level];
    case logLevel.WARN:
    case logLevel.INFO:
    case logLevel.DEBUG:
      return logLevel[level];
  }
}

const toWinston: logCreator = (level: logLevel) => {
  const least: number = level;
  return ({ namespace, level: of, label, log }: LogEntry) => {
    const { message, timestamp, ...extra } = log;
    if (of <= least) console.log(namespace, label, labelOf(of), timestamp.slice(0, 10), message.trim(), extra.clientId);
  };
};

const brokers: BrokersFunction = async () => ["one:9092", "two:9092"];
const retry: RetryOptions = { initialRetryTime: 100, retries: 8, multiplier: 2, factor: 0.2, maxRetryTime: 1000 };
const secure: tls.ConnectionOptions = { rejectUnauthorized: false, ca: [fs.readFileSync("ca.pem", "utf-8")] };

const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket: net.Socket = ssl
    ? tls.connect({ host, port, ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setKeepAlive(true, 60000);
  return socket;
};

const plain: SASLOptions = { mechanism: "plain", username: "u", password: "p" };
const scram: SASLOptions = { mechanism: "scram-sha-512", username: "u", password: "p" };
const bearer: SASLOptions = { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value: "token" }) };
const aws: SASLOptions = { mechanism: "aws", authorizationIdentity: "a", accessKeyId: "k", secretAccessKey: "s" };

const provide = ({ host, port, logger, saslAuthenticate }: AuthenticationProviderArgs): Authenticator => ({
  authenticate: async () => {
    const encode = () => Buffer.from(`${host}:${port}`);
    const told = await saslAuthenticate<string>({
      request: { encode },
      response: { decode: (raw) => raw, parse: String },
    });
    logger.debug("told", { told });
    await saslAuthenticate({ request: { encode } });
  },
});
const own: Mechanism = { mechanism: "own", authenticationProvider: provide };

const config: KafkaConfig = {
  brokers,
  ssl: secure,
  sasl: process.env.OWN ? own : scram,
  clientId: "service",
  connectionTimeout: 3000,
  authenticationTimeout: 1000,
  reauthenticationThreshold: 5000,
  requestTimeout: 25000,
  enforceRequestTimeout: true,
  retry: { ...retry, restartOnFailure: async (error) => error.message !== "enough" },
  socketFactory,
  logLevel: Number(process.env.LEVEL) || logLevel.WARN,
  logCreator: toWinston,
};
export const mechanisms = [plain.mechanism, scram.mechanism, bearer.mechanism, aws.mechanism];

const toZero: ICustomPartitioner = () => {
  const usual = Partitioners.LegacyPartitioner();
  return ({ topic, partitionMetadata, message }: PartitionerArgs) => {
    const led = partitionMetadata.filter(({ leader }) => leader >= 0).map(({ partitionId }) => partitionId);
    return topic === "zero" ? (led[0] ?? 0) : usual({ topic, partitionMetadata, message });
  };
};

const mine: PartitionAssigner = ({ cluster, groupId, logger }) => {
  const assigner: Assigner = {
    name: `mine-${groupId}`,
    version: 1,
    async assign({ members, topics }: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]> {
      const ids = members.map(({ memberId }) => memberId).sort();
      const decoded = members.map(({ memberMetadata }) => AssignerProtocol.MemberMetadata.decode(memberMetadata));
      logger.debug("assign", { userData: decoded.map((metadata) => metadata?.userData.length) });
      const assignment: kafkajs.Assignment = {};
      for (const topic of topics) {
        assignment[topic] = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      }
      const memberAssignment = AssignerProtocol.MemberAssignment.encode({
        version: 1,
        assignment,
        userData: Buffer.alloc(0),
      });
      return ids.map((memberId) => ({ memberId, memberAssignment }));
    },
    protocol({ topics }: { topics: string[] }) {
      const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.from("mine") });
      return { name: `mine-${groupId}`, metadata };
    },
  };
  return assigner;
};

CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: async () => Buffer.alloc(0),
  decompress: async () => Buffer.alloc(0),
});

const producerConfig: ProducerConfig = {
  createPartitioner: toZero,
  retry,
  metadataMaxAge: 300000,
  allowAutoTopicCreation: false,
  idempotent: true,
  transactionalId: "service-1",
  transactionTimeout: 60000,
  maxInFlightRequests: 1,
};

const consumerConfig: ConsumerConfig = {
  groupId: "service",
  partitionAssigners: [mine, PartitionAssigners.roundRobin],
  sessionTimeout: 30000,
  rebalanceTimeout: 60000,
  heartbeatInterval: 3000,
  metadataMaxAge: 300000,
  maxBytesPerPartition: 1048576,
  minBytes: 1,
  maxBytes: 10485760,
  maxWaitTimeInMs: 5000,
  retry: { retries: 5, restartOnFailure: async () => true },
  allowAutoTopicCreation: true,
  maxInFlightRequests: 1,
  readUncommitted: false,
  rackId: "a",
};

export class Publisher {
  private readonly producer: Producer;
  private readonly remove: RemoveInstrumentationEventListener<"producer.connect">;

  constructor(kafka: Kafka) {
    this.producer = kafka.producer(producerConfig);
    this.remove = this.producer.on("producer.connect", ({ timestamp }) => console.log(new Date(timestamp)));
    this.producer.on(this.producer.events.REQUEST, ({ payload }: RequestEvent) =>
      console.log(payload.broker.split(":")),
    );
    for (const name of Object.values(this.producer.events)) {
      this.producer.on(name, (event: InstrumentationEvent<{ queueSize: number }>) =>
        console.log(event.id.length, event.payload),
      );
    }
  }

  async publish(topic: string, values: (string | Buffer | null)[], headers?: IHeaders): Promise<RecordMetadata[]> {
    const messages: Message[] = values.map((value, index) => ({
      key: String(index),
      value,
      headers,
      timestamp: `${Date.now()}`,
    }));
    const record: ProducerRecord = { topic, messages, acks: -1, timeout: 30000, compression: CompressionTypes.GZIP };
    const topicMessages: TopicMessages[] = [{ topic, messages }];
    const batch: ProducerBatch = { topicMessages, acks: 1, compression: CompressionTypes.None };
    try {
      const sent = await this.producer.sendBatch(batch);
      console.log(sent[0].baseOffset?.length, sent[0].logAppendTime, sent[0].offset, sent[0].timestamp);
      return await this.producer.send(record);
    } catch (error) {
      if (error instanceof KafkaJSNumberOfRetriesExceeded)
        throw new Error(`${error.retryCount} times: ${error.cause?.message}`);
      if (error instanceof KafkaJSProtocolError) throw new Error(`${error.type.toLowerCase()} ${error.code.toFixed()}`);
      if (error instanceof KafkaJSConnectionError) throw new Error(error.broker.toUpperCase());
      if (error instanceof KafkaJSRequestTimeoutError) throw new Error(error.pendingDuration.toFixed());
      if (error instanceof KafkaJSError && !error.retriable) throw new KafkaJSNonRetriableError(error);
      throw error;
    }
  }

  async book({ topic, partition, message }: ConsumerEachMessagePayload, groupId: string): Promise<void> {
    const transaction: Transaction = await this.producer.transaction();
    const offsets: Offsets = {
      topics: [{ topic, partitions: [{ partition, offset: `${BigInt(message.offset) + BigInt(1)}` }] }],
    };
    try {
      await transaction.send({ topic: "booked", messages: [message] });
      await transaction.sendOffsets({ consumerGroupId: groupId, ...offsets });
      await transaction.commit();
    } finally {
      if (transaction.isActive()) await transaction.abort();
    }
  }

  async close(): Promise<void> {
    this.remove();
    await this.producer.disconnect();
  }
}

const textOf = ({ key, value, headers, timestamp, attributes, size }: KafkaMessage): string => {
  const trace = headers?.trace;
  const first = Array.isArray(trace) ? trace[0] : trace;
  return [key?.toString(), value?.toString("utf8"), first?.toString(), timestamp, attributes, size].join();
};

export class Subscriber {
  private readonly consumer: Consumer;
  private paused: TopicPartitions[] = [];

  constructor(kafka: Kafka, config: ConsumerConfig = consumerConfig) {
    this.consumer = kafka.consumer(config);
    const { CRASH, GROUP_JOIN, HEARTBEAT, STOP, FETCH, END_BATCH_PROCESS, COMMIT_OFFSETS } = this.consumer.events;
    this.consumer.on(CRASH, ({ payload: { error, groupId, restart } }: ConsumerCrashEvent) =>
      console.log(error.stack, groupId, restart),
    );
    this.consumer.on(GROUP_JOIN, (event: ConsumerGroupJoinEvent) =>
      console.log(event.payload.memberAssignment.topic?.length),
    );
    this.consumer.on(HEARTBEAT, ({ payload }) => console.log(payload.groupGenerationId.toFixed(), payload.memberId));
    this.consumer.on(STOP, ({ payload }) => console.log(payload === null));
    this.consumer.on(FETCH, ({ payload }) => console.log(payload.numberOfBatches + payload.duration + payload.nodeId));
    this.consumer.on(END_BATCH_PROCESS, ({ payload }) => console.log(payload.firstOffset.length, payload.duration));
    this.consumer.on(COMMIT_OFFSETS, ({ payload: { topics } }) => console.log(topics[0].partitions[0].offset.length));
  }

  async run(): Promise<void> {
    const topics: ConsumerSubscribeTopics = { topics: ["orders", /^payments-/i], fromBeginning: true };
    const topic: ConsumerSubscribeTopic = { topic: "old" };
    await this.consumer.connect();
    await this.consumer.subscribe(topics);
    await this.consumer.subscribe(topic);
    const eachMessage: EachMessageHandler = async ({ topic, partition, message, heartbeat, pause }) => {
      console.log(topic, partition, textOf(message));
      await heartbeat();
      const resume = pause();
      setTimeout(resume, 1000);
    };
    const eachBatch: EachBatchHandler = async (payload: ConsumerEachBatchPayload) => {
      const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, uncommittedOffsets, isRunning, isStale } =
        payload;
      for (const message of batch.messages) {
        if (!isRunning() || isStale()) break;
        resolveOffset(message.offset);
        await heartbeat();
      }
      await commitOffsetsIfNecessary(uncommittedOffsets());
      console.log(lagOf(batch));
    };
    const run: ConsumerRunConfig = {
      autoCommit: false,
      autoCommitInterval: 5000,
      autoCommitThreshold: null,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 3,
      ...(process.env.BATCH ? { eachBatch } : { eachMessage }),
    };
    await this.consumer.run(run);
  }

  async goTo(place: TopicPartition, offset: string): Promise<void> {
    const commit: TopicPartitionOffsetAndMetadata = { ...place, offset, metadata: "by hand" };
    await this.consumer.commitOffsets([commit]);
    this.consumer.seek({ ...place, offset });
    this.consumer.pause([{ topic: place.topic, partitions: [place.partition] }, { topic: "other" }]);
    this.paused = this.consumer.paused();
    this.consumer.resume(this.paused);
    const { members, state, protocol } = await this.consumer.describeGroup();
    console.log(
      state === "Stable",
      protocol,
      members.map((member) => member.memberAssignment.length),
    );
  }
}

const lagOf = ({ highWatermark, firstOffset, lastOffset, offsetLag, offsetLagLow, isEmpty }: Batch): string =>
  isEmpty() ? highWatermark : [firstOffset()?.length, lastOffset(), offsetLag(), offsetLagLow()].join();

export async function administer(kafka: Kafka, config: AdminConfig): Promise<void> {
  const admin: Admin = kafka.admin(config);
  const topics: ITopicConfig[] = [
    {
      topic: "a",
      numPartitions: 3,
      replicationFactor: 1,
      configEntries: [{ name: "cleanup.policy", value: "compact" }],
    },
    { topic: "b", replicaAssignment: [{ partition: 0, replicas: [0, 1] }] },
  ];
  try {
    const isNew: boolean = await admin.createTopics({
      topics,
      waitForLeaders: true,
      timeout: 5000,
      validateOnly: false,
    });
    console.log(isNew);
  } catch (error) {
    if (error instanceof KafkaJSAggregateError)
      console.log(error.errors.map((each) => (each instanceof Error ? each.name : each)));
  }
  await admin.createPartitions({ topicPartitions: [{ topic: "a", count: 6, assignments: [[0, 1]] }] });
  await admin.deleteTopics({
    topics: (await admin.listTopics()).filter((topic) => topic.startsWith("old")),
    timeout: 1,
  });
  const metadata = await admin.fetchTopicMetadata({ topics: ["a"] });
  console.log(
    metadata.topics[0].partitions.map(({ isr, offlineReplicas }) => isr.length + (offlineReplicas?.length ?? 0)),
  );
  const ends: (SeekEntry & { high: string; low: string })[] = await admin.fetchTopicOffsets("a");
  const since: SeekEntry[] = await admin.fetchTopicOffsetsByTimestamp("a", Date.now());
  const committed = await admin.fetchOffsets({ groupId: "g", topics: ["a"], resolveOffsets: true });
  console.log(committed[0].partitions[0].metadata?.length, ends.length, since.length);
  await admin.setOffsets({ groupId: "g", topic: "a", partitions: since });
  await admin.resetOffsets({ groupId: "g", topic: "a", earliest: true });
  await admin.deleteTopicRecords({ topic: "a", partitions: [{ partition: 0, offset: "-1" }] });
  const { brokers, controller, clusterId } = await admin.describeCluster();
  console.log(brokers[0].nodeId + brokers[0].port, controller ?? -1, clusterId.length);

  const described = await admin.describeConfigs({
    includeSynonyms: true,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: "a", configNames: ["retention.ms"] }],
  });
  const [{ configSource, configValue, configSynonyms }] = described.resources[0].configEntries;
  console.log(
    configSource === ConfigSource.DEFAULT_CONFIG,
    configValue.length,
    configSynonyms[0].configName,
    described.throttleTime,
  );
  const change: IResourceConfig = {
    type: ConfigResourceTypes.TOPIC,
    name: "a",
    configEntries: [{ name: "x", value: "y" }],
  };
  const changed = await admin.alterConfigs({ validateOnly: false, resources: [change] });
  console.log(changed.resources);

  const groups: GroupDescriptions = await admin.describeGroups(
    (await admin.listGroups()).groups.map(({ groupId }) => groupId),
  );
  try {
    const deleted: DeleteGroupsResult[] = await admin.deleteGroups(groups.groups.map(({ groupId }) => groupId));
    console.log(deleted[0].error?.type);
  } catch (error) {
    if (error instanceof KafkaJSDeleteGroupsError)
      console.log(error.groups.map((group) => [group.groupId, group.error?.code]));
    if (error instanceof KafkaJSOffsetOutOfRange) console.log(error.topic, error.partition + 1);
  }

  const acl: AclEntry[] = [
    {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: "a",
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: "User:bob",
      host: "*",
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    },
  ];
  const filter: AclFilter = { ...acl[0], principal: undefined };
  const isAllowed: boolean = await admin.createAcls({ acl });
  const { resources } = await admin.describeAcls(filter);
  const { filterResponses } = await admin.deleteAcls({ filters: [filter] });
  console.log(isAllowed, resources[0].acls[0].host, filterResponses[0].matchingAcls[0].errorMessage?.length);
  await admin.alterPartitionReassignments({
    topics: [{ topic: "a", partitionAssignment: [{ partition: 0, replicas: [1] }] }],
  });
  const ongoing = await admin.listPartitionReassignments({ topics: [{ topic: "a", partitions: [0] }], timeout: 1 });
  console.log(ongoing.topics[0].partitions[0].addingReplicas?.length, ongoing.topics[0].partitions[0].partitionIndex);
  admin.on(admin.events.DISCONNECT, ({ type }) => console.log(type));
  await admin.disconnect();
}

const logger: Logger = new kafkajs.Kafka(config).logger().namespace("Service", logLevel.DEBUG);
logger.setLogLevel(logLevel.INFO);
logger.info("ready", { since: 1 });

// Every name that kafkajs' types have, also by the path of the types.
export type Named = [
  types.Acl,
  types.AclEntry,
  types.AclFilter,
  types.AclOperationTypes,
  types.AclPermissionTypes,
  types.AclResource,
  types.AclResourceTypes,
  types.Admin,
  types.AdminConfig,
  types.AdminEvents,
  types.ApiVersions,
  types.Assigner,
  typeof types.AssignerProtocol,
  types.Assignment,
  types.AuthenticationProviderArgs,
  types.Authenticator,
  types.Batch,
  types.Broker,
  types.BrokerMetadata,
  types.BrokersFunction,
  types.Cluster,
  typeof types.CompressionCodecs,
  types.CompressionTypes,
  types.ConfigEntries,
  types.ConfigResourceTypes,
  types.ConfigSource,
  types.ConfigSynonyms,
  types.ConnectEvent,
  types.Consumer,
  types.ConsumerCommitOffsetsEvent,
  types.ConsumerConfig,
  types.ConsumerCrashEvent,
  types.ConsumerEachBatchPayload,
  types.ConsumerEachMessagePayload,
  types.ConsumerEndBatchProcessEvent,
  types.ConsumerEvents,
  types.ConsumerFetchEvent,
  types.ConsumerFetchStartEvent,
  types.ConsumerGroup,
  types.ConsumerGroupJoinEvent,
  types.ConsumerGroupState,
  types.ConsumerHeartbeatEvent,
  types.ConsumerRebalancingEvent,
  types.ConsumerReceivedUnsubcribedTopicsEvent,
  types.ConsumerRunConfig,
  types.ConsumerStartBatchProcessEvent,
  types.ConsumerSubscribeTopic,
  types.ConsumerSubscribeTopics,
  types.CoordinatorMetadata,
  types.DefaultPartitioner,
  types.DeleteAclFilterResponses,
  types.DeleteAclResponse,
  types.DeleteGroupsResult,
  types.DescribeAclResource,
  types.DescribeAclResponse,
  types.DescribeConfigResponse,
  types.DisconnectEvent,
  types.EachBatchHandler,
  types.EachBatchPayload,
  types.EachMessageHandler,
  types.EachMessagePayload,
  types.FetchOffsetsPartition,
  types.GroupDescription,
  types.GroupDescriptions,
  types.GroupMember,
  types.GroupMemberAssignment,
  types.GroupOverview,
  types.GroupState,
  types.ICustomPartitioner,
  types.IHeaders,
  types.IMemberAssignment,
  types.IResourceConfig,
  types.IResourceConfigEntry,
  types.ISerializer<number>,
  types.ISocketFactory,
  types.ISocketFactoryArgs,
  types.ITopicConfig,
  types.ITopicMetadata,
  types.ITopicPartitionConfig,
  types.InstrumentationEvent<number>,
  types.Kafka,
  types.KafkaConfig,
  types.KafkaJSAggregateError,
  types.KafkaJSAlterPartitionReassignmentsError,
  types.KafkaJSBrokerNotFound,
  types.KafkaJSConnectionError,
  types.KafkaJSConnectionErrorMetadata,
  types.KafkaJSDeleteGroupsError,
  types.KafkaJSDeleteGroupsErrorGroups,
  types.KafkaJSDeleteTopicRecordsError,
  types.KafkaJSDeleteTopicRecordsErrorPartition,
  types.KafkaJSDeleteTopicRecordsErrorTopic,
  types.KafkaJSError,
  types.KafkaJSErrorMetadata,
  types.KafkaJSGroupCoordinatorNotFound,
  types.KafkaJSLockTimeout,
  types.KafkaJSMetadataNotLoaded,
  types.KafkaJSNonRetriableError,
  types.KafkaJSNotImplemented,
  types.KafkaJSNumberOfRetriesExceeded,
  types.KafkaJSNumberOfRetriesExceededMetadata,
  types.KafkaJSOffsetOutOfRange,
  types.KafkaJSOffsetOutOfRangeMetadata,
  types.KafkaJSPartialMessageError,
  types.KafkaJSProtocolError,
  types.KafkaJSRequestTimeoutError,
  types.KafkaJSRequestTimeoutErrorMetadata,
  types.KafkaJSSASLAuthenticationError,
  types.KafkaJSServerDoesNotSupportApiKey,
  types.KafkaJSServerDoesNotSupportApiKeyMetadata,
  types.KafkaJSStaleTopicMetadataAssignment,
  types.KafkaJSStaleTopicMetadataAssignmentMetadata,
  types.KafkaJSTimeout,
  types.KafkaJSTopicMetadataNotLoaded,
  types.KafkaJSTopicMetadataNotLoadedMetadata,
  types.KafkaJSUnsupportedMagicByteInMessageSet,
  types.KafkaMessage,
  types.LegacyPartitioner,
  types.ListPartitionReassignmentsResponse,
  types.LogEntry,
  types.Logger,
  types.LoggerEntryContent,
  types.MatchingAcl,
  types.Mechanism,
  types.MemberAssignment,
  types.MemberDescription,
  types.MemberMetadata,
  types.Message,
  types.OauthbearerProviderResponse,
  types.Offsets,
  types.OffsetsByTopicPartition,
  types.OngoingPartitionReassignment,
  types.OngoingTopicReassignment,
  types.PartitionAssigner,
  typeof types.PartitionAssigners,
  types.PartitionMetadata,
  types.PartitionOffset,
  types.PartitionReassignment,
  types.PartitionerArgs,
  typeof types.Partitioners,
  types.Producer,
  types.ProducerBatch,
  types.ProducerConfig,
  types.ProducerEvents,
  types.ProducerRecord,
  types.RecordMetadata,
  types.RemoveInstrumentationEventListener<"a">,
  types.ReplicaAssignment,
  types.RequestEvent,
  types.RequestQueueSizeEvent,
  types.RequestTimeoutEvent,
  types.ResourceConfigQuery,
  types.ResourcePatternTypes,
  types.RetryOptions,
  types.SASLMechanism,
  types.SASLOptions,
  types.SaslAuthenticateArgs<number>,
  types.SeekEntry,
  types.TopicMessages,
  types.TopicOffsets,
  types.TopicPartition,
  types.TopicPartitionOffset,
  types.TopicPartitionOffsetAndMetadata,
  types.TopicPartitions,
  types.Transaction,
  types.logCreator,
  types.logLevel,
];

export type Compressed = CompressionTypes.GZIP | CompressionTypes.ZSTD;
