import { randomUUID } from "node:crypto";
import { type Backoff, Deadline, exponentialBackoff, State, type TopicPartition } from "@odradek/network";
import { BrokerError, KafkaError, UnsupportedVersionError } from "@odradek/protocol";
import type { ConsumerGroupHeartbeatResponse } from "@odradek/protocol/messages/consumer-group-heartbeat";
import type { Due, OutgoingRequest } from "../outgoing-request.ts";
import { type AssignedTopic, assignedTopics, ConsumerRequests, distinctTopics } from "./consumer-requests.ts";
import { Departures } from "./departures.ts";
import { CommitFailedError } from "./group-errors.ts";
import type { GroupMembership, MembershipParts } from "./group-membership.ts";
import { Handover } from "./handover.ts";
import { ListenerTurn } from "./listener-turn.ts";
import { displaced, hasPlace, type MemberIdentity } from "./member-identity.ts";
import { PollInterval } from "./poll-interval.ts";

const memberStates = () =>
  new State("UNSUBSCRIBED", {
    UNSUBSCRIBED: ["FENCED", "JOINING"], // outside the group, until the application polls
    FENCED: ["JOINING", "UNSUBSCRIBED"], // has lost its place: a poll tells the listener what is lost
    JOINING: ["STABLE", "FENCED", "UNSUBSCRIBED"], // asks for a place
    STABLE: ["RECONCILING", "FENCED", "UNSUBSCRIBED"], // owns what the coordinator last gave it, as far as it is known
    RECONCILING: ["ACKNOWLEDGING", "FENCED", "UNSUBSCRIBED"], // a poll tells the listener what goes and what comes
    ACKNOWLEDGING: ["STABLE", "FENCED", "UNSUBSCRIBED"], // tells the coordinator what it owns now
  });

/** However often a coordinator says it wants to hear of a member: with 0 it would at each answer. */
const leastHeartbeatIntervalMs = 100;

/** Of a member of a group of the consumer protocol: Kafka's `MemberState`, as far as more than one request is needed to tell. */
export type ConsumerMemberState = ReturnType<typeof memberStates>["now"];

/**
 * One consumer's place in a group of the consumer protocol (KIP-848): the coordinator assigns, and each member goes its own way
 * towards what it is given, so that nobody waits for the others. Source: Kafka's `ConsumerMembershipManager` and
 * `ConsumerHeartbeatRequestManager`.
 */
export class ConsumerMembership implements GroupMembership {
  readonly #parts: MembershipParts;
  readonly #requests: ConsumerRequests;
  readonly #departures: Departures;
  readonly #pollInterval: PollInterval;
  readonly #handover: Handover;
  readonly #turn: ListenerTurn;
  readonly #backoff: Backoff;
  readonly #state = memberStates();
  #identity: MemberIdentity;
  /** What the coordinator last gave it. */
  #target: readonly AssignedTopic[] | null = null;
  /** The last target that it has gone towards, be it but a part of the way. */
  #seen: readonly AssignedTopic[] | null = null;
  /** The last one that it has gone all the way to, which need not be looked at again. */
  #reached: readonly AssignedTopic[] | null = null;
  /** The ids under which it was given its topics, by name: metadata need not know of them any more, or not for a while. */
  #topicIds = new Map<string, string>();
  /** The topics that the coordinator knows it to subscribe to; `null` where it must be told everything. */
  #toldTopics: ReadonlySet<string> | null = null;
  #underWay: OutgoingRequest | null = null;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #error: Error | null = null;

  constructor(parts: MembershipParts) {
    const { options, coordinator, subscription, assignment, autoCommit, clock, metrics, onChange } = parts;
    this.#parts = parts;
    this.#requests = new ConsumerRequests(coordinator.groupId, options, subscription);
    // On the connection of its heartbeats: one that joins anew, under the same id, must not overtake it.
    this.#departures = new Departures(coordinator, "coordinator");
    this.#pollInterval = new PollInterval(options.maxPollIntervalMs);
    this.#handover = new Handover(subscription, assignment, "cooperative", metrics);
    this.#turn = new ListenerTurn(autoCommit, clock, onChange);
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
    this.#identity = { memberId: newMemberId(), generationId: -1, groupInstanceId: options.groupInstanceId };
  }

  get state(): ConsumerMemberState {
    return this.#state.now;
  }

  get identity(): MemberIdentity {
    return this.#identity;
  }

  get topics(): Iterable<string> {
    return this.#parts.subscription.topics;
  }

  get isHoldingBack(): boolean {
    return this.#turn.isUnderWay || (this.#parts.subscription.isAutomatic && !hasPlace(this.#identity));
  }

  get isRebalanceDue(): boolean {
    if (!this.#parts.subscription.isAutomatic) return false;
    const isTargetNew = this.#target !== null && this.#target !== this.#seen;
    return (
      this.#turn.isUnderWay || this.#state.is("UNSUBSCRIBED", "FENCED") || (this.#state.is("STABLE") && isTargetNew)
    );
  }

  takeError(): Error | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  takeTask(): (() => Promise<void>) | null {
    return this.#turn.take();
  }

  pollBegan(): void {
    this.#pollInterval.stop();
  }

  pollEnded(): void {
    this.#pollInterval.start(this.#parts.clock.now());
  }

  /** The coordinator decides when to rebalance: there is nothing to be asked for. */
  requestRejoin(): void {
    this.#parts.logger.warn("enforceRebalance has no effect in a group of the consumer protocol");
  }

  rebalanceIfDue(): void {
    this.#begin();
    this.#reconcile();
  }

  poll(nowMs: number, isDone: boolean): Due {
    if (this.#pollInterval.endsAtMs <= nowMs) this.#onPollExpired();
    if (isDone) this.rebalanceIfDue();
    const requests: OutgoingRequest[] = [];
    const nextMs = Math.min(
      this.#pollInterval.endsAtMs,
      this.#departures.poll(nowMs, requests),
      this.#beat(nowMs, requests),
    );
    return { requests, nextMs };
  }

  async giveUp(): Promise<void> {
    await this.#turn.finished();
    return hasPlace(this.#identity) ? this.#handover.onLeaving() : this.#handover.lost(() => true);
  }

  /** A static member always says that it goes, be it for a while: the coordinator then expects another of its name. */
  leave(_reason: string, isTold: boolean, deadline: Deadline): Promise<void> {
    const identity = this.#identity;
    // One that has just asked for a place may have been given it.
    const isMember = hasPlace(identity) || this.#underWay !== null;
    this.#identity = displaced(identity);
    this.#turn.cancel();
    this.#forget();
    if (!this.#state.is("UNSUBSCRIBED")) this.#state.to("UNSUBSCRIBED");
    if (!isMember || (!isTold && identity.groupInstanceId === null)) return Promise.resolve();
    return this.#departures.add(deadline, (nodeId, end) =>
      this.#requests.leave(nodeId, identity, isTold, { onAnswer: end, onFailure: end }),
    );
  }

  cancel(): void {
    this.#departures.cancel();
  }

  committer(): MemberIdentity {
    if (!hasPlace(this.#identity)) throw new CommitFailedError();
    return this.#identity;
  }

  commitRefused(error: BrokerError, identity: MemberIdentity): KafkaError {
    const isFatal = error.code === "FENCED_INSTANCE_ID";
    if (isFatal) return error;
    // Only an epoch that went on without it says nothing against the member.
    if (identity === this.#identity && error.code === "UNKNOWN_MEMBER_ID") this.#lose();
    return new CommitFailedError(error);
  }

  #onPollExpired(): void {
    this.#pollInterval.stop();
    if (this.#state.is("UNSUBSCRIBED")) return;
    const { options, logger, clock } = this.#parts;
    const { maxPollIntervalMs, requestTimeoutMs, groupInstanceId } = options;
    logger.warn("leaves its group: the application did not poll for too long", { maxPollIntervalMs });
    const isTold = groupInstanceId === null;
    void this.leave("consumer poll timeout has expired", isTold, new Deadline(clock, requestTimeoutMs));
  }

  /** Asks for a place, once the listener knows what was lost with the last one. */
  #begin(): void {
    const { subscription, logger, coordinator } = this.#parts;
    if (!subscription.isKnown || this.#error !== null || this.#turn.isUnderWay) return;
    if (!this.#state.is("UNSUBSCRIBED", "FENCED")) return;
    if (this.#handover.owned.length > 0) {
      if (this.#state.is("UNSUBSCRIBED")) this.#state.to("FENCED");
      this.#turn.begin(null, () => this.#handover.lost(() => this.#state.is("FENCED")));
      return;
    }
    logger.info("joins its group", { groupId: coordinator.groupId });
    this.#state.to("JOINING");
  }

  /** Begins to go towards what the coordinator gave, as far as it is known what that is. */
  #reconcile(): void {
    const target = this.#target;
    if (target === null || target === this.#reached || !this.#state.is("STABLE")) return;
    const known = this.#resolve(target);
    const goes = this.#handover.goesFor(known);
    const isSame = goes.length === 0 && known.length === this.#handover.owned.length;
    // What is not known yet is looked at again with each answer about metadata.
    if (isSame && target === this.#seen) return;
    const isFirst = this.#seen === null;
    this.#seen = target;
    this.#state.to("RECONCILING");
    this.#parts.metrics.rebalanceTried(this.#parts.clock.now());
    if (isSame && !isFirst) {
      this.#acknowledge(target, known);
      return;
    }
    const commitMs = goes.length > 0 ? this.#parts.options.maxPollIntervalMs : null;
    this.#turn.begin(commitMs, () => this.#takeOver(target, known));
  }

  async #takeOver(target: readonly AssignedTopic[], known: readonly TopicPartition[]): Promise<void> {
    const told = { leaderId: null, assignor: this.#parts.options.groupRemoteAssignor, assigned: known };
    this.#parts.diagnostics.assigned(this.#identity, told);
    const counts = () => this.#state.is("RECONCILING");
    try {
      await this.#handover.afterJoining(known, counts);
    } finally {
      if (counts()) this.#acknowledge(target, known);
    }
  }

  #acknowledge(target: readonly AssignedTopic[], known: readonly TopicPartition[]): void {
    this.#state.to("ACKNOWLEDGING");
    this.#parts.metrics.rebalanceEnded();
    if (known.length === target.reduce((sum, { partitions }) => sum + partitions.length, 0)) this.#reached = target;
  }

  /** The partitions of topics whose names are known; of the others metadata is asked for. */
  #resolve(target: readonly AssignedTopic[]): TopicPartition[] {
    const { cluster } = this.#parts;
    const { owned } = this.#handover;
    const ownedIds = new Map([...this.#topicIds].filter(([name]) => owned.some(({ topic }) => topic === name)));
    const names = new Map([...ownedIds].map(([name, topicId]) => [topicId, name]));
    this.#topicIds = ownedIds;
    return target.flatMap(({ topicId, partitions }) => {
      const topic = cluster.metadata.snapshot.topicNames.get(topicId) ?? names.get(topicId);
      if (topic === undefined) {
        cluster.requestUpdate();
        return [];
      }
      this.#topicIds.set(topic, topicId);
      return partitions.map((partition) => ({ topic, partition }));
    });
  }

  /** Whether there is something that the coordinator should know before the interval is over. */
  get #hasNews(): boolean {
    const { subscription } = this.#parts;
    return this.#state.is("JOINING", "ACKNOWLEDGING") || this.#toldTopics !== subscription.topics;
  }

  /** Adds the heartbeat that is due. @returns when to look again */
  #beat(nowMs: number, requests: OutgoingRequest[]): number {
    if (this.#state.is("UNSUBSCRIBED", "FENCED") || this.#underWay !== null) return Number.POSITIVE_INFINITY;
    if (this.#dueAtMs > nowMs && !(this.#hasNews && this.#failures === 0)) return this.#dueAtMs;
    const { coordinator, cluster, metrics, subscription } = this.#parts;
    const nodeId = coordinator.ready();
    if (nodeId === null) return coordinator.retryAtMs;
    // Committed offsets will be asked for over this one, which takes a moment to make.
    cluster.ready(nodeId, "main");
    const identity = this.#identity;
    const { topics } = subscription;
    const isJoining = this.#state.is("JOINING");
    const isAcknowledging = this.#state.is("ACKNOWLEDGING");
    const isWhole = isJoining || this.#toldTopics === null;
    const news = isWhole ? "everything" : this.#toldTopics === topics ? "nothing" : "subscription";
    const owned = isAcknowledging || isWhole ? assignedTopics(this.#handover.owned, this.#topicIds) : null;
    const request: OutgoingRequest = this.#requests.heartbeat(nodeId, identity, news, owned, {
      onAnswer: (answer) => {
        metrics.heartbeatAnswered(nowMs);
        this.#ended(request, () => {
          if (answer.errorCode !== 0) this.#onRefused(nodeId, answer);
          else this.#onAnswer(answer, topics, isAcknowledging);
        });
      },
      onFailure: (error) => this.#ended(request, () => this.#onFailure(nodeId, error)),
    });
    this.#underWay = request;
    metrics.heartbeatSent(nowMs);
    requests.push(request);
    return Number.POSITIVE_INFINITY;
  }

  /** What comes for a heartbeat that was given up is of no interest. */
  #ended(request: OutgoingRequest, take: () => void): void {
    if (this.#underWay !== request) return;
    this.#underWay = null;
    take();
  }

  #onAnswer(answer: ConsumerGroupHeartbeatResponse, topics: ReadonlySet<string>, isAcknowledged: boolean): void {
    const { memberEpoch, heartbeatIntervalMs, assignment } = answer;
    this.#failures = 0;
    this.#parts.coordinator.answered();
    this.#toldTopics = topics;
    this.#dueAtMs = this.#parts.clock.now() + Math.max(heartbeatIntervalMs, leastHeartbeatIntervalMs);
    if (memberEpoch !== this.#identity.generationId) {
      this.#identity = Object.freeze({ ...this.#identity, generationId: memberEpoch });
    }
    this.#parts.diagnostics.heartbeatTaken(this.#identity);
    const target = assignment === null ? null : distinctTopics(assignment.topicPartitions);
    if (target !== null && !isSameTarget(target, this.#target)) this.#target = target;
    if (this.#state.is("JOINING") || (this.#state.is("ACKNOWLEDGING") && isAcknowledged)) this.#state.to("STABLE");
  }

  #onRefused(nodeId: number, { errorCode, errorMessage }: ConsumerGroupHeartbeatResponse): void {
    const { coordinator } = this.#parts;
    const error = new BrokerError(errorCode, `a heartbeat to group ${coordinator.groupId}`, errorMessage);
    if (error.code === "FENCED_MEMBER_EPOCH" || error.code === "UNKNOWN_MEMBER_ID") this.#lose();
    else if (error.code === "COORDINATOR_LOAD_IN_PROGRESS") this.#retryLater();
    else if (error.retriable) this.#onFailure(nodeId, error);
    else this.#fail(error);
  }

  #onFailure(nodeId: number, error: Error): void {
    if (error instanceof UnsupportedVersionError)
      error.of("groupProtocol consumer takes Kafka 4.0 or newer, else set classic");
    if (!(error instanceof KafkaError && error.retriable)) {
      this.#fail(error);
      return;
    }
    this.#parts.coordinator.lost(nodeId, error);
    this.#retryLater();
  }

  /** Whether it was heard is not known: the next one says everything. */
  #retryLater(): void {
    this.#toldTopics = null;
    this.#dueAtMs = this.#parts.clock.now() + this.#backoff(this.#failures);
    this.#failures += 1;
  }

  /** The coordinator has given its place away, and what it owned to others. */
  #lose(): void {
    this.#parts.metrics.rebalanceFailed();
    this.#identity = displaced(this.#identity);
    this.#turn.cancel();
    this.#forget();
    if (!this.#state.is("UNSUBSCRIBED", "FENCED")) this.#state.to("FENCED");
  }

  /** Whatever comes of what is under way is void. */
  #forget(): void {
    this.#parts.metrics.rebalanceGivenUp();
    this.#underWay = null;
    this.#target = null;
    this.#seen = null;
    this.#reached = null;
    this.#topicIds = new Map();
    this.#toldTopics = null;
    this.#failures = 0;
  }

  /** It cannot go on, and begins anew once the user was told. What must be authorised first is asked for again meanwhile. */
  #fail(error: Error): void {
    this.#error ??= error;
    if (!(error instanceof KafkaError && error.code === "TOPIC_AUTHORIZATION_FAILED")) this.#lose();
    else this.#retryLater();
    this.#parts.onChange();
  }
}

/** Whether a target is the one before, which the coordinator repeats whenever it is told everything. */
function isSameTarget(target: readonly AssignedTopic[], before: readonly AssignedTopic[] | null): boolean {
  return before !== null && targetText(target) === targetText(before);
}

const targetText = (target: readonly AssignedTopic[]): string =>
  target
    .flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId} ${partition}`))
    .sort()
    .join();

/** As Kafka makes them, which never begin with a dash. */
function newMemberId(): string {
  for (;;) {
    const id = Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");
    if (!id.startsWith("-")) return id;
  }
}
