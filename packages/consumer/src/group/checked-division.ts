import { type ClusterSnapshot, partitionText } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import { decodeSubscription, encodeAssignment } from "./consumer-protocol.ts";
import { assignable, type Division, type EncodedAssignment } from "./division.ts";
import type { AssignableTopics, ConsumerPartitionAssignor, MemberSubscription } from "./partition-assignor.ts";

/** What an assignor decides of what members subscribed to; a decision that cannot be is an error. */
export class CheckedDivision implements Division {
  readonly topics: ReadonlySet<string>;
  /** They count where a member has one. */
  readonly dependsOnRacks: boolean;
  readonly #assignor: ConsumerPartitionAssignor;
  readonly #members: readonly MemberSubscription[];

  /** @throws DecodeError where a member says of itself what no consumer does */
  constructor(assignor: ConsumerPartitionAssignor, members: JoinGroupResponse["members"]) {
    this.#assignor = assignor;
    this.#members = members
      .map(({ memberId, groupInstanceId, metadata }) => ({
        memberId,
        groupInstanceId,
        ...decodeSubscription(metadata),
      }))
      .sort((one, other) => (one.memberId < other.memberId ? -1 : 1));
    this.topics = new Set(this.#members.flatMap(({ topics }) => topics));
    this.dependsOnRacks = this.#members.some(({ rackId }) => rackId !== null);
  }

  decide(cluster: ClusterSnapshot): readonly EncodedAssignment[] {
    const topics = assignable(cluster, this.topics);
    const given = this.#checked(this.#assigned(topics), topics);
    const byMember = new Map(given.map((assignment) => [assignment.memberId, assignment]));
    return this.#members.map(({ memberId }) => {
      const { partitions = [], userData = null } = byMember.get(memberId) ?? {};
      return { memberId, assignment: encodeAssignment(partitions, userData) };
    });
  }

  #assigned(topics: AssignableTopics): ReturnType<ConsumerPartitionAssignor["assign"]> {
    try {
      return this.#assignor.assign(topics, this.#members);
    } catch (cause) {
      throw this.#defect("threw", cause);
    }
  }

  /** What two members read at once, or nobody has, is worse than a rebalance that fails. */
  #checked(given: ReturnType<ConsumerPartitionAssignor["assign"]>, topics: AssignableTopics): typeof given {
    const members = new Map(this.#members.map((member) => [member.memberId, member]));
    const owners = new Map<string, string>();
    for (const { memberId, partitions } of given) {
      const member = members.get(memberId);
      if (member === undefined) throw this.#defect(`gave something to ${memberId}, which is no member`);
      const wanted = new Set(member.topics);
      for (const partition of partitions) {
        const key = partitionText(partition);
        const isThere = topics.get(partition.topic)?.[partition.partition] !== undefined;
        if (!isThere || !wanted.has(partition.topic)) {
          throw this.#defect(
            `gave ${key} to ${memberId}, ${isThere ? "which did not subscribe to it" : "and there is none"}`,
          );
        }
        const owner = owners.get(key);
        if (owner !== undefined) throw this.#defect(`gave ${key} to both ${owner} and ${memberId}`);
        owners.set(key, memberId);
      }
    }
    this.#checkCooperation(owners);
    return given;
  }

  /** In a cooperative rebalance nobody gets what another has not given up yet (KIP-429). */
  #checkCooperation(owners: ReadonlyMap<string, string>): void {
    if (this.#assignor.protocols?.includes("cooperative") !== true) return;
    for (const [key, holder] of this.#holders()) {
      const owner = owners.get(key) ?? holder;
      if (holder !== null && owner !== holder)
        throw this.#defect(`gave ${key} to ${owner} before ${holder} gave it up`);
    }
  }

  /** Who holds each partition; `null` where two say so, of whom the assignor must decide. */
  #holders(): Map<string, string | null> {
    const holders = new Map<string, string | null>();
    // Claims of an older generation are of one that missed a rebalance, and lost them in it.
    const newest = Math.max(...this.#members.map(({ generationId }) => generationId));
    for (const { memberId, generationId, ownedPartitions } of this.#members) {
      if (generationId < newest) continue;
      for (const key of ownedPartitions.map(partitionText)) holders.set(key, holders.has(key) ? null : memberId);
    }
    return holders;
  }

  #defect(what: string, cause?: unknown): KafkaError {
    return new KafkaError(`the assignor ${this.#assignor.name} ${what}`, { code: "ASSIGNOR", cause });
  }
}
