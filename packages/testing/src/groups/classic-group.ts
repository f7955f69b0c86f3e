import { randomUUID } from "node:crypto";
import { type BrokerErrorName, decodeBlob } from "@odradek/protocol";
import { ConsumerProtocolSubscription } from "@odradek/protocol/messages/consumer-protocol";
import type { Clock, Timer } from "../clock.ts";
import type { GroupSettings } from "../cluster-options.ts";
import { State } from "../state.ts";
import {
  ClassicMember,
  type JoinResult,
  joinRefused,
  type MemberSettings,
  noAssignment,
  type SyncResult,
  syncRefused,
} from "./classic-member.ts";
import { GroupError } from "./group-error.ts";

/**
 * `Empty` has no members, at most offsets. `PreparingRebalance` waits for all members to join. `CompletingRebalance` waits
 * for the leader to bring the assignments. `Stable` has them. `Dead` was deleted.
 */
type ClassicGroupState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead";

const arrows: Readonly<Record<ClassicGroupState, readonly ClassicGroupState[]>> = {
  Empty: ["PreparingRebalance", "Dead"],
  PreparingRebalance: ["CompletingRebalance", "Empty", "Dead"],
  CompletingRebalance: ["PreparingRebalance", "Stable", "Dead"],
  Stable: ["PreparingRebalance", "Dead"],
  Dead: [],
};

export interface JoinRequest extends MemberSettings {
  /** Empty for a member that is new. */
  readonly memberId: string;
  readonly protocolType: string;
  /** Whether a new member has to join again with the id that it is given, from version 4 on. */
  readonly requiresKnownMemberId: boolean;
  /** Whether it understands that it has nothing to assign, from version 9 on. */
  readonly canSkipAssignment: boolean;
}

/** Who a request says it is from. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

/**
 * A group of the classic protocol: members join, one of them divides the partitions, all of them get their share.
 *
 * @see ClassicGroup, GroupMetadataManager (apache/kafka)
 */
export class ClassicGroup {
  readonly #clock: Clock;
  readonly #settings: GroupSettings;
  readonly #state = new State<ClassicGroupState>("Empty", arrows);
  /** In the order in which they joined. */
  readonly #members = new Map<string, ClassicMember>();
  /** Member id of each static member. */
  readonly #staticMembers = new Map<string, string>();
  /** Ids that were given to members which have not joined with them yet. */
  readonly #pendingMembers = new Map<string, Timer>();
  #generationId = 0;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  #leaderId: string | null = null;
  /** Ends the wait for members to join, or to ask for their assignment. */
  #rebalance: Timer | null = null;
  /** Whether the rebalance under way is the first of an empty group, which waits for more members to come. */
  #isInitial = false;

  constructor(clock: Clock, settings: GroupSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  get state(): ClassicGroupState {
    return this.#state.now;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#pendingMembers.size === 0;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get protocolType(): string {
    return this.#protocolType ?? "";
  }

  /** The assignor in use; empty unless the group is stable. */
  get protocolName(): string {
    return this.#state.is("Stable") ? (this.#protocolName ?? "") : "";
  }

  get members(): readonly ClassicMember[] {
    return [...this.#members.values()];
  }

  join(request: JoinRequest): JoinResult | Promise<JoinResult> {
    const { memberId, groupInstanceId, sessionTimeoutMs } = request;
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#settings;
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return joinRefused("INVALID_SESSION_TIMEOUT", memberId);
    }
    if (!this.#supports(request)) return joinRefused("INCONSISTENT_GROUP_PROTOCOL", memberId);
    if (memberId !== "") return this.#joinKnown(request);
    if (groupInstanceId !== null) return this.#joinStatic(request, groupInstanceId);
    const newId = `${request.clientId}-${randomUUID()}`;
    if (request.requiresKnownMemberId) {
      this.#expect(newId, sessionTimeoutMs);
      return joinRefused("MEMBER_ID_REQUIRED", newId);
    }
    return this.#add(newId, request);
  }

  sync(
    identity: MemberIdentity,
    protocol: { readonly type: string | null; readonly name: string | null },
    assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[],
  ): SyncResult | Promise<SyncResult> {
    const member = this.#identified(identity);
    this.#checkGeneration(identity.generationId);
    const isOther = (said: string | null, own: string | null) => said !== null && own !== null && said !== own;
    if (isOther(protocol.type, this.#protocolType) || isOther(protocol.name, this.#protocolName)) {
      return syncRefused("INCONSISTENT_GROUP_PROTOCOL");
    }
    switch (this.#state.now) {
      case "PreparingRebalance":
        return syncRefused("REBALANCE_IN_PROGRESS");
      case "Stable":
        this.#keepAlive(member);
        return this.#synced(member);
      case "CompletingRebalance": {
        const answer = member.awaitSync();
        this.#keepAlive(member);
        if (member.memberId === this.#leaderId) this.#assign(assignments);
        return answer;
      }
      default:
        return syncRefused("UNKNOWN_MEMBER_ID");
    }
  }

  /** @throws GroupError */
  heartbeat(identity: MemberIdentity): BrokerErrorName | null {
    const member = this.#identified(identity);
    this.#checkGeneration(identity.generationId);
    this.#keepAlive(member);
    return this.#state.is("PreparingRebalance") ? "REBALANCE_IN_PROGRESS" : null;
  }

  /** @throws GroupError */
  leave(identity: { readonly memberId: string; readonly groupInstanceId: string | null }): void {
    const pending = this.#pendingMembers.get(identity.memberId);
    if (pending !== undefined) {
      this.#unexpect(identity.memberId);
      this.#maybeCompleteJoin();
      return;
    }
    const memberId =
      identity.memberId === "" && identity.groupInstanceId !== null
        ? (this.#staticMembers.get(identity.groupInstanceId) ?? "")
        : identity.memberId;
    this.#remove(this.#identified({ ...identity, memberId }));
  }

  /** @throws GroupError where the commit does not come from a member of this generation */
  checkCommit(identity: MemberIdentity, isTransactional: boolean): void {
    const isFromOutside = identity.generationId < 0 && identity.memberId === "" && identity.groupInstanceId === null;
    if (isFromOutside) {
      // A producer that does not say which member it commits for is let through (KIP-447).
      if (this.#members.size > 0 && !isTransactional) throw new GroupError("UNKNOWN_MEMBER_ID");
      return;
    }
    const member = this.#identified(identity);
    this.#checkGeneration(identity.generationId);
    if (!isTransactional && this.#state.is("CompletingRebalance")) throw new GroupError("REBALANCE_IN_PROGRESS");
    this.#keepAlive(member);
  }

  /** Ends a member's session, as if it had been silent for too long. @returns whether there is such a member */
  expire(memberId: string): boolean {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#remove(member);
    return member !== undefined;
  }

  /** Whether a member reads the topic; `null` where members do not say, since they are no consumers. */
  isSubscribedTo(topic: string): boolean | null {
    const { protocolType } = this;
    if (this.#members.size === 0) return false;
    if (protocolType !== "consumer" || this.#protocolName === null) return null;
    const protocol = this.#protocolName;
    return this.members.some((member) => topicsIn(member.metadataOf(protocol)).includes(topic));
  }

  /** Answers all that wait, and sets no more timers. */
  close(): void {
    this.#rebalance?.cancel();
    for (const timer of this.#pendingMembers.values()) timer.cancel();
    for (const member of this.#members.values()) {
      member.session?.cancel();
      member.answerJoin(joinRefused("COORDINATOR_NOT_AVAILABLE", member.memberId));
      member.answerSync(syncRefused("COORDINATOR_NOT_AVAILABLE"));
    }
    this.#state.to("Dead");
  }

  #supports({ protocolType, protocols }: JoinRequest): boolean {
    if (this.#members.size === 0) return protocolType !== "" && protocols.length > 0;
    return (
      protocolType === this.#protocolType &&
      protocols.some(({ name }) => this.members.every((member) => member.supports(name)))
    );
  }

  #expect(memberId: string, sessionTimeoutMs: number): void {
    this.#pendingMembers.set(
      memberId,
      this.#clock.after(sessionTimeoutMs, () => {
        this.#unexpect(memberId);
        this.#maybeCompleteJoin();
      }),
    );
  }

  #unexpect(memberId: string): void {
    this.#pendingMembers.get(memberId)?.cancel();
    this.#pendingMembers.delete(memberId);
  }

  #joinKnown(request: JoinRequest): JoinResult | Promise<JoinResult> {
    const { memberId, groupInstanceId } = request;
    if (this.#pendingMembers.has(memberId)) {
      this.#unexpect(memberId);
      return this.#add(memberId, request);
    }
    const refused = this.#refusalOf(memberId, groupInstanceId);
    const member = this.#members.get(memberId);
    if (refused !== null || member === undefined) return joinRefused(refused ?? "UNKNOWN_MEMBER_ID", memberId);
    const isSame = member.hasProtocols(request.protocols);
    const isLeader = memberId === this.#leaderId;
    // A leader that joins again wants its topics divided anew.
    const keepsGeneration =
      isSame && (this.#state.is("CompletingRebalance") || (this.#state.is("Stable") && !isLeader));
    if (keepsGeneration) {
      this.#keepAlive(member);
      return this.#joined(member, false);
    }
    member.settings = request;
    return this.#rejoin(member);
  }

  /** A static member without an id has started again: it takes its place, and nothing is divided anew for that. */
  #joinStatic(request: JoinRequest, instanceId: string): JoinResult | Promise<JoinResult> {
    const memberId = `${instanceId}-${randomUUID()}`;
    const oldId = this.#staticMembers.get(instanceId);
    const old = oldId === undefined ? undefined : this.#members.get(oldId);
    if (old === undefined) return this.#add(memberId, request);
    const wasLeader = this.#leaderId === old.memberId;
    const member = this.#replace(old, memberId, request);
    if (!this.#state.is("Stable") || this.#selectedProtocol() !== this.#protocolName) return this.#rejoin(member);
    this.#keepAlive(member);
    if (!wasLeader) return this.#joined(member, false);
    if (request.canSkipAssignment) return this.#joined(member, true);
    // Told that another leads, an older client does not assign either.
    return { ...this.#joined(member, false), leader: old.memberId, members: [] };
  }

  #replace(old: ClassicMember, memberId: string, settings: MemberSettings): ClassicMember {
    old.session?.cancel();
    old.answerJoin(joinRefused("FENCED_INSTANCE_ID", old.memberId));
    old.answerSync(syncRefused("FENCED_INSTANCE_ID"));
    const member = new ClassicMember(memberId, settings);
    member.assignment = old.assignment;
    const members = this.members.map((each) => (each === old ? member : each));
    this.#members.clear();
    for (const each of members) this.#members.set(each.memberId, each);
    if (this.#leaderId === old.memberId) this.#leaderId = memberId;
    if (settings.groupInstanceId !== null) this.#staticMembers.set(settings.groupInstanceId, memberId);
    return member;
  }

  #add(memberId: string, request: JoinRequest): Promise<JoinResult> {
    const member = new ClassicMember(memberId, request);
    if (this.#members.size === 0) this.#protocolType = request.protocolType;
    this.#members.set(memberId, member);
    if (request.groupInstanceId !== null) this.#staticMembers.set(request.groupInstanceId, memberId);
    this.#leaderId ??= memberId;
    return this.#rejoin(member);
  }

  #rejoin(member: ClassicMember): Promise<JoinResult> {
    const answer = member.awaitJoin();
    // While it waits for the others it cannot be dead.
    member.session?.cancel();
    this.#prepareRebalance();
    return answer;
  }

  #remove(member: ClassicMember): void {
    member.session?.cancel();
    member.answerJoin(joinRefused("UNKNOWN_MEMBER_ID", member.memberId));
    member.answerSync(syncRefused("UNKNOWN_MEMBER_ID"));
    this.#forget(member);
    this.#prepareRebalance();
  }

  #forget({ memberId, settings }: ClassicMember): void {
    this.#members.delete(memberId);
    const { groupInstanceId } = settings;
    if (groupInstanceId !== null && this.#staticMembers.get(groupInstanceId) === memberId) {
      this.#staticMembers.delete(groupInstanceId);
    }
    if (this.#leaderId === memberId) this.#leaderId = this.members[0]?.memberId ?? null;
  }

  #prepareRebalance(): void {
    if (this.#state.is("Dead")) return;
    if (this.#state.is("PreparingRebalance")) {
      this.#maybeCompleteJoin();
      return;
    }
    for (const member of this.#members.values()) member.answerSync(syncRefused("REBALANCE_IN_PROGRESS"));
    this.#isInitial = this.#state.is("Empty");
    this.#state.to("PreparingRebalance");
    this.#rebalance?.cancel();
    const rebalanceTimeoutMs = Math.max(0, ...this.members.map(({ settings }) => settings.rebalanceTimeoutMs));
    const { initialRebalanceDelayMs } = this.#settings;
    const waitMs = this.#isInitial ? Math.min(initialRebalanceDelayMs, rebalanceTimeoutMs) : rebalanceTimeoutMs;
    if (this.#isInitial && waitMs === 0) this.#completeJoin();
    else this.#rebalance = this.#clock.after(waitMs, () => this.#completeJoin());
    this.#maybeCompleteJoin();
  }

  #maybeCompleteJoin(): void {
    if (!this.#state.is("PreparingRebalance")) return;
    // The first members of a group wait for those that come a moment later.
    if (this.#isInitial && this.#members.size > 0) return;
    if (this.#pendingMembers.size > 0 && this.#members.size > 0) return;
    if (this.members.every(({ isAwaitingJoin }) => isAwaitingJoin)) this.#completeJoin();
  }

  #completeJoin(): void {
    this.#rebalance?.cancel();
    this.#rebalance = null;
    for (const member of this.members) {
      // A static member may be on its way back; its session decides.
      if (member.isAwaitingJoin || member.settings.groupInstanceId !== null) continue;
      member.session?.cancel();
      this.#forget(member);
    }
    this.#electJoinedLeader();
    this.#generationId += 1;
    if (this.#members.size === 0) {
      this.#protocolName = null;
      this.#leaderId = null;
      this.#state.to("Empty");
      return;
    }
    this.#protocolName = this.#selectedProtocol();
    this.#state.to("CompletingRebalance");
    for (const member of this.members) {
      member.assignment = noAssignment;
      if (!member.isAwaitingJoin) continue;
      this.#keepAlive(member);
      member.answerJoin(this.#joined(member, false));
    }
    const waitMs = Math.max(...this.members.map(({ settings }) => settings.rebalanceTimeoutMs));
    this.#rebalance = this.#clock.after(waitMs, () => this.#onSyncTimeout());
  }

  #electJoinedLeader(): void {
    const leader = this.#members.get(this.#leaderId ?? "");
    if (leader?.isAwaitingJoin === true) return;
    const joined = this.members.find(({ isAwaitingJoin }) => isAwaitingJoin);
    if (joined !== undefined) this.#leaderId = joined.memberId;
  }

  /** Members that joined and never asked for their assignment are gone. */
  #onSyncTimeout(): void {
    if (!this.#state.is("CompletingRebalance")) return;
    for (const member of this.members) if (!member.isAwaitingSync) this.#remove(member);
  }

  #assign(assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]): void {
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
    this.#rebalance?.cancel();
    this.#rebalance = null;
    this.#state.to("Stable");
    for (const member of this.#members.values()) {
      member.assignment = given.get(member.memberId) ?? noAssignment;
      if (!member.isAwaitingSync) continue;
      this.#keepAlive(member);
      member.answerSync(this.#synced(member));
    }
  }

  #joined(member: ClassicMember, skipAssignment: boolean): JoinResult {
    const protocolName = this.#protocolName ?? "";
    const isLeader = member.memberId === this.#leaderId;
    return {
      error: null,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName,
      leader: this.#leaderId ?? "",
      skipAssignment,
      memberId: member.memberId,
      members: isLeader
        ? this.members.map((each) => ({
            memberId: each.memberId,
            groupInstanceId: each.settings.groupInstanceId,
            metadata: each.metadataOf(protocolName),
          }))
        : [],
    };
  }

  #synced(member: ClassicMember): SyncResult {
    const { assignment } = member;
    return { error: null, protocolType: this.#protocolType, protocolName: this.#protocolName, assignment };
  }

  /** Of the protocols that all members know, the one that most of them like best. */
  #selectedProtocol(): string {
    const [first] = this.members;
    const candidates = (first?.settings.protocols ?? [])
      .map(({ name }) => name)
      .filter((name) => this.members.every((member) => member.supports(name)));
    const votes = new Map(candidates.map((name) => [name, 0]));
    for (const { settings } of this.#members.values()) {
      const vote = settings.protocols.find(({ name }) => votes.has(name))?.name;
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
    }
    return candidates.reduce(
      (best, name) => ((votes.get(name) ?? 0) > (votes.get(best) ?? 0) ? name : best),
      candidates[0] ?? "",
    );
  }

  #keepAlive(member: ClassicMember): void {
    member.session?.cancel();
    member.session = this.#clock.after(member.settings.sessionTimeoutMs, () => {
      if (this.#members.get(member.memberId) === member) this.#remove(member);
    });
  }

  #refusalOf(memberId: string, groupInstanceId: string | null): BrokerErrorName | null {
    if (groupInstanceId !== null) {
      const known = this.#staticMembers.get(groupInstanceId);
      if (known === undefined) return "UNKNOWN_MEMBER_ID";
      if (known !== memberId) return "FENCED_INSTANCE_ID";
    }
    return this.#members.has(memberId) ? null : "UNKNOWN_MEMBER_ID";
  }

  #identified({ memberId, groupInstanceId }: Pick<MemberIdentity, "memberId" | "groupInstanceId">): ClassicMember {
    const refused = this.#refusalOf(memberId, groupInstanceId);
    const member = this.#members.get(memberId);
    if (refused !== null || member === undefined) throw new GroupError(refused ?? "UNKNOWN_MEMBER_ID");
    return member;
  }

  #checkGeneration(generationId: number): void {
    if (generationId !== this.#generationId) throw new GroupError("ILLEGAL_GENERATION");
  }
}

function topicsIn(metadata: Buffer): readonly string[] {
  try {
    return decodeBlob(ConsumerProtocolSubscription, metadata).topics;
  } catch {
    return [];
  }
}
