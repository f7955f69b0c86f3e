import type {
  InstrumentationEvent,
  RequestPayload,
  RequestQueueSizePayload,
  RequestTimeoutPayload,
} from "../client/instrumentation.ts";
import type { TopicOffsets } from "../producer/transactions.ts";

export const consumerEvents = Object.freeze({
  HEARTBEAT: "consumer.heartbeat",
  COMMIT_OFFSETS: "consumer.commit_offsets",
  GROUP_JOIN: "consumer.group_join",
  FETCH: "consumer.fetch",
  FETCH_START: "consumer.fetch_start",
  START_BATCH_PROCESS: "consumer.start_batch_process",
  END_BATCH_PROCESS: "consumer.end_batch_process",
  CONNECT: "consumer.connect",
  DISCONNECT: "consumer.disconnect",
  STOP: "consumer.stop",
  CRASH: "consumer.crash",
  REBALANCING: "consumer.rebalancing",
  RECEIVED_UNSUBSCRIBED_TOPICS: "consumer.received_unsubscribed_topics",
  REQUEST: "consumer.network.request",
  REQUEST_TIMEOUT: "consumer.network.request_timeout",
  REQUEST_QUEUE_SIZE: "consumer.network.request_queue_size",
});

export type ConsumerEvents = typeof consumerEvents;

/** Which partitions of which topics. */
export interface IMemberAssignment {
  [topic: string]: number[];
}

interface GroupPayload {
  groupId: string;
  memberId: string;
}

/** A batch on its way to the handler. */
export interface BatchPayload {
  topic: string;
  partition: number;
  highWatermark: string;
  offsetLag: string;
  offsetLagLow: string;
  batchSize: number;
  firstOffset: string;
  lastOffset: string;
}

/** What each event tells. */
export interface ConsumerEventPayloads {
  "consumer.heartbeat": GroupPayload & { groupGenerationId: number };
  "consumer.commit_offsets": GroupPayload & { groupGenerationId: number; topics: TopicOffsets[] };
  "consumer.group_join": GroupPayload & {
    /** "" where another member is the leader, which is not told. */
    leaderId: string;
    isLeader: boolean;
    memberAssignment: IMemberAssignment;
    groupProtocol: string;
    /** Milliseconds. */
    duration: number;
  };
  "consumer.fetch": { numberOfBatches: number; duration: number; nodeId: number };
  "consumer.fetch_start": { nodeId: number };
  "consumer.start_batch_process": BatchPayload;
  "consumer.end_batch_process": BatchPayload & { duration: number };
  "consumer.connect": null;
  "consumer.disconnect": null;
  "consumer.stop": null;
  "consumer.crash": { error: Error; groupId: string; restart: boolean };
  "consumer.rebalancing": GroupPayload;
  "consumer.received_unsubscribed_topics": GroupPayload & {
    generationId: number;
    assignedTopics: string[];
    topicsSubscribed: string[];
    topicsNotSubscribed: string[];
  };
  "consumer.network.request": RequestPayload;
  "consumer.network.request_timeout": RequestTimeoutPayload;
  "consumer.network.request_queue_size": RequestQueueSizePayload;
}

/** Tells the listeners of an event. */
export type EmitConsumerEvent = <Name extends keyof ConsumerEventPayloads>(
  type: Name,
  payload?: Exclude<ConsumerEventPayloads[Name], null>,
) => void;

export type ConsumerHeartbeatEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.heartbeat"]>;
export type ConsumerFetchStartEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.fetch_start"]>;
export type ConsumerFetchEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.fetch"]>;
/** Spelt as in kafkajs. */
export type ConsumerReceivedUnsubcribedTopicsEvent = InstrumentationEvent<
  ConsumerEventPayloads["consumer.received_unsubscribed_topics"]
>;
export type ConsumerCommitOffsetsEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.commit_offsets"]>;
export type ConsumerGroupJoinEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.group_join"]>;
export type ConsumerCrashEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.crash"]>;
export type ConsumerRebalancingEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.rebalancing"]>;
export type ConsumerStartBatchProcessEvent = InstrumentationEvent<
  ConsumerEventPayloads["consumer.start_batch_process"]
>;
export type ConsumerEndBatchProcessEvent = InstrumentationEvent<ConsumerEventPayloads["consumer.end_batch_process"]>;
