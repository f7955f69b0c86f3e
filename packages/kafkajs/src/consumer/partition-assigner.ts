import type { RawPartitionAssignor } from "odradek";
import { AssignerProtocol } from "../assigner-protocol.ts";
import type { Logger } from "../logger.ts";
import type { AssignerCluster, Cluster } from "./assigner-cluster.ts";

/** A member, and what its assigner's `protocol` said of it. */
export interface GroupMember {
  memberId: string;
  memberMetadata: Buffer;
}

export interface GroupMemberAssignment {
  memberId: string;
  /** As `AssignerProtocol.MemberAssignment` encodes it. */
  memberAssignment: Buffer;
}

/** What a member says of itself. */
export interface GroupState {
  name: string;
  /** As `AssignerProtocol.MemberMetadata` encodes it. */
  metadata: Buffer;
}

/** Decides which member of a group reads what. */
export interface Assigner {
  /** The members of a group settle on one that all of them have. */
  name: string;
  version: number;
  /** Called on one of the members, which decides for all. @param group `topics` are those that this member subscribed to */
  assign(group: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]>;
  /** Called whenever the member joins. */
  protocol(subscription: { topics: string[] }): GroupState;
}

/** Makes an assigner, once for each consumer. */
export type PartitionAssigner = (config: { cluster: Cluster; groupId: string; logger: Logger }) => Assigner;

/** An assigner as the layer below takes it. */
export class AssignerOfGroup implements RawPartitionAssignor {
  readonly name: string;
  readonly #assigner: Assigner;
  readonly #cluster: AssignerCluster;
  /** What this member subscribed to, as it last joined. */
  #topics: readonly string[] = [];

  constructor(assigner: Assigner, cluster: AssignerCluster) {
    this.name = assigner.name;
    this.#assigner = assigner;
    this.#cluster = cluster;
  }

  metadata(topics: readonly string[]): Uint8Array {
    this.#topics = topics;
    return this.#assigner.protocol({ topics: [...topics] }).metadata;
  }

  /** A member whose metadata is of another kind is taken to read what this one does. */
  topicsOf(metadata: Buffer): readonly string[] {
    return topicsOfMember(metadata) ?? this.#topics;
  }

  async assignRaw(
    ...[topics, members]: Parameters<RawPartitionAssignor["assignRaw"]>
  ): Promise<Awaited<ReturnType<RawPartitionAssignor["assignRaw"]>>> {
    this.#cluster.learn(topics);
    const given = await this.#assigner.assign({
      members: members.map(({ memberId, metadata }) => ({ memberId, memberMetadata: metadata })),
      topics: [...this.#topics],
    });
    return given.map(({ memberId, memberAssignment }) => ({ memberId, assignment: memberAssignment }));
  }
}

/** What a member subscribed to; `null` where its metadata does not say. */
export function topicsOfMember(metadata: Buffer): readonly string[] | null {
  try {
    return AssignerProtocol.MemberMetadata.decode(metadata)?.topics ?? null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
