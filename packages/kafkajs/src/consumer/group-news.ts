import type { Clock, GroupAssignmentMessage, TopicPartition } from "odradek";
import type { Logger } from "../logger.ts";
import type { EmitConsumerEvent, IMemberAssignment } from "./consumer-events.ts";

interface GroupNewsParts {
  /** Topics that this member subscribed to. */
  readonly subscription: () => readonly string[];
  readonly rootLogger: Logger;
  readonly clock: Clock;
  readonly emit: EmitConsumerEvent;
}

/** Tells of the group that a consumer is in: that it rebalances, and what came of it. */
export class GroupNews {
  readonly #parts: GroupNewsParts;
  /** The last; `null` before the first. */
  #assignment: GroupAssignmentMessage | null = null;
  #joiningSinceMs = 0;

  constructor(parts: GroupNewsParts) {
    this.#parts = parts;
  }

  /** The group has decided; the listener is called next. */
  assignment(message: GroupAssignmentMessage): void {
    this.#assignment = message;
    const { groupId, generationId, memberId, assigned } = message;
    const topicsSubscribed = [...this.#parts.subscription()];
    const assignedTopics = [...new Set(assigned.map(({ topic }) => topic))];
    const topicsNotSubscribed = assignedTopics.filter((topic) => !topicsSubscribed.includes(topic));
    if (topicsNotSubscribed.length === 0) return;
    const payload = { groupId, generationId, memberId, assignedTopics, topicsSubscribed, topicsNotSubscribed };
    this.#parts.emit("consumer.received_unsubscribed_topics", payload);
    const logger = this.#parts.rootLogger.namespace("ConsumerGroup");
    logger.warn("Consumer group received unsubscribed topics", { ...payload });
  }

  /** It joins for the first time, of which nothing is said. */
  joining(): void {
    this.#joiningSinceMs = this.#parts.clock.now();
  }

  /** It joins anew. */
  rebalancing(): void {
    if (this.#assignment === null) return;
    const { groupId, memberId } = this.#assignment;
    this.joining();
    const logger = this.#parts.rootLogger.namespace("Runner");
    logger.info("The group is rebalancing, re-joining", { groupId, memberId });
    this.#parts.emit("consumer.rebalancing", { groupId, memberId });
  }

  /** @param assigned all that it has now */
  joined(assigned: readonly TopicPartition[]): void {
    if (this.#assignment === null) return;
    const { groupId, memberId, leaderId, assignor } = this.#assignment;
    const payload = {
      groupId,
      memberId,
      leaderId: leaderId ?? "",
      isLeader: leaderId === memberId,
      memberAssignment: assignmentOf(assigned),
      // Where the coordinator decides, it does not say how.
      groupProtocol: assignor ?? "consumer",
      duration: Math.round(this.#parts.clock.now() - this.#joiningSinceMs),
    };
    this.#parts.emit("consumer.group_join", payload);
    this.#parts.rootLogger.namespace("ConsumerGroup").info("Consumer has joined the group", { ...payload });
  }
}

function assignmentOf(partitions: readonly TopicPartition[]): IMemberAssignment {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const numbers = byTopic.get(topic);
    if (numbers === undefined) byTopic.set(topic, [partition]);
    else numbers.push(partition);
  }
  return Object.fromEntries([...byTopic].map(([topic, numbers]) => [topic, numbers.sort((a, b) => a - b)]));
}
