import { type ClusterSnapshot, OptionsError, type TopicSnapshot } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import type { JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import type { Division, EncodedAssignment } from "./division.ts";
import type { RawAssignment, RawMember, RawPartitionAssignor } from "./raw-partition-assignor.ts";

/** What an assignor decides that has bytes of its own. Of what it gives only who it is for is looked at. */
export class RawDivision implements Division {
  readonly topics: ReadonlySet<string>;
  readonly dependsOnRacks = false;
  readonly #assignor: RawPartitionAssignor;
  readonly #members: readonly RawMember[];

  /** @throws what the assignor throws of what a member says of itself */
  constructor(assignor: RawPartitionAssignor, members: JoinGroupResponse["members"]) {
    this.#assignor = assignor;
    this.#members = members
      .map(({ memberId, metadata }) => ({ memberId, metadata }))
      .sort((one, other) => (one.memberId < other.memberId ? -1 : 1));
    this.topics = new Set(this.#members.flatMap(({ metadata }) => assignor.topicsOf(metadata)));
  }

  async decide({ topics }: ClusterSnapshot): Promise<readonly EncodedAssignment[]> {
    const known = [...this.topics].flatMap((name) => topics.get(name) ?? []);
    const given = await this.#assigned(new Map(known.map((topic) => [topic.name, topic])));
    if (!Array.isArray(given)) throw this.#defect("gave what is no array");
    const members = new Set(this.#members.map(({ memberId }) => memberId));
    for (const { memberId, assignment } of given) {
      if (!members.has(memberId)) throw this.#defect(`gave something to ${memberId}, which is no member`);
      if (!(assignment instanceof Uint8Array)) throw this.#defect(`gave ${memberId} what are no bytes`);
    }
    const byMember = new Map(given.map(({ memberId, assignment }) => [memberId, bufferOf(assignment)]));
    return this.#members.map(({ memberId }) => ({ memberId, assignment: byMember.get(memberId) ?? nothing }));
  }

  async #assigned(topics: ReadonlyMap<string, TopicSnapshot>): Promise<readonly RawAssignment[]> {
    try {
      return await this.#assignor.assignRaw(topics, this.#members);
    } catch (cause) {
      throw this.#defect("threw", cause);
    }
  }

  #defect(what: string, cause?: unknown): KafkaError {
    return new KafkaError(`the assignor ${this.#assignor.name} ${what}`, { code: "ASSIGNOR", cause });
  }
}

const nothing = Buffer.alloc(0);

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What a member says of itself to an assignor. @throws OptionsError where that gives no bytes */
export function rawMetadata(assignor: RawPartitionAssignor, topics: readonly string[]): Buffer {
  const metadata = assignor.metadata(topics);
  if (metadata instanceof Uint8Array) return bufferOf(metadata);
  throw new OptionsError(`partitionAssignmentStrategy: ${assignor.name}.metadata()`, metadata, "bytes");
}
