import { type BrokerErrorName, decodeBlob } from "@odradek/protocol";
import { ConsumerProtocolSubscription } from "@odradek/protocol/messages/consumer-protocol";
import { ClassicMember, type MemberProtocol, type MemberSettings } from "./classic-member.ts";
import { GroupError } from "./group-error.ts";

/** Who is in a classic group: the members in the order in which they joined, their leader, and what they agree on. */
export class ClassicMembers implements Iterable<ClassicMember> {
  readonly #members = new Map<string, ClassicMember>();
  /** Member id of each static member. */
  readonly #staticMembers = new Map<string, string>();
  #leaderId: string | null = null;

  get size(): number {
    return this.#members.size;
  }

  /** `null` while there is nobody. */
  get leaderId(): string | null {
    return this.#leaderId;
  }

  /** A list of its own: members may come and go while it is walked through. */
  all(): ClassicMember[] {
    return [...this.#members.values()];
  }

  [Symbol.iterator](): Iterator<ClassicMember> {
    return this.all()[Symbol.iterator]();
  }

  get(memberId: string): ClassicMember | undefined {
    return this.#members.get(memberId);
  }

  /** The static member of this name. */
  named(instanceId: string): ClassicMember | undefined {
    return this.#members.get(this.#staticMembers.get(instanceId) ?? "");
  }

  /** The first one leads. */
  add(member: ClassicMember): void {
    const { memberId, settings } = member;
    this.#members.set(memberId, member);
    if (settings.groupInstanceId !== null) this.#staticMembers.set(settings.groupInstanceId, memberId);
    this.#leaderId ??= memberId;
  }

  remove({ memberId, settings }: ClassicMember): void {
    this.#members.delete(memberId);
    const { groupInstanceId } = settings;
    if (groupInstanceId !== null && this.#staticMembers.get(groupInstanceId) === memberId) {
      this.#staticMembers.delete(groupInstanceId);
    }
    if (this.#leaderId === memberId) this.#leaderId = this.all()[0]?.memberId ?? null;
  }

  /** Puts a member in the place of another, with its share and its lead. */
  replace(old: ClassicMember, memberId: string, settings: MemberSettings): ClassicMember {
    const member = new ClassicMember(memberId, settings);
    member.assignment = old.assignment;
    const members = this.all().map((each) => (each === old ? member : each));
    const wasLeader = this.#leaderId === old.memberId;
    this.#members.clear();
    for (const each of members) this.add(each);
    if (wasLeader) this.#leaderId = memberId;
    return member;
  }

  /** Has the first of those that joined lead, where the leader did not join. */
  electJoinedLeader(): void {
    if (this.#members.get(this.#leaderId ?? "")?.isAwaitingJoin === true) return;
    const joined = this.all().find(({ isAwaitingJoin }) => isAwaitingJoin);
    if (joined !== undefined) this.#leaderId = joined.memberId;
  }

  /** Why there is no such member; `null` where there is. */
  refusalOf(memberId: string, groupInstanceId: string | null): BrokerErrorName | null {
    if (groupInstanceId !== null) {
      const known = this.#staticMembers.get(groupInstanceId);
      if (known === undefined) return "UNKNOWN_MEMBER_ID";
      if (known !== memberId) return "FENCED_INSTANCE_ID";
    }
    return this.#members.has(memberId) ? null : "UNKNOWN_MEMBER_ID";
  }

  /** @throws GroupError where there is no such member */
  identified(memberId: string, groupInstanceId: string | null): ClassicMember {
    const refused = this.refusalOf(memberId, groupInstanceId);
    const member = this.#members.get(memberId);
    if (refused !== null || member === undefined) throw new GroupError(refused ?? "UNKNOWN_MEMBER_ID");
    return member;
  }

  /** Whether all members know one of these protocols. */
  supportOneOf(protocols: readonly MemberProtocol[]): boolean {
    return protocols.some(({ name }) => this.all().every((member) => member.supports(name)));
  }

  /** Of the protocols that all members know, the one that most of them like best. */
  selectedProtocol(): string {
    const members = this.all();
    const candidates = (members[0]?.settings.protocols ?? [])
      .map(({ name }) => name)
      .filter((name) => members.every((member) => member.supports(name)));
    const votes = new Map(candidates.map((name) => [name, 0]));
    for (const { settings } of members) {
      const vote = settings.protocols.find(({ name }) => votes.has(name))?.name;
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
    }
    return candidates.reduce(
      (best, name) => ((votes.get(name) ?? 0) > (votes.get(best) ?? 0) ? name : best),
      candidates[0] ?? "",
    );
  }

  /** Whether one of them reads the topic, in the words of the consumer protocol. */
  isSubscribedTo(topic: string, protocol: string): boolean {
    return this.all().some((member) => topicsIn(member.metadataOf(protocol)).includes(topic));
  }
}

function topicsIn(metadata: Buffer): readonly string[] {
  try {
    return decodeBlob(ConsumerProtocolSubscription, metadata).topics;
  } catch {
    return [];
  }
}
