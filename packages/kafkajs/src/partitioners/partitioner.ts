import type { Message } from "../producer/message.ts";

/** A partition as partitioners see it. */
export interface PartitionMetadata {
  /** 0 for none. */
  partitionErrorCode: number;
  partitionId: number;
  /** The broker's id, -1 while there is none. */
  leader: number;
  replicas: number[];
  isr: number[];
  offlineReplicas?: number[];
}

export interface PartitionerArgs {
  topic: string;
  /** All partitions of the topic. */
  partitionMetadata: PartitionMetadata[];
  message: Message;
}

/**
 * Makes what chooses partitions, once for each producer. It is asked for every message, also for one that names its partition.
 */
export type ICustomPartitioner = () => (args: PartitionerArgs) => number;
export type DefaultPartitioner = ICustomPartitioner;
export type LegacyPartitioner = ICustomPartitioner;
