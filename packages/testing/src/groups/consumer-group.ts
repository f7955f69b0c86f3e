import type { Clock } from "../clock.ts";
import type { GroupSettings } from "../cluster-options.ts";
import { randomUuid } from "../topics/topic.ts";
import type { Topics } from "../topics/topics.ts";
import { ConsumerMember } from "./consumer-member.ts";
import { GroupError } from "./group-error.ts";
import {
  type AssignorTopic,
  defaultServerAssignor,
  type PartitionKey,
  partitionKey,
  serverAssignors,
} from "./server-assignors.ts";

/** Epochs by which a member says that it comes or goes; below `joinEpoch` it goes, for good unless it is static. */
const joinEpoch = 0;
const leaveStaticEpoch = -2;

export interface ConsumerHeartbeat {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopicNames: readonly string[] | null;
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  readonly topicPartitions: readonly { readonly topicId: string; readonly partitions: readonly number[] }[] | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface HeartbeatResult {
  readonly memberId: string;
  readonly memberEpoch: number;
  /** `null` where nothing changed. */
  readonly assignment: readonly { readonly topicId: string; readonly partitions: number[] }[] | null;
}

/** Partitions as the messages have them. */
export function byTopicId(keys: Iterable<PartitionKey>): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const key of keys) {
    const [topicId = "", index] = key.split(":");
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(index)]);
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }));
}

const isSameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((item) => b.has(item));

/**
 * A group of the consumer protocol (KIP-848): the coordinator divides the partitions, and each member is led to its share
 * in steps, heartbeat by heartbeat.
 *
 * @see ConsumerGroup, GroupMetadataManager.consumerGroupHeartbeat (apache/kafka)
 */
export class ConsumerGroup {
  readonly #clock: Clock;
  readonly #topics: Topics;
  readonly #settings: GroupSettings;
  readonly #members = new Map<string, ConsumerMember>();
  /** Member id of each static member. */
  readonly #staticMembers = new Map<string, string>();
  #epoch = 0;
  #targetEpoch = 0;
  /** The subscribed topics as they were when the target was made. */
  #seenTopics = "";

  constructor(clock: Clock, topics: Topics, settings: GroupSettings) {
    this.#clock = clock;
    this.#topics = topics;
    this.#settings = settings;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get targetEpoch(): number {
    return this.#targetEpoch;
  }

  get members(): readonly ConsumerMember[] {
    return [...this.#members.values()];
  }

  get state(): "Empty" | "Assigning" | "Reconciling" | "Stable" {
    if (this.isEmpty) return "Empty";
    if (this.#epoch > this.#targetEpoch) return "Assigning";
    const isThere = ({ state, epoch }: ConsumerMember) => state === "stable" && epoch === this.#targetEpoch;
    return this.members.every(isThere) ? "Stable" : "Reconciling";
  }

  /** What most members ask for. */
  get assignorName(): string {
    const votes = this.members.flatMap(({ serverAssignor }) => serverAssignor ?? []);
    const countOf = (name: string) => votes.filter((vote) => vote === name).length;
    return votes.reduce(
      (best, name) => (countOf(name) > countOf(best) ? name : best),
      votes[0] ?? defaultServerAssignor,
    );
  }

  /** @throws GroupError */
  heartbeat(request: ConsumerHeartbeat): HeartbeatResult {
    if (request.memberEpoch < joinEpoch) return this.#leave(request);
    const member = this.#memberOf(request);
    const before = member.assigned;
    const isJoin = request.memberEpoch === joinEpoch;
    if (this.#subscribe(member, request)) this.#epoch += 1;
    this.#keepTargetUpToDate();
    const owned =
      request.topicPartitions === null
        ? null
        : new Set(
            request.topicPartitions.flatMap(({ topicId, partitions }) =>
              partitions.map((index) => partitionKey(topicId, index)),
            ),
          );
    member.reconcile({ epoch: this.#targetEpoch, partitions: member.target }, owned, (key) =>
      this.#isFree(key, member),
    );
    this.#keepAlive(member);
    const isFull =
      request.rebalanceTimeoutMs >= 0 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      request.topicPartitions !== null;
    const isTold = isJoin || isFull || !isSameSet(before, member.assigned);
    return {
      memberId: member.memberId,
      memberEpoch: member.epoch,
      assignment: isTold ? byTopicId(member.assigned) : null,
    };
  }

  /** Removes a member, as an admin does by LeaveGroup. @throws GroupError */
  leave({ memberId, groupInstanceId }: { readonly memberId: string; readonly groupInstanceId: string | null }): void {
    const known = groupInstanceId === null ? memberId : this.#staticMembers.get(groupInstanceId);
    const member = this.#members.get(known ?? "");
    if (member === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
    if (memberId !== "" && member.memberId !== memberId) throw new GroupError("FENCED_INSTANCE_ID");
    this.#remove(member);
  }

  /** @throws GroupError where the commit does not come from a member in this epoch */
  checkCommit(memberId: string, memberEpoch: number, isTransactional: boolean): void {
    if (memberEpoch < 0 && memberId === "") {
      if (!this.isEmpty && !isTransactional) throw new GroupError("UNKNOWN_MEMBER_ID");
      return;
    }
    this.checkMember(memberId, memberEpoch);
  }

  /** @throws GroupError */
  checkMember(memberId: string, memberEpoch: number): void {
    const member = this.#members.get(memberId);
    if (member === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
    if (memberEpoch !== member.epoch) throw new GroupError("STALE_MEMBER_EPOCH");
  }

  /** Whether a member reads the topic. */
  isSubscribedTo(topic: string): boolean {
    return this.members.some((member) => this.#topicNamesOf(member).includes(topic));
  }

  /** From when on the retention of an offset of a topic counts that nobody is subscribed to: since it was committed. */
  expirationBase(commitTimestampMs: number): number {
    return commitTimestampMs;
  }

  /** Ends a member's session, as if it had been silent for too long. @returns whether there is such a member */
  expire(memberId: string): boolean {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#remove(member);
    return member !== undefined;
  }

  /** Sets no more timers. */
  close(): void {
    for (const { session, revocation } of this.#members.values()) {
      session?.cancel();
      revocation?.cancel();
    }
    this.#members.clear();
  }

  #leave({ memberId, memberEpoch, instanceId }: ConsumerHeartbeat): HeartbeatResult {
    const member = this.#members.get(instanceId === null ? memberId : (this.#staticMembers.get(instanceId) ?? ""));
    if (member === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
    if (member.memberId !== memberId) throw new GroupError("FENCED_INSTANCE_ID");
    if (memberEpoch === leaveStaticEpoch && instanceId !== null) member.leaveForAWhile();
    else this.#remove(member);
    return { memberId, memberEpoch, assignment: null };
  }

  #memberOf(request: ConsumerHeartbeat): ConsumerMember {
    const { memberEpoch, instanceId } = request;
    const memberId = request.memberId === "" ? randomUuid() : request.memberId;
    if (instanceId !== null) return this.#staticMemberOf(request, memberId, instanceId);
    const known = this.#members.get(memberId);
    if (memberEpoch === joinEpoch) return known ?? this.#add(new ConsumerMember(memberId, null, request));
    if (known === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
    this.#checkEpoch(known, request);
    return known;
  }

  #staticMemberOf(request: ConsumerHeartbeat, memberId: string, instanceId: string): ConsumerMember {
    const old = this.#members.get(this.#staticMembers.get(instanceId) ?? "");
    if (request.memberEpoch !== joinEpoch) {
      if (old === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
      if (old.memberId !== memberId) throw new GroupError("FENCED_INSTANCE_ID");
      this.#checkEpoch(old, request);
      return old;
    }
    if (old !== undefined && old.memberId === memberId) return old;
    const member = new ConsumerMember(memberId, instanceId, request);
    if (old === undefined) return this.#add(member);
    if (old.epoch !== leaveStaticEpoch) {
      throw new GroupError(
        "UNRELEASED_INSTANCE_ID",
        `Static member ${memberId} with instance id ${instanceId} cannot join: another member has it.`,
      );
    }
    member.inherit(old);
    old.session?.cancel();
    old.revocation?.cancel();
    this.#members.delete(old.memberId);
    this.#staticMembers.set(instanceId, memberId);
    this.#members.set(memberId, member);
    return member;
  }

  #add(member: ConsumerMember): ConsumerMember {
    this.#members.set(member.memberId, member);
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId);
    this.#epoch += 1;
    return member;
  }

  /** A member that lost an answer comes with its epoch before, and is let through if it owns nothing else. */
  #checkEpoch(member: ConsumerMember, { memberEpoch, topicPartitions }: ConsumerHeartbeat): void {
    if (memberEpoch === member.epoch) return;
    const ownsNothingElse = (topicPartitions ?? []).every(({ topicId, partitions }) =>
      partitions.every((index) => member.assigned.has(partitionKey(topicId, index))),
    );
    const isLate = memberEpoch < member.epoch && memberEpoch === member.previousEpoch && topicPartitions !== null;
    if (isLate && ownsNothingElse) return;
    const reason = `the member epoch ${memberEpoch} is ${memberEpoch > member.epoch ? "larger" : "smaller"} than the one known to the group coordinator (${member.epoch})`;
    throw new GroupError("FENCED_MEMBER_EPOCH", `The consumer group member is fenced: ${reason}`);
  }

  /** Takes what the request says of the member. @returns whether the partitions have to be divided anew */
  #subscribe(member: ConsumerMember, request: ConsumerHeartbeat): boolean {
    const { subscribedTopicNames: names, subscribedTopicRegex: regex } = request;
    if (request.serverAssignor !== null) member.serverAssignor = request.serverAssignor;
    if (request.rackId !== null) member.rackId = request.rackId;
    if (request.rebalanceTimeoutMs >= 0) member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    const before = member.subscription;
    const topicNames = names === null ? before.topicNames : [...new Set(names)].sort();
    const subscription = { topicNames, regex: regex === null ? before.regex : regex === "" ? null : regex };
    member.subscription = subscription;
    return subscription.regex !== before.regex || topicNames.join() !== before.topicNames.join();
  }

  /** Divides the partitions, where members, subscriptions or topics have changed. */
  #keepTargetUpToDate(): void {
    const topics = this.#subscribedTopics();
    const seen = topics.map(({ topicId, partitions }) => `${topicId}:${partitions}`).join();
    if (seen !== this.#seenTopics) {
      // A group whose epoch was raised already is divided by what is there now in any case.
      if (this.#epoch === this.#targetEpoch) this.#epoch += 1;
      this.#seenTopics = seen;
    }
    if (this.#epoch === this.#targetEpoch) return;
    const idOf = new Map(topics.map(({ name, topicId }) => [name, topicId]));
    const members = this.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      topicIds: new Set(this.#topicNamesOf(member).flatMap((name) => idOf.get(name) ?? [])),
      target: member.target,
    }));
    const assignment = serverAssignors.get(this.assignorName)?.(members, topics);
    for (const member of this.#members.values()) member.target = assignment?.get(member.memberId) ?? new Set();
    this.#targetEpoch = this.#epoch;
  }

  #subscribedTopics(): AssignorTopic[] {
    const names = new Set(this.members.flatMap((member) => this.#topicNamesOf(member)));
    return this.#topics
      .all()
      .filter(({ name }) => names.has(name))
      .map(({ id, name, partitions }) => ({ topicId: id, name, partitions: partitions.length }));
  }

  #topicNamesOf({ subscription }: ConsumerMember): readonly string[] {
    const { topicNames, regex } = subscription;
    if (regex === null) return topicNames;
    const pattern = wholly(regex);
    const matching = this.#topics.all().flatMap(({ name }) => (pattern.test(name) ? name : []));
    return [...new Set([...topicNames, ...matching])];
  }

  #isFree(key: PartitionKey, by: ConsumerMember): boolean {
    return this.members.every((member) => member === by || !member.holds(key));
  }

  #keepAlive(member: ConsumerMember): void {
    const remove = () => {
      if (this.#members.get(member.memberId) === member) this.#remove(member);
    };
    member.session?.cancel();
    member.session = this.#clock.after(this.#settings.consumerSessionTimeoutMs, remove);
    if (member.state !== "unrevokedPartitions") {
      member.revocation?.cancel();
      member.revocation = null;
    } else {
      member.revocation ??= this.#clock.after(member.rebalanceTimeoutMs, remove);
    }
  }

  #remove(member: ConsumerMember): void {
    member.session?.cancel();
    member.revocation?.cancel();
    this.#members.delete(member.memberId);
    if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId);
    this.#epoch += 1;
    // An empty group has nothing to divide, so that its target is up to date.
    if (this.isEmpty) this.#targetEpoch = this.#epoch;
  }
}

/** RE2 in Kafka, and near enough to it in what people write: the whole name has to match. */
const wholly = (regex: string): RegExp => new RegExp(`^(?:${regex})$`);

/** @throws GroupError for a request that makes no sense, whatever the group */
export function checkHeartbeat(request: ConsumerHeartbeat): void {
  if (request.memberEpoch < joinEpoch) return;
  const invalid = (why: string) => new GroupError("INVALID_REQUEST", why);
  if (request.instanceId === "") throw invalid("InstanceId can't be empty.");
  if (request.rackId === "") throw invalid("RackId can't be empty.");
  if (request.serverAssignor !== null && !serverAssignors.has(request.serverAssignor)) {
    const known = [...serverAssignors.keys()].join(", ");
    throw new GroupError(
      "UNSUPPORTED_ASSIGNOR",
      `ServerAssignor ${request.serverAssignor} is not supported. Supported assignors: ${known}.`,
    );
  }
  if (request.subscribedTopicRegex !== null) {
    try {
      wholly(request.subscribedTopicRegex);
    } catch {
      throw new GroupError(
        "INVALID_REGULAR_EXPRESSION",
        `SubscribedTopicRegex \`${request.subscribedTopicRegex}\` is not a valid regular expression.`,
      );
    }
  }
  if (request.memberEpoch !== joinEpoch) return;
  if (request.rebalanceTimeoutMs <= 0) throw invalid("RebalanceTimeoutMs must be provided in first request.");
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    throw invalid("TopicPartitions must be empty when (re-)joining.");
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  }
}
