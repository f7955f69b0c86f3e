import type { ClusterSnapshot } from "@odradek/network";
import type { JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import { CheckedDivision } from "./checked-division.ts";
import { assignable, type Division } from "./division.ts";
import { RawDivision } from "./raw-division.ts";
import { type AnyPartitionAssignor, isRaw } from "./raw-partition-assignor.ts";

/**
 * What a leader has to do in one generation: it knows what all members subscribed to, has the assignor decide, and sees when
 * that decision is no longer right. Source: the parts of Kafka's `ConsumerCoordinator` about the leader.
 */
export class GroupLeader {
  readonly #division: Division;
  /** What the topics looked like, by name, when it was decided. */
  #decidedOn: ReadonlyMap<string, string> | null = null;
  #seen: ClusterSnapshot | null = null;

  /** @throws DecodeError, or what the assignor throws, where a member says of itself what no consumer does */
  constructor(assignor: AnyPartitionAssignor, members: JoinGroupResponse["members"]) {
    this.#division = isRaw(assignor) ? new RawDivision(assignor, members) : new CheckedDivision(assignor, members);
  }

  /** What any member subscribed to. */
  get topics(): ReadonlySet<string> {
    return this.#division.topics;
  }

  /** Whether it is known of every topic what there is of it, be it nothing. */
  isInformed({ topics, topicErrors }: ClusterSnapshot): boolean {
    return [...this.topics].every((topic) => topics.has(topic) || topicErrors.has(topic));
  }

  /** Has the assignor decide. @throws KafkaError where it throws, or gives what cannot be */
  decide(cluster: ClusterSnapshot): ReturnType<Division["decide"]> {
    this.#watch(cluster);
    return this.#division.decide(cluster);
  }

  /** Whether topics look otherwise than when it was decided, or it was first known what they look like. */
  isOutdated(cluster: ClusterSnapshot): boolean {
    if (cluster === this.#seen || !this.isInformed(cluster)) return false;
    if (this.#decidedOn === null) this.#watch(cluster);
    this.#seen = cluster;
    const looks = this.#looks(cluster);
    return [...(this.#decidedOn ?? [])].some(([topic, look]) => looks.get(topic) !== look);
  }

  #watch(cluster: ClusterSnapshot): void {
    this.#decidedOn = this.#looks(cluster);
    this.#seen = cluster;
  }

  /** What a decision depends on, of each topic. */
  #looks(cluster: ClusterSnapshot): Map<string, string> {
    const looks = [...this.topics].map((topic): [string, string] => {
      const partitions = assignable(cluster, [topic]).get(topic) ?? [];
      const racks = this.#division.dependsOnRacks
        ? partitions.map((partition) => [...partition.racks].sort().join()).join(";")
        : "";
      return [topic, `${partitions.length} ${racks}`];
    });
    return new Map(looks);
  }
}
