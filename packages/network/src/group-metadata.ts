/**
 * Who a consumer is in its group, from `consumer.groupMetadata()`: with it, offsets of one that lost its place are refused (KIP-447).
 * Source: Kafka's `ConsumerGroupMetadata`.
 */
export interface ConsumerGroupMetadata {
  readonly groupId: string;
  /** Of one that never had a place in the group: -1. @default -1 */
  readonly generationId?: number;
  /** Of one that never had a place in the group: "". @default "" */
  readonly memberId?: string;
  /** Of a static member. @default null */
  readonly groupInstanceId?: string | null;
}
