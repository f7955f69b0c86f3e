import { randomUUID } from "node:crypto";
import type { BrokerErrorName } from "@odradek/protocol";
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
import { ClassicMembers } from "./classic-members.ts";
import { GroupError } from "./group-error.ts";
import { PendingMembers } from "./pending-members.ts";

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
  readonly #members = new ClassicMembers();
  readonly #pendingMembers: PendingMembers;
  #generationId = 0;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  /** When the last member went; `null` before there was one. */
  #emptySinceMs: number | null = null;
  /** Ends the wait for members to join, or to ask for their assignment. */
  #rebalance: Timer | null = null;
  /** Whether the rebalance under way is the first of an empty group, which waits for more members to come. */
  #isInitial = false;

  constructor(clock: Clock, settings: GroupSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#pendingMembers = new PendingMembers(clock, () => this.#maybeCompleteJoin());
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
    return this.#members.all();
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
      this.#pendingMembers.expect(newId, sessionTimeoutMs);
      return joinRefused("MEMBER_ID_REQUIRED", newId);
    }
    return this.#add(newId, request);
  }

  sync(
    identity: MemberIdentity,
    protocol: { readonly type: string | null; readonly name: string | null },
    assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[],
  ): SyncResult | Promise<SyncResult> {
    const member = this.#current(identity);
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
        if (member.memberId === this.#members.leaderId) this.#assign(assignments);
        return answer;
      }
      default:
        return syncRefused("UNKNOWN_MEMBER_ID");
    }
  }

  /** @throws GroupError */
  heartbeat(identity: MemberIdentity): BrokerErrorName | null {
    this.#keepAlive(this.#current(identity));
    return this.#state.is("PreparingRebalance") ? "REBALANCE_IN_PROGRESS" : null;
  }

  /** @throws GroupError */
  leave(identity: { readonly memberId: string; readonly groupInstanceId: string | null }): void {
    if (this.#pendingMembers.forget(identity.memberId)) {
      this.#maybeCompleteJoin();
      return;
    }
    const { groupInstanceId } = identity;
    const named = groupInstanceId === null ? undefined : this.#members.named(groupInstanceId);
    const memberId = identity.memberId === "" ? (named?.memberId ?? "") : identity.memberId;
    this.#remove(this.#members.identified(memberId, groupInstanceId));
  }

  /**
   * @throws GroupError where the commit does not come from a member of this generation
   * @see ClassicGroup.validateOffsetCommit (apache/kafka)
   */
  checkCommit(identity: MemberIdentity, isTransactional: boolean): void {
    const { generationId, memberId, groupInstanceId } = identity;
    // Whoever assigns partitions itself may keep offsets in a group that nobody is in.
    if (generationId < 0 && this.#members.size === 0) return;
    if (generationId < 0 && memberId === "" && groupInstanceId === null) {
      // A producer that does not say which member it commits for is let through (KIP-447).
      if (isTransactional) return;
      throw new GroupError("UNKNOWN_MEMBER_ID");
    }
    const member = this.#current(identity);
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
    return this.#members.isSubscribedTo(topic, this.#protocolName);
  }

  /**
   * From when on the retention of an offset counts: once nobody is in the group, from then on.
   *
   * @returns `null` where offsets are kept
   * @see ClassicGroup.offsetExpirationCondition (apache/kafka)
   */
  expirationBase(commitTimestampMs: number): number | null {
    if (this.#protocolType === null) return commitTimestampMs;
    if (this.#state.is("Empty")) return this.#emptySinceMs ?? commitTimestampMs;
    return this.#state.is("Stable") ? commitTimestampMs : null;
  }

  /** Sends those that wait to another coordinator, which goes on with the group as it is. */
  resign(): void {
    for (const member of this.#members) {
      if (!member.isAwaitingJoin && !member.isAwaitingSync) continue;
      member.answerJoin(joinRefused("NOT_COORDINATOR", member.memberId));
      member.answerSync(syncRefused("NOT_COORDINATOR"));
      this.#keepAlive(member);
    }
  }

  /** Answers all that wait, and sets no more timers. */
  close(): void {
    this.#rebalance?.cancel();
    this.#pendingMembers.close();
    for (const member of this.#members) {
      member.session?.cancel();
      member.answerJoin(joinRefused("COORDINATOR_NOT_AVAILABLE", member.memberId));
      member.answerSync(syncRefused("COORDINATOR_NOT_AVAILABLE"));
    }
    this.#state.to("Dead");
  }

  #supports({ protocolType, protocols }: JoinRequest): boolean {
    if (this.#members.size === 0) return protocolType !== "" && protocols.length > 0;
    return protocolType === this.#protocolType && this.#members.supportOneOf(protocols);
  }

  #joinKnown(request: JoinRequest): JoinResult | Promise<JoinResult> {
    const { memberId, groupInstanceId } = request;
    if (this.#pendingMembers.forget(memberId)) return this.#add(memberId, request);
    const refused = this.#members.refusalOf(memberId, groupInstanceId);
    const member = this.#members.get(memberId);
    if (refused !== null || member === undefined) return joinRefused(refused ?? "UNKNOWN_MEMBER_ID", memberId);
    const isSame = member.hasProtocols(request.protocols);
    const isLeader = memberId === this.#members.leaderId;
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
    const old = this.#members.named(instanceId);
    if (old === undefined) return this.#add(memberId, request);
    const wasLeader = this.#members.leaderId === old.memberId;
    old.session?.cancel();
    old.answerJoin(joinRefused("FENCED_INSTANCE_ID", old.memberId));
    old.answerSync(syncRefused("FENCED_INSTANCE_ID"));
    const member = this.#members.replace(old, memberId, request);
    if (!this.#state.is("Stable") || this.#members.selectedProtocol() !== this.#protocolName)
      return this.#rejoin(member);
    this.#keepAlive(member);
    if (!wasLeader) return this.#joined(member, false);
    if (request.canSkipAssignment) return this.#joined(member, true);
    // Told that another leads, an older client does not assign either.
    return { ...this.#joined(member, false), leader: old.memberId, members: [] };
  }

  #add(memberId: string, request: JoinRequest): Promise<JoinResult> {
    const member = new ClassicMember(memberId, request);
    if (this.#members.size === 0) this.#protocolType = request.protocolType;
    this.#members.add(member);
    return this.#rejoin(member);
  }

  #rejoin(member: ClassicMember): Promise<JoinResult> {
    const answer = member.awaitJoin();
    this.#prepareRebalance();
    return answer;
  }

  #remove(member: ClassicMember): void {
    member.session?.cancel();
    member.answerJoin(joinRefused("UNKNOWN_MEMBER_ID", member.memberId));
    member.answerSync(syncRefused("UNKNOWN_MEMBER_ID"));
    this.#members.remove(member);
    this.#prepareRebalance();
  }

  #prepareRebalance(): void {
    if (this.#state.is("Dead")) return;
    if (this.#state.is("PreparingRebalance")) {
      this.#maybeCompleteJoin();
      return;
    }
    for (const member of this.#members) {
      if (!member.isAwaitingSync) continue;
      member.answerSync(syncRefused("REBALANCE_IN_PROGRESS"));
      this.#keepAlive(member);
    }
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
      this.#members.remove(member);
    }
    this.#members.electJoinedLeader();
    this.#generationId += 1;
    if (this.#members.size === 0) {
      this.#protocolName = null;
      this.#emptySinceMs = this.#clock.now();
      this.#state.to("Empty");
      return;
    }
    this.#protocolName = this.#members.selectedProtocol();
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

  /** Members that joined and never asked for their assignment are gone. */
  #onSyncTimeout(): void {
    if (!this.#state.is("CompletingRebalance")) return;
    // All of them are told apart before the first one goes: then nobody awaits anything any more.
    const late = this.members.filter(({ isAwaitingSync }) => !isAwaitingSync);
    for (const member of late) this.#remove(member);
  }

  #assign(assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]): void {
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
    this.#rebalance?.cancel();
    this.#rebalance = null;
    this.#state.to("Stable");
    for (const member of this.#members) {
      member.assignment = given.get(member.memberId) ?? noAssignment;
      if (!member.isAwaitingSync) continue;
      this.#keepAlive(member);
      member.answerSync(this.#synced(member));
    }
  }

  #joined(member: ClassicMember, skipAssignment: boolean): JoinResult {
    const protocolName = this.#protocolName ?? "";
    const isLeader = member.memberId === this.#members.leaderId;
    return {
      error: null,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName,
      leader: this.#members.leaderId ?? "",
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

  #keepAlive(member: ClassicMember): void {
    member.session?.cancel();
    member.session = this.#clock.after(member.settings.sessionTimeoutMs, () => {
      // Whoever waits for an answer cannot be expected to say anything; its time begins anew with the answer.
      if (member.isAwaitingJoin || member.isAwaitingSync) return;
      if (this.#members.get(member.memberId) === member) this.#remove(member);
    });
  }

  /** @throws GroupError where the request is not from a member of this generation */
  #current({ memberId, groupInstanceId, generationId }: MemberIdentity): ClassicMember {
    const member = this.#members.identified(memberId, groupInstanceId);
    if (generationId !== this.#generationId) throw new GroupError("ILLEGAL_GENERATION");
    return member;
  }
}
