import {
  checkTopicName,
  type PartitionSnapshot,
  partitionText,
  TimeoutError,
  type TopicPartition,
} from "@odradek/network";
import { type CallOptions, checkPartitions } from "../call-arguments.ts";
import type { ConsumerCore } from "../consumer-core.ts";
import type { PartitionPosition } from "../errors.ts";
import type { ListedOffset, OffsetQuery } from "./list-offsets.ts";
import { type ListedTopic, listedTopics } from "./listed-topics.ts";
import {
  type OffsetAndTimestamp,
  offsetAndTimestamp,
  queriesForTimes,
  type TimestampQuery,
} from "./offset-and-timestamp.ts";

/** What users ask about topics and their logs, whether or not they read them. */
export class OffsetQueries {
  readonly #core: ConsumerCore<unknown, unknown>;

  constructor(core: ConsumerCore<unknown, unknown>) {
    this.#core = core;
  }

  async ends(
    partitions: readonly TopicPartition[],
    timestamp: bigint,
    options?: CallOptions,
  ): Promise<PartitionPosition[]> {
    checkPartitions(partitions);
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    const listed = await this.#lookUp(queries, options);
    return listed.map(([{ topic, partition }, { offset }]) => ({ topic, partition, offset }));
  }

  async forTimes(queries: readonly TimestampQuery[], options?: CallOptions): Promise<OffsetAndTimestamp[]> {
    checkPartitions(queries);
    const listed = await this.#lookUp(queriesForTimes(queries), options);
    return listed.map(([query, found]) => offsetAndTimestamp(query, found));
  }

  partitionsFor(topic: string, { timeoutMs, signal }: CallOptions): Promise<readonly PartitionSnapshot[]> {
    const core = this.#core;
    const { metadata } = core.network;
    core.enter();
    checkTopicName(topic);
    const deadline = core.deadline(timeoutMs);
    return core.askAbout(topic, async () => {
      const found = await core.wait(deadline, signal, () => {
        const fatal = metadata.fatalErrorOf(topic);
        if (fatal !== null) throw fatal;
        const known = metadata.snapshot.topics.get(topic)?.partitions ?? null;
        if (known !== null) return known;
        core.network.requestUpdate();
        const { fatalError } = core.network;
        if (fatalError !== null) throw fatalError;
        return null;
      });
      if (found === null) throw new TimeoutError(`the partitions of ${topic}`, deadline.timeoutMs);
      return found;
    });
  }

  async listTopics({ timeoutMs, signal }: CallOptions): Promise<ListedTopic[]> {
    const core = this.#core;
    core.enter();
    // Whatever ends the call ends its questions too.
    const end = new AbortController();
    const { network, options, clock } = core;
    try {
      return await core.race(listedTopics(network, options, clock, core.deadline(timeoutMs), end.signal), signal);
    } finally {
      end.abort();
    }
  }

  async #lookUp(
    queries: readonly OffsetQuery[],
    { timeoutMs, signal }: CallOptions = {},
  ): Promise<(readonly [OffsetQuery, ListedOffset])[]> {
    const core = this.#core;
    core.enter();
    const looking = core.offsetLookup.lookUp(queries, core.deadline(timeoutMs));
    core.retainTopics();
    try {
      const listed = await core.race(looking, signal);
      return queries.flatMap((query) => {
        const found = listed.get(partitionText(query));
        return found === undefined ? [] : [[query, found] as const];
      });
    } finally {
      core.retainTopics();
    }
  }
}
