import { type Clock, Deadline, State, type TopicPartition } from "@odradek/network";
import type { BrokerError, KafkaError } from "@odradek/protocol";
import type { Due, OutgoingRequest } from "../outgoing-request.ts";
import { ClassicRequests, type OfferedProtocol } from "./classic-requests.ts";
import type { Verdict } from "./classic-verdicts.ts";
import { type AssignmentBlob, encodeSubscription } from "./consumer-protocol.ts";
import { Departures } from "./departures.ts";
import { CommitFailedError, RebalanceInProgressError } from "./group-errors.ts";
import type { GroupMembership, MembershipParts } from "./group-membership.ts";
import { Handover } from "./handover.ts";
import { Heartbeats } from "./heartbeats.ts";
import { JoinExchange, type JoinOutcome } from "./join-exchange.ts";
import { ListenerTurn } from "./listener-turn.ts";
import { displaced, hasPlace, type MemberIdentity, outsider } from "./member-identity.ts";
import { commonProtocol, type LastAssignment, type RebalanceProtocol } from "./partition-assignor.ts";
import { PollInterval } from "./poll-interval.ts";
import { rawMetadata } from "./raw-division.ts";
import { isRaw } from "./raw-partition-assignor.ts";

const memberStates = () =>
  new State("UNJOINED", {
    UNJOINED: ["REVOKING"], // outside the group, until the application polls
    REVOKING: ["JOINING", "UNJOINED"], // a poll tells the listener what goes before the member joins
    JOINING: ["ASSIGNING", "REVOKING", "UNJOINED"], // an exchange with the coordinator, until all know what is theirs
    ASSIGNING: ["STABLE", "UNJOINED"], // a poll tells the listener what goes and what comes
    STABLE: ["REVOKING", "UNJOINED"], // reads what it was given, until something calls for another rebalance
  });

/** Of a member of a classic group: Kafka's `MemberState`, with the calls of the listener as states of their own. */
export type MemberState = ReturnType<typeof memberStates>["now"];

/**
 * One consumer's place in a classic group: it joins, takes what the leader gives it, and says that it lives. It makes requests and
 * sends none. What the listener is told, it is told within a poll of the application; everything else goes on meanwhile.
 * Source: Kafka's `AbstractCoordinator` and `ConsumerCoordinator`, KIP-429 for cooperative rebalances, KIP-345 for static members.
 */
export class ClassicMembership implements GroupMembership {
  readonly #parts: MembershipParts;
  readonly #options: MembershipParts["options"];
  readonly #clock: Clock;
  readonly #requests: ClassicRequests;
  readonly #exchange: JoinExchange;
  readonly #departures: Departures;
  readonly #heartbeats: Heartbeats;
  readonly #pollInterval: PollInterval;
  readonly #handover: Handover;
  /** What is the application's in REVOKING and ASSIGNING. */
  readonly #turn: ListenerTurn;
  readonly #state = memberStates();
  #identity: MemberIdentity;
  /** Why it has to join (again); `null` where nothing was said. */
  #rejoinReason: string | null = null;
  /** The topics that it joined with. */
  #joinedTopics: ReadonlySet<string> = new Set();
  #given: AssignmentBlob = { partitions: [], userData: null };
  #last: LastAssignment | null = null;
  #error: Error | null = null;
  #isRefused = false;

  constructor(parts: MembershipParts) {
    const { options, coordinator, cluster, clock, logger, metrics, diagnostics, subscription, assignment, onChange } =
      parts;
    this.#parts = parts;
    this.#options = options;
    this.#clock = clock;
    this.#requests = new ClassicRequests(coordinator.groupId, options);
    const requests = this.#requests;
    // On the coordinator's own connection a JoinGroup may be held for minutes.
    this.#departures = new Departures(coordinator, "main");
    this.#exchange = new JoinExchange({
      options,
      requests,
      coordinator,
      cluster,
      clock,
      metrics,
      offered: () => this.#offered(),
      onIdentity: (identity) => this.#become(identity),
      onAssigned: (outcome) => this.#onAssigned(outcome),
      onError: (error) => this.#onError(error),
      onTopics: onChange,
    });
    this.#heartbeats = new Heartbeats({
      options,
      requests,
      coordinator,
      clock,
      logger,
      metrics,
      diagnostics,
      onRefused: (error, verdict, identity) => this.#onHeartbeatRefused(error, verdict, identity),
    });
    this.#pollInterval = new PollInterval(options.maxPollIntervalMs);
    this.#handover = new Handover(subscription, assignment, protocolOf(options), metrics);
    this.#turn = new ListenerTurn(parts.autoCommit, clock, onChange);
    this.#identity = outsider(options.groupInstanceId);
  }

  get state(): MemberState {
    return this.#state.now;
  }

  /** Who it is at the moment. */
  get identity(): MemberIdentity {
    return this.#identity;
  }

  /** The topics that it has to know of: as the leader those of all members. */
  get topics(): Iterable<string> {
    return new Set([...this.#parts.subscription.topics, ...(this.#exchange.leader?.topics ?? [])]);
  }

  /** Whether partitions are about to be given up, or are another's already, so that no more of their records may be handed out. */
  get isHoldingBack(): boolean {
    return this.#turn.isUnderWay || (this.#parts.subscription.isAutomatic && !hasPlace(this.#identity));
  }

  get isRebalanceDue(): boolean {
    if (!this.#parts.subscription.isKnown) return false;
    return this.#turn.isUnderWay || (this.#state.is("UNJOINED", "STABLE") && this.#reasonToJoin() !== null);
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
    this.#isRefused = this.#error !== null;
    this.#pollInterval.stop();
  }

  pollEnded(): void {
    this.#pollInterval.start(this.#clock.now());
  }

  requestRejoin(reason: string): void {
    this.#rejoinReason ??= reason;
  }

  rebalanceIfDue(): void {
    this.#begin();
  }

  poll(nowMs: number, isDone: boolean): Due {
    if (this.#pollInterval.endsAtMs <= nowMs) this.#onPollExpired();
    if (isDone) this.#begin();
    this.#joinIfDue();
    const requests: OutgoingRequest[] = [];
    // While it holds a JoinGroup the coordinator knows that the member lives.
    const isBeating = hasPlace(this.#identity) && !this.#exchange.isJoining;
    const nextMs = Math.min(
      this.#pollInterval.endsAtMs,
      this.#departures.poll(nowMs, requests),
      this.#exchange.poll(nowMs, requests),
      isBeating ? this.#heartbeats.poll(nowMs, this.#identity, requests) : Number.POSITIVE_INFINITY,
    );
    return { requests, nextMs };
  }

  async giveUp(): Promise<void> {
    await this.#turn.finished();
    return hasPlace(this.#identity) ? this.#handover.onLeaving() : this.#handover.lost(() => true);
  }

  leave(reason: string, isTold: boolean, deadline: Deadline): Promise<void> {
    const identity = this.#identity;
    this.#identity = outsider(this.#options.groupInstanceId);
    // Whatever comes of what is under way is void.
    this.#parts.metrics.rebalanceGivenUp();
    this.#exchange.stop();
    this.#turn.cancel();
    if (!this.#state.is("UNJOINED")) this.#state.to("UNJOINED");
    if (!isTold || identity.memberId === "") return Promise.resolve();
    return this.#departures.add(deadline, (nodeId, end) =>
      this.#requests.leave(nodeId, identity, reason, { onAnswer: end, onFailure: end }),
    );
  }

  cancel(): void {
    this.#departures.cancel();
  }

  committer(): MemberIdentity {
    if (this.#state.is("JOINING")) throw new RebalanceInProgressError();
    if (!hasPlace(this.#identity)) throw new CommitFailedError();
    return this.#identity;
  }

  commitRefused(error: BrokerError, identity: MemberIdentity): KafkaError {
    const isCurrent = identity === this.#identity;
    if (error.code === "REBALANCE_IN_PROGRESS") {
      if (isCurrent) this.requestRejoin("a commit met a rebalance");
      return new RebalanceInProgressError(error);
    }
    // It has moved on since: what it was refused as says nothing of what it is.
    if (!isCurrent) {
      return this.#state.is("JOINING") ? new RebalanceInProgressError(error) : new CommitFailedError(error);
    }
    if (error.code === "FENCED_INSTANCE_ID") return error;
    this.#lose(error.code === "UNKNOWN_MEMBER_ID");
    return new CommitFailedError(error);
  }

  /** The application is stuck: others get its partitions, until it polls again. */
  #onPollExpired(): void {
    this.#pollInterval.stop();
    if (this.#state.is("UNJOINED")) return;
    const { maxPollIntervalMs, requestTimeoutMs, groupInstanceId } = this.#options;
    this.#parts.logger.warn("leaves its group: the application did not poll for too long", { maxPollIntervalMs });
    // A static member stays until its session is over, so that it may come back.
    const isTold = groupInstanceId === null;
    void this.leave("consumer poll timeout has expired", isTold, new Deadline(this.#clock, requestTimeoutMs));
  }

  /** Begins a rebalance where one is called for. */
  #begin(): void {
    const { subscription, coordinator, logger } = this.#parts;
    if (!subscription.isKnown || !this.#state.is("UNJOINED", "STABLE")) return;
    const reason = this.#reasonToJoin();
    if (reason === null) return;
    this.#rejoinReason = reason;
    logger.info("joins its group", { groupId: coordinator.groupId, reason });
    this.#giveWay();
  }

  #reasonToJoin(): string | null {
    const { cluster, subscription } = this.#parts;
    if (!hasPlace(this.#identity)) return this.#rejoinReason ?? "it has no place";
    if (this.#rejoinReason !== null) return this.#rejoinReason;
    if (subscription.topics !== this.#joinedTopics) return "it subscribed to other topics";
    return this.#exchange.leader?.isOutdated(cluster.metadata.snapshot) === true
      ? "topics changed their partitions"
      : null;
  }

  /** Gives up, with the listener's knowledge, what it must not own while it joins. */
  #giveWay(): void {
    this.#state.to("REVOKING");
    this.#turn.begin(this.#commitMs(this.#handover.goesBeforeJoining), () => this.#revoke());
  }

  /** How long what is done with may take to be committed before partitions go; without a place it is too late for that. */
  #commitMs(goes: readonly TopicPartition[]): number | null {
    return goes.length > 0 && hasPlace(this.#identity) ? this.#options.maxPollIntervalMs : null;
  }

  async #revoke(): Promise<void> {
    const counts = () => this.#state.is("REVOKING");
    try {
      await (hasPlace(this.#identity) ? this.#handover.beforeJoining(counts) : this.#handover.lost(counts));
    } finally {
      if (counts()) this.#state.to("JOINING");
    }
  }

  async #assign(): Promise<void> {
    const { partitions } = this.#given;
    const identity = this.#identity;
    const counts = () => this.#state.is("ASSIGNING") && this.#identity === identity;
    // What it gives up is free for others, who get it in a rebalance of its own.
    if (this.#handover.goesFor(partitions).length > 0) this.requestRejoin("it gave up partitions for others");
    try {
      // What was given to a member that has lost its place meanwhile is void.
      if (hasPlace(identity)) await this.#handover.afterJoining(partitions, counts);
    } finally {
      if (this.#state.is("ASSIGNING")) this.#state.to("STABLE");
    }
  }

  /** Begins the exchange, unless the last one was refused and the application, which hears of that, has not polled since. */
  #joinIfDue(): void {
    const isDue = this.#state.is("JOINING") && !this.#turn.isUnderWay && this.#exchange.isIdle;
    if (!isDue || this.#isRefused) return;
    // Its place was lost while the listener was told of other partitions.
    if (!hasPlace(this.#identity) && this.#handover.owned.length > 0) {
      this.#giveWay();
      return;
    }
    const reason = this.#rejoinReason ?? "it joins again";
    this.#rejoinReason = null;
    this.#exchange.begin(this.#identity, reason);
  }

  #offered(): readonly OfferedProtocol[] {
    const { clientRack: rackId, partitionAssignmentStrategy } = this.#options;
    const { topics } = this.#parts.subscription;
    const { generationId } = this.#identity;
    this.#joinedTopics = topics;
    return partitionAssignmentStrategy.map((assignor) => {
      if (isRaw(assignor)) return { name: assignor.name, metadata: rawMetadata(assignor, [...topics]) };
      const userData = assignor.userData?.(this.#last) ?? null;
      const ownedPartitions = this.#handover.owned;
      const metadata = encodeSubscription({ topics: [...topics], ownedPartitions, generationId, rackId, userData });
      return { name: assignor.name, metadata };
    });
  }

  /** The exchange has given it an id or a place, or taken either. What it still has without a place it must say is lost. */
  #become(identity: MemberIdentity): void {
    this.#identity = identity;
    if (hasPlace(identity)) this.#heartbeats.restart();
    else if (this.#handover.owned.length > 0) {
      this.#exchange.stop();
      this.#giveWay();
    }
  }

  #onAssigned({ given, leaderId, assignorName: assignor }: JoinOutcome): void {
    const { topics } = this.#parts.subscription;
    this.#parts.diagnostics.assigned(this.#identity, { leaderId, assignor, assigned: given.partitions });
    const partitions = given.partitions.filter(({ topic }) => topics.has(topic));
    // Assignors with bytes of their own may not look at who subscribed to what: to join again would change nothing.
    const isRejoining = partitions.length < given.partitions.length && !this.#isRaw(assignor);
    if (isRejoining) this.requestRejoin("it was given what it did not subscribe to");
    this.#given = { ...given, partitions };
    this.#last = { ...this.#given, generationId: this.#identity.generationId };
    this.#state.to("ASSIGNING");
    this.#turn.begin(this.#commitMs(this.#handover.goesFor(partitions)), () => this.#assign());
  }

  #isRaw(assignorName: string | null): boolean {
    const assignor = this.#options.partitionAssignmentStrategy.find(({ name }) => name === assignorName);
    return assignor !== undefined && isRaw(assignor);
  }

  #onHeartbeatRefused(error: BrokerError, verdict: Verdict, identity: MemberIdentity): void {
    // It has moved on since: what was said of who it was says nothing of what it is.
    if (identity !== this.#identity) return;
    if (verdict === "rejoin") {
      // A SyncGroup that is under way will hear of it too.
      if (!this.#state.is("JOINING")) this.requestRejoin("the group is being rebalanced");
      return;
    }
    // It has its place for as long as its session lasts, and may be given its rights back before that is over.
    if (verdict !== "fatal") this.#lose(verdict === "forgotten");
    if (verdict === "fatal" || verdict === "fenced") this.#onError(error);
  }

  /** Its place is another's by now, and what belonged to it is lost. */
  #lose(isForgotten: boolean): void {
    this.#identity = isForgotten ? outsider(this.#options.groupInstanceId) : displaced(this.#identity);
    this.#exchange.stop();
    if (this.#state.is("JOINING") && this.#handover.owned.length > 0) this.#giveWay();
  }

  #onError(error: Error): void {
    this.#error ??= error;
    this.#isRefused = true;
    this.#parts.onChange();
  }
}

/** Assignors that have no protocol in common were refused with the options. */
const protocolOf = ({ partitionAssignmentStrategy }: MembershipParts["options"]): RebalanceProtocol =>
  commonProtocol(partitionAssignmentStrategy) ?? "eager";
