import { KafkaConsumer, KafkaProducer } from "odradek";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers } from "./topics.ts";

/** A message as handlers get it. */
export interface MessageOfJS {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly offset: string;
  readonly timestamp: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface EachMessage {
  readonly topic: string;
  readonly partition: number;
  readonly message: MessageOfJS;
  heartbeat(): Promise<void>;
  pause(): () => void;
}

export interface EachBatch {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly highWatermark: string;
    readonly messages: readonly MessageOfJS[];
    readonly fetchedOffset: string;
    readonly rawMessages: readonly MessageOfJS[];
    readonly messagesWithinOffset: readonly MessageOfJS[];
    isEmpty(): boolean;
    isEmptyIncludingFiltered(): boolean;
    isEmptyDueToFiltering(): boolean;
    isEmptyControlRecord(): boolean;
    isEmptyDueToLogCompactedMessages(): boolean;
    firstOffset(): string | null;
    lastOffset(): string;
    offsetLag(): string;
    offsetLagLow(): string;
  };
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
  commitOffsetsIfNecessary(offsets?: object): Promise<void>;
  uncommittedOffsets(): object;
  isRunning(): boolean;
  isStale(): boolean;
}

/** Something that comes to pass later: tests wait for it, and for nothing else. */
export function happening<T = void>(): { readonly happened: Promise<T>; happen(value: T): void } {
  let happen: (value: T) => void = () => {};
  const happened = new Promise<T>((resolve) => {
    happen = resolve;
  });
  return { happened, happen: (value) => happen(value) };
}

export interface Collection<T> {
  readonly items: readonly T[];
  /** Settles when there are as many as were asked for. */
  readonly complete: Promise<void>;
  add(item: T): void;
  /** Settles when an item was added so often. */
  has(item: T, count?: number): Promise<void>;
}

export function collection<T>(size: number): Collection<T> {
  const items: T[] = [];
  const waiting: { readonly isMet: () => boolean; readonly happen: () => void }[] = [];
  const until = (isMet: () => boolean): Promise<void> => {
    const { happened, happen } = happening();
    if (isMet()) happen();
    else waiting.push({ isMet, happen });
    return happened;
  };
  return {
    items,
    complete: until(() => items.length >= size),
    add(item) {
      items.push(item);
      for (const { isMet, happen } of waiting) if (isMet()) happen();
    },
    has: (item, count = 1) => until(() => items.filter((other) => other === item).length >= count),
  };
}

export async function written(topic: string, values: readonly string[], partition = 0): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers });
  await producer.sendBatch(values.map((value) => ({ topic, partition, value, timestamp: recordTimeMs })));
}

export async function committedOf(groupId: string, topic: string, partition = 0): Promise<bigint | null> {
  await using consumer = new KafkaConsumer({ bootstrapServers, groupId });
  const [found] = await consumer.committed([{ topic, partition }]);
  return found?.offset ?? null;
}

export const textOf = ({ value }: MessageOfJS): string => String(value);
export const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
