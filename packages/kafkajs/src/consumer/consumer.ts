import { type Clock, KafkaConsumer, systemClock, type Timer } from "odradek";
import { AdminClient } from "../admin/admin-client.ts";
import { describeGroup, type GroupDescription } from "../admin/group-descriptions.ts";
import { clientOptionsOf } from "../client/client-options.ts";
import { connectPatiently } from "../client/connecting.ts";
import { Instrumentation, type Listen } from "../client/instrumentation.ts";
import type { KafkaConfig } from "../client/kafka-config.ts";
import type { KnownCluster } from "../client/known-cluster.ts";
import { requestListener } from "../client/request-events.ts";
import { givenUp } from "../errors/error-translation.ts";
import { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from "../errors/errors.ts";
import type { Logger } from "../logger.ts";
import { AssignerCluster } from "./assigner-cluster.ts";
import {
  commitOf,
  seekOf,
  type TopicPartitionOffset,
  type TopicPartitionOffsetAndMetadata,
} from "./consumer-arguments.ts";
import { type ConsumerConfig, consumerOptionsOf, resolveConsumerConfig } from "./consumer-config.ts";
import { type ConsumerEventPayloads, type ConsumerEvents, consumerEvents } from "./consumer-events.ts";
import { consumerListener } from "./consumer-listener.ts";
import { ConsumerSession } from "./consumer-session.ts";
import { mayPass } from "./failures.ts";
import { AssignerOfGroup } from "./partition-assigner.ts";
import { checkPartitions, type PausedTopic, type TopicPartitions } from "./pauses.ts";
import { type ConsumerRunConfig, type ResolvedRunConfig, resolveRunConfig } from "./run-config.ts";
import { type ConsumerSubscribeTopic, type ConsumerSubscribeTopics, SubscribedTopics } from "./subscribed-topics.ts";

/** Reads messages as a member of its group. Its methods need no `this`, and may be replaced. */
export interface Consumer {
  /** Connects, for who wants to fail fast: `run` does so too. @throws KafkaJSNumberOfRetriesExceeded, KafkaJSSASLAuthenticationError */
  connect(): Promise<void>;
  /** Stops, and closes every connection. It may be connected again. */
  disconnect(): Promise<void>;
  /**
   * Adds topics, which are read from the next `run` on. Connects where nothing has been connected to yet, for who calls `connect` never.
   *
   * @throws what `connect` throws
   */
  subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void>;
  /** Begins to read. Resolves when the consumer has joined its group, or has crashed, which the event CRASH tells. */
  run(config?: ConsumerRunConfig): Promise<void>;
  /** Waits for the handlers, commits, and leaves the group. Not to be awaited within a handler. */
  stop(): Promise<void>;
  /** Commits exactly these offsets: one more than that of the last message. @throws KafkaJSNonRetriableError while it does not run */
  commitOffsets(topicPartitions: readonly TopicPartitionOffsetAndMetadata[]): Promise<void>;
  /** Goes on at the offset; -1 is the end of the log, -2 its beginning. @throws KafkaJSNonRetriableError while it does not run */
  seek(topicPartitionOffset: TopicPartitionOffset): void;
  /** Gives no more messages of these. @throws KafkaJSNonRetriableError while it does not run */
  pause(topics: readonly PausedTopic[]): void;
  /** Gives messages of these again. @throws KafkaJSNonRetriableError while it does not run */
  resume(topics: readonly PausedTopic[]): void;
  /** The assigned partitions that are paused. */
  paused(): TopicPartitions[];
  /** Tells who is in the group; also before `run`. */
  describeGroup(): Promise<GroupDescription>;
  on: Listen<ConsumerEventPayloads>;
  readonly events: ConsumerEvents;
  logger(): Logger;
}

const notRunning = () =>
  new KafkaJSNonRetriableError("Consumer group was not initialized, consumer#run must be called first");

/** How many fetches of a partition, and of all, may wait for their handlers: enough to be busy with while the next is fetched. */
const waitingFetches = 4;

/**
 * @param given which whoever has no types may leave out
 * @throws KafkaJSNonRetriableError for options that cannot be used
 */
export function createConsumer(
  config: KafkaConfig,
  given: ConsumerConfig | undefined,
  rootLogger: Logger,
  knownCluster: KnownCluster,
  clock: Clock = systemClock,
): Consumer {
  const resolved = resolveConsumerConfig(given ?? {}, config.retry);
  const { groupId, retry, restartOnFailure } = resolved;
  const logger = rootLogger.namespace("Consumer");
  const instrumentation = new Instrumentation("consumer", consumerEvents, logger, clock);
  const topics = new SubscribedTopics();
  const admin = new AdminClient({ config, retry, clock, rootLogger, logger, instrumentation });
  let session: ConsumerSession | null = null;
  /** What is asked of a session that is about to be made: who does not wait for `run` may seek and pause at once. */
  let awaiting: ((session: ConsumerSession) => void)[] | null = null;
  /** What it is to do: from `run` to `stop`, or to a crash that it does not start again from. */
  let wanted: ResolvedRunConfig | null = null;
  let restart: Timer | null = null;
  let connecting: Promise<void> | null = null;
  /** Whether brokers were reached since it was made, or disconnected. */
  let isConnected = false;
  let stopping: Promise<void> | null = null;

  const cluster = new AssignerCluster();
  const assignors = resolved.partitionAssigners.map(
    (create) => new AssignerOfGroup(create({ cluster, groupId, logger }), cluster),
  );

  const clientOptions = () => clientOptionsOf({ ...resolved, config }, rootLogger.namespace("Cluster"));

  const connect = async (): Promise<void> => {
    const client = await clientOptions();
    let made: KafkaConsumer | null = null;
    try {
      // It fetches nothing: however little time a request has, no fetch can last too long.
      const probe = new KafkaConsumer({ ...client, fetchMaxWaitMs: 0, diagnostics: requestListener(instrumentation) });
      made = probe;
      await connectPatiently((limits) => probe.connect(limits), { config, retry }, instrumentation);
      isConnected = true;
    } catch (error) {
      throw givenUp(error, retry);
    } finally {
      await made?.close();
    }
  };

  const sharedConnect = (): Promise<void> => {
    connecting ??= connect().finally(() => {
      connecting = null;
    });
    return connecting;
  };

  /** @throws KafkaJSNonRetriableError where it does not run */
  const whileRunning = (act: (session: ConsumerSession) => void): void => {
    if (session !== null) act(session);
    else if (awaiting !== null) awaiting.push(act);
    else throw notRunning();
  };

  const running = (): ConsumerSession => {
    if (session !== null) return session;
    throw notRunning();
  };

  /** @returns when it has joined, or has crashed and that is told */
  const start = async (runConfig: ResolvedRunConfig): Promise<void> => {
    logger.info("Starting", { groupId });
    const asked: ((session: ConsumerSession) => void)[] = [];
    awaiting = asked;
    let started: ConsumerSession;
    try {
      const client = await clientOptions();
      // It may have been stopped meanwhile, and even told to do something else.
      if (wanted !== runConfig) return;
      started = new ConsumerSession({
        options: (onAssignment) => {
          const diagnostics = consumerListener(instrumentation, onAssignment);
          return consumerOptionsOf(resolved, { client, topics, assignors, diagnostics });
        },
        groupId,
        topics,
        config: runConfig,
        retry,
        connect: (consumer, signal) =>
          connectPatiently((limits) => consumer.connect({ ...limits, signal }), { config, retry }, instrumentation),
        maxWaitMs: resolved.maxWaitTimeInMs,
        rebalanceListener: resolved.odradek.rebalanceListener ?? {},
        limits: {
          laneBytes: waitingFetches * resolved.maxBytesPerPartition,
          allBytes: waitingFetches * resolved.maxBytes,
        },
        rootLogger,
        clock,
        emit: (type, payload) => instrumentation.emit(type, payload),
      });
    } catch (error) {
      if (awaiting === asked) awaiting = null;
      await crashed(givenUp(error, retry), runConfig);
      return;
    }
    session = started;
    knownCluster.readBy(started);
    awaiting = null;
    for (const act of asked) act(started);
    const ended = started.ended.then(async (error) => {
      if (error === null) return;
      session = null;
      await crashed(error, runConfig);
    });
    await Promise.race([started.joined, ended]);
  };

  const crashed = async (error: Error, runConfig: ResolvedRunConfig): Promise<void> => {
    const { retryCount, retryTime = retry.initialRetryTime } =
      error instanceof KafkaJSNumberOfRetriesExceeded ? error : {};
    logger.error(`Crash: ${error.name}: ${error.message}`, { groupId, retryCount, stack: error.stack });
    instrumentation.emit(consumerEvents.STOP);
    logger.info("Stopped", { groupId });
    instrumentation.emit(consumerEvents.DISCONNECT);
    const isRestarted = await mayRestart(error);
    instrumentation.emit(consumerEvents.CRASH, { error, groupId, restart: isRestarted });
    if (wanted !== runConfig) return;
    if (!isRestarted) {
      wanted = null;
      return;
    }
    logger.error(`Restarting the consumer in ${retryTime}ms`, { retryCount, retryTime, groupId });
    restart = clock.after(retryTime, () => {
      restart = null;
      void start(runConfig);
    });
  };

  const mayRestart = async (error: Error): Promise<boolean> => {
    const isPassing = mayPass(error);
    if (!isPassing || restartOnFailure === null) return isPassing;
    try {
      return await restartOnFailure(error);
    } catch (failure) {
      logger.error('Caught error when invoking user-provided "restartOnFailure" callback. Defaulting to restarting.', {
        error: failure instanceof Error ? failure.message : String(failure),
        cause: error.message,
        groupId,
      });
      return true;
    }
  };

  const stop = async (): Promise<void> => {
    wanted = null;
    awaiting = null;
    restart?.cancel();
    restart = null;
    const ending = session;
    if (ending !== null) {
      await ending.stop();
      session = null;
      instrumentation.emit(consumerEvents.STOP);
    }
    logger.info("Stopped", { groupId });
  };

  const sharedStop = (): Promise<void> => {
    stopping ??= stop().finally(() => {
      stopping = null;
    });
    return stopping;
  };

  return {
    async connect() {
      await sharedConnect();
      instrumentation.emit(consumerEvents.CONNECT);
    },
    async disconnect() {
      isConnected = false;
      await Promise.all([sharedStop(), admin.close()]);
      instrumentation.emit(consumerEvents.DISCONNECT);
    },
    async subscribe(subscription) {
      if (wanted !== null) throw new KafkaJSNonRetriableError("Cannot subscribe to topic while consumer is running");
      topics.add(subscription);
      if (!isConnected) await sharedConnect();
    },
    async run(runConfig = {}) {
      if (wanted !== null) {
        logger.warn("consumer#run was called, but the consumer is already running", { groupId });
        return;
      }
      wanted = resolveRunConfig(runConfig);
      await start(wanted);
    },
    stop: sharedStop,
    async commitOffsets(topicPartitions = []) {
      const offsets = topicPartitions.map(commitOf);
      // Between a crash and the next start there is nobody to commit for, and nothing that a caller could do about it.
      if (session === null && wanted !== null) return;
      await running().commit(offsets);
    },
    seek(topicPartitionOffset) {
      const { topic, partition, target } = seekOf(topicPartitionOffset);
      whileRunning((consuming) => consuming.seek({ topic, partition }, target));
    },
    pause(paused = []) {
      checkPartitions(paused, "pause");
      whileRunning((consuming) => {
        consuming.pauses.pause(paused);
        consuming.repause();
      });
    },
    resume(resumed = []) {
      checkPartitions(resumed, "resume");
      whileRunning((consuming) => {
        consuming.pauses.resume(resumed);
        consuming.repause();
      });
    },
    paused: () => session?.pauses.among(session.assigned) ?? [],
    describeGroup: () => describeGroup(admin, groupId),
    on: (eventName: string, listener: (event: never) => void) => instrumentation.on(eventName, listener),
    events: consumerEvents,
    logger: () => logger,
  };
}
