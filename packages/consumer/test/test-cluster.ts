import { type AuthenticationError, OptionReader, type Purpose, resolveClientOptions } from "@odradek/network";
import { Metadata } from "../../network/src/metadata.ts";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { metadataAnswer, partitionAnswer, type TopicAnswer, topicAnswer } from "../../network/test/metadata-answers.ts";
import type { ClusterView } from "../src/cluster-view.ts";

/** Version of Metadata that answers with topic ids and leader epochs. */
const metadataVersion = 12;

/** A cluster that is known and does not exist: who decides on requests can be asked what it would send. */
export class TestCluster implements ClusterView {
  readonly clock = new ManualClock();
  readonly metadata: Metadata;
  /** Nodes that take no request, and when to look again. */
  readonly unready = new Map<number, number>();
  /** Nodes that do not let us in. */
  readonly refusals = new Map<number, AuthenticationError>();
  /** How the last connections ended, by the number of the node. */
  readonly failures = new Map<number, Error>();
  /** Why nothing can be learned of it. */
  fatalError: Error | null = null;
  /** What was asked for readiness, in order. */
  readonly readied: string[] = [];
  updatesRequested = 0;

  constructor(topics: TopicAnswer[] = []) {
    const options = resolveClientOptions(new OptionReader({ bootstrapServers: ["127.0.0.1:9092"] }));
    this.metadata = new Metadata(options, this.clock, () => {});
    this.metadata.retain(topics.flatMap(({ name }) => name ?? []));
    this.learn(topics);
  }

  /** Takes an answer about topics. */
  learn(topics: TopicAnswer[]): void {
    this.metadata.update(metadataAnswer(topics), metadataVersion);
  }

  ready(nodeId: number, purpose: Purpose = "main"): boolean {
    this.readied.push(`${nodeId} ${purpose}`);
    return !this.unready.has(nodeId);
  }

  retryAtMs(nodeId: number): number {
    return this.unready.get(nodeId) ?? Number.POSITIVE_INFINITY;
  }

  authenticationError(nodeId: number): AuthenticationError | null {
    return this.refusals.get(nodeId) ?? null;
  }

  lastError(nodeId: number): Error | null {
    return this.failures.get(nodeId) ?? null;
  }

  requestUpdate(): void {
    this.updatesRequested += 1;
  }
}

/** A topic with one partition for each leader named. */
export const topicLedBy = (name: string, leaderIds: readonly number[], topicId?: string): TopicAnswer =>
  topicAnswer(
    name,
    leaderIds.map((leaderId, index) => partitionAnswer(index, leaderId, 5)),
    topicId === undefined ? {} : { topicId },
  );
