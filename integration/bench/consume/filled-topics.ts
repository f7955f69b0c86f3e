import { performance } from "node:perf_hooks";
import type { KafkaCluster } from "../../cluster/kafka-cluster.ts";
import { type Run, say } from "../run.ts";
import { FilledTopic } from "./filled-topic.ts";
import type { Content } from "./workloads.ts";

/** As many batches as there are partitions have more. */
const smokeRecords = 100;

/** The topics of a run, each of which is filled once, when it is first read. */
export class FilledTopics implements AsyncDisposable {
  readonly #cluster: KafkaCluster;
  readonly #isSmoke: boolean;
  readonly #topics = new Map<string, Promise<FilledTopic>>();

  constructor(cluster: KafkaCluster, { isSmoke }: Run) {
    this.#cluster = cluster;
    this.#isSmoke = isSmoke;
  }

  of(content: Content): Promise<FilledTopic> {
    const key = JSON.stringify(content);
    const topic = this.#topics.get(key) ?? this.#fill(content);
    this.#topics.set(key, topic);
    return topic;
  }

  async #fill(content: Content): Promise<FilledTopic> {
    const records = this.#isSmoke ? Math.min(smokeRecords, content.records) : content.records;
    const startedAt = performance.now();
    const topic = await FilledTopic.create(this.#cluster, { ...content, records });
    const { valueBytes, compression, partitions, batchBytes } = content;
    const batches = batchBytes === 1 ? "one record" : `${batchBytes} B`;
    const what = `${topic.records} records of ${valueBytes} B in ${partitions} partitions and batches of ${batches}`;
    const tookSeconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    say(`consume: ${what}, compression ${compression}: written in ${tookSeconds} s`);
    return topic;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const topic of this.#topics.values()) {
      // One that could not be filled has been deleted already, and was reported where it was to be read.
      await (await topic.catch(() => null))?.[Symbol.asyncDispose]();
    }
  }
}
