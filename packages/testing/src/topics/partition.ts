import type { Clock } from "../clock.ts";
import { type LogConfig, PartitionLog } from "../log/partition-log.ts";
import type { TopicConfigs } from "./topic-configs.ts";

/** Which brokers live. */
export type IsAlive = (brokerId: number) => boolean;

/** A partition: its replicas, who of them leads, and the log that they share. */
export class Partition {
  readonly index: number;
  readonly log: PartitionLog;
  #replicas: readonly number[];
  #leaderId: number;
  #leaderEpoch = 0;

  constructor(index: number, replicas: readonly number[], clock: Clock, configs: TopicConfigs, isAlive: IsAlive) {
    this.index = index;
    this.#replicas = replicas;
    this.#leaderId = replicas.find(isAlive) ?? -1;
    // It is asked for with every batch, and hardly ever another one.
    let { revision } = configs;
    let config = logConfigOf(configs);
    this.log = new PartitionLog(clock, () => {
      if (configs.revision !== revision) config = logConfigOf(configs);
      ({ revision } = configs);
      return config;
    });
    this.log.epochs.assign(0, 0n);
  }

  /** The preferred leader first. */
  get replicas(): readonly number[] {
    return this.#replicas;
  }

  /** -1 while nobody leads. */
  get leaderId(): number {
    return this.#leaderId;
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  /** Has another replica lead, in a new epoch; -1 for nobody. */
  lead(leaderId: number): void {
    this.#leaderId = leaderId;
    this.#leaderEpoch += 1;
    if (leaderId >= 0) this.log.epochs.assign(this.#leaderEpoch, this.log.logEndOffset);
    this.log.wake();
  }

  /** Elects the first replica that lives, where the leader does not. */
  elect(isAlive: IsAlive): void {
    if (this.#leaderId >= 0 && isAlive(this.#leaderId)) return;
    const next = this.#replicas.find(isAlive) ?? -1;
    if (next !== this.#leaderId) this.lead(next);
  }

  /** Gives the partition to other brokers, which have all records at once. */
  reassign(replicas: readonly number[], isAlive: IsAlive): void {
    this.#replicas = replicas;
    if (!replicas.includes(this.#leaderId)) this.lead(replicas.find(isAlive) ?? -1);
  }
}

/** What a topic's configuration says about its logs. */
function logConfigOf(configs: TopicConfigs): LogConfig {
  const isCompacted = configs.isListed("cleanup.policy", "compact");
  const maxCompactionLagMs = configs.number("max.compaction.lag.ms");
  const segmentMs = configs.number("segment.ms");
  return {
    isDeleted: configs.isListed("cleanup.policy", "delete"),
    isCompacted,
    retentionBytes: configs.limit("retention.bytes"),
    retentionMs: configs.limit("retention.ms"),
    segmentBytes: configs.number("segment.bytes"),
    segmentMs: isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs,
    minCleanableDirtyRatio: configs.number("min.cleanable.dirty.ratio"),
    minCompactionLagMs: configs.number("min.compaction.lag.ms"),
    maxCompactionLagMs,
    deleteRetentionMs: configs.number("delete.retention.ms"),
    maxMessageBytes: configs.number("max.message.bytes"),
    isLogAppendTime: configs.value("message.timestamp.type") === "LogAppendTime",
  };
}
