import { type Backoff, type Clock, exponentialBackoff, State } from "@odradek/network";
import { BrokerError, KafkaError, UnsupportedVersionError } from "@odradek/protocol";
import type { JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import type { SyncGroupResponse } from "@odradek/protocol/messages/sync-group";
import type { ClusterView } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { CoordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import type { OutgoingRequest } from "../outgoing-request.ts";
import type { ClassicRequests, OfferedProtocol } from "./classic-requests.ts";
import { type ClassicRequest, classicVerdict } from "./classic-verdicts.ts";
import { type AssignmentBlob, consumerProtocolType, decodeAssignment } from "./consumer-protocol.ts";
import type { EncodedAssignment } from "./division.ts";
import type { GroupCoordinator } from "./group-coordinator.ts";
import { GroupLeader } from "./group-leader.ts";
import { displaced, type MemberIdentity, outsider } from "./member-identity.ts";

const exchangeStates = () =>
  new State("idle", {
    idle: ["joining"], // nothing is asked for
    joining: ["syncing", "idle"], // JoinGroup: the coordinator waits for all members
    syncing: ["joining", "idle"], // SyncGroup: the leader decides, and all hear of it
  });

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "partitionAssignmentStrategy" | "retryBackoffMaxMs" | "retryBackoffMs"
>;

/** What came of an exchange. */
export interface JoinOutcome {
  readonly given: AssignmentBlob;
  /** By whose decision. */
  readonly leaderId: string;
  /** The name of the assignor that the group has settled on. */
  readonly assignorName: string | null;
}

/** What an exchange needs, and whom it tells. */
export interface JoinExchangeParts {
  readonly options: Options;
  readonly requests: ClassicRequests;
  readonly coordinator: GroupCoordinator;
  readonly cluster: ClusterView;
  readonly clock: Clock;
  readonly metrics: Pick<
    CoordinatorMetrics,
    "joined" | "rebalanceEnded" | "rebalanceFailed" | "rebalanceTried" | "synced"
  >;
  /** What the member says of itself to each assignor, as of the moment. May throw. */
  readonly offered: () => readonly OfferedProtocol[];
  /** The member is another from now on: it has got an id or a place, or has lost either. */
  readonly onIdentity: (identity: MemberIdentity) => void;
  /** The exchange is over, with this. */
  readonly onAssigned: (outcome: JoinOutcome) => void;
  /** It cannot go on until the user was told, and begins anew then. */
  readonly onError: (error: Error) => void;
  /** Other topics are to be known of. */
  readonly onTopics: () => void;
}

/**
 * How a member of a classic group gets its assignment: it joins, decides for all if it is made the leader, and asks for what is its
 * own; again and again, until it has it. Source: Kafka's `AbstractCoordinator.joinGroupIfNeeded` and its response handlers.
 */
export class JoinExchange {
  readonly #parts: JoinExchangeParts;
  readonly #backoff: Backoff;
  readonly #state = exchangeStates();
  #identity: MemberIdentity = outsider(null);
  #reason = "";
  /** The request that is under way. */
  #asked: OutgoingRequest | null = null;
  #askedAtMs = 0;
  /** The assignor that the group has settled on. */
  #protocolName: string | null = null;
  #leaderId = "";
  /** `null` where another member leads. */
  #leader: GroupLeader | null = null;
  /** The one whose assignor is at its decision, which may take a while. */
  #deciding: GroupLeader | null = null;
  /** What it has decided as the leader; nothing from all others, and `null` as long as it cannot decide yet. */
  #decision: readonly EncodedAssignment[] | null = null;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: JoinExchangeParts) {
    this.#parts = parts;
    this.#backoff = exponentialBackoff(parts.options.retryBackoffMs, parts.options.retryBackoffMaxMs);
  }

  /** Whether the coordinator holds a JoinGroup of ours, or is about to. */
  get isJoining(): boolean {
    return this.#state.is("joining");
  }

  get isIdle(): boolean {
    return this.#state.is("idle");
  }

  /** What this member knows as the leader of its group; `null` where another leads. */
  get leader(): GroupLeader | null {
    return this.#leader;
  }

  /** @param identity as whom it joins @param reason for the broker's log */
  begin(identity: MemberIdentity, reason: string): void {
    this.#identity = identity;
    this.#reason = reason;
    this.#state.to("joining");
  }

  /** Whatever comes of what is under way is void. */
  stop(): void {
    this.#parts.metrics.rebalanceFailed();
    this.#asked = null;
    this.#leader = null;
    this.#decision = null;
    if (!this.#state.is("idle")) this.#state.to("idle");
  }

  /** Adds the request that is due. @returns when to look again */
  poll(nowMs: number, requests: OutgoingRequest[]): number {
    this.#decide();
    const isDeciding = this.#state.is("syncing") && this.#decision === null;
    if (this.#state.is("idle") || this.#asked !== null || isDeciding) return Number.POSITIVE_INFINITY;
    if (this.#retryAtMs > nowMs) return this.#retryAtMs;
    const { coordinator, cluster } = this.#parts;
    const nodeId = coordinator.ready();
    if (nodeId === null) return coordinator.retryAtMs;
    // Committed offsets will be asked for over this one, which takes a moment to make.
    cluster.ready(nodeId, "main");
    if (this.#state.is("joining")) this.#parts.metrics.rebalanceTried(nowMs);
    const request = this.#state.is("joining") ? this.#join(nodeId) : this.#sync(nodeId);
    if (request === null) return Number.POSITIVE_INFINITY;
    this.#asked = request;
    this.#askedAtMs = nowMs;
    requests.push(request);
    return Number.POSITIVE_INFINITY;
  }

  #join(nodeId: number): OutgoingRequest | null {
    let offered: readonly OfferedProtocol[];
    try {
      offered = this.#parts.offered();
    } catch (error) {
      this.#fail(error);
      return null;
    }
    const request: OutgoingRequest = this.#parts.requests.join(nodeId, this.#identity, offered, this.#reason, {
      onAnswer: (answer) => this.#ended(request, () => this.#onJoined(nodeId, answer)),
      onFailure: (error) => this.#ended(request, () => this.#onFailure(nodeId, error)),
    });
    return request;
  }

  #sync(nodeId: number): OutgoingRequest {
    const { requests } = this.#parts;
    const decision = this.#decision ?? [];
    const request: OutgoingRequest = requests.sync(nodeId, this.#identity, this.#protocolName, decision, {
      onAnswer: (answer) => this.#ended(request, () => this.#onSynced(nodeId, answer)),
      onFailure: (error) => this.#ended(request, () => this.#onFailure(nodeId, error)),
    });
    return request;
  }

  /** What comes for a request that was given up is of no interest. */
  #ended(request: OutgoingRequest, take: () => void): void {
    if (this.#asked !== request) return;
    this.#asked = null;
    take();
  }

  #onJoined(nodeId: number, answer: JoinGroupResponse): void {
    const { errorCode, memberId, generationId, protocolName, protocolType } = answer;
    if (errorCode !== 0) {
      this.#onRefused("JoinGroup", nodeId, new BrokerError(errorCode, this.#about("joining")), memberId);
    } else if ((protocolType ?? consumerProtocolType) !== consumerProtocolType) {
      this.#fail(this.#inconsistent("joining", "it is no group of consumers"));
    } else {
      this.#failures = 0;
      this.#parts.coordinator.answered();
      this.#parts.metrics.joined(this.#askedAtMs);
      this.#become({ ...this.#identity, memberId, generationId });
      this.#protocolName = protocolName;
      this.#leaderId = answer.leader;
      this.#leader = null;
      this.#decision = [];
      this.#state.to("syncing");
      if (answer.leader === memberId) this.#lead(answer);
    }
  }

  #lead({ members, protocolName, skipAssignment }: JoinGroupResponse): void {
    const assignor = this.#parts.options.partitionAssignmentStrategy.find(({ name }) => name === protocolName);
    try {
      if (assignor === undefined)
        throw this.#inconsistent("joining", `${protocolName} is not what this member offered`);
      this.#leader = new GroupLeader(assignor, members);
      // A static leader is back, and all have what they had: it only has to watch the topics.
      if (!skipAssignment) this.#decision = null;
    } catch (error) {
      this.#fail(error);
    }
    this.#parts.onTopics();
  }

  /** Decides as the leader, as soon as it is known what there is to assign. */
  #decide(): void {
    const { snapshot } = this.#parts.cluster.metadata;
    const leader = this.#leader;
    const isDue = this.#state.is("syncing") && this.#decision === null && this.#deciding !== leader;
    if (!isDue || leader?.isInformed(snapshot) !== true) return;
    try {
      const decision = leader.decide(snapshot);
      if (decision instanceof Promise) void this.#await(leader, decision);
      else this.#decision = decision;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** By the time that it has decided it may lead no more: what it says is void then. */
  async #await(leader: GroupLeader, deciding: Promise<readonly EncodedAssignment[]>): Promise<void> {
    this.#deciding = leader;
    try {
      const decision = await deciding;
      if (this.#leader === leader) this.#decision = decision;
    } catch (error) {
      if (this.#leader === leader) this.#fail(error);
    }
    if (this.#deciding === leader) this.#deciding = null;
    this.#parts.onTopics();
  }

  #onSynced(nodeId: number, { errorCode, protocolType, protocolName, assignment }: SyncGroupResponse): void {
    if (errorCode !== 0) {
      this.#onRefused("SyncGroup", nodeId, new BrokerError(errorCode, this.#about("asking for the assignment")));
      return;
    }
    try {
      if ((protocolType ?? consumerProtocolType) !== consumerProtocolType) {
        throw this.#inconsistent("asking for the assignment", "it is no group of consumers");
      }
      if ((protocolName ?? this.#protocolName) !== this.#protocolName) {
        throw this.#inconsistent("asking for the assignment", `it is by ${protocolName}, not by ${this.#protocolName}`);
      }
      const given = decodeAssignment(assignment);
      this.#parts.metrics.synced(this.#askedAtMs);
      this.#parts.metrics.rebalanceEnded();
      this.#state.to("idle");
      this.#parts.onAssigned({ given, leaderId: this.#leaderId, assignorName: this.#protocolName });
    } catch (error) {
      this.#fail(error);
    }
  }

  #onRefused(request: ClassicRequest, nodeId: number, error: BrokerError, memberId = ""): void {
    const verdict = classicVerdict(request, error);
    // With an id of its own it joins at once, as any member must that is new.
    if (verdict !== "takeId") this.#parts.metrics.rebalanceFailed();
    this.#again();
    if (verdict === "takeId") this.#become({ ...this.#identity, memberId, generationId: -1 });
    else if (verdict === "displaced") this.#become(displaced(this.#identity));
    else if (verdict === "forgotten") this.#become(outsider(this.#identity.groupInstanceId));
    else if (verdict === "retry" || verdict === "findCoordinator") {
      if (verdict === "findCoordinator") this.#parts.coordinator.lost(nodeId, error);
      this.#retryLater();
    } else if (verdict !== "rejoin") {
      if (verdict === "fenced") this.#become(displaced(this.#identity));
      this.#fail(error);
    }
  }

  #onFailure(nodeId: number, error: Error): void {
    // Without a name there is always a version that would do.
    if (error instanceof UnsupportedVersionError && this.#identity.groupInstanceId !== null) {
      error.of("groupInstanceId takes Kafka 2.3 or newer");
    }
    if (!(error instanceof KafkaError && error.retriable)) {
      this.#fail(error);
      return;
    }
    this.#parts.metrics.rebalanceFailed();
    this.#parts.coordinator.lost(nodeId, error);
    this.#again();
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retryAtMs = this.#parts.clock.now() + this.#backoff(this.#failures);
    this.#failures += 1;
  }

  #become(identity: MemberIdentity): void {
    this.#identity = Object.freeze(identity);
    this.#parts.onIdentity(this.#identity);
  }

  /** Joins once more; what was decided is void. */
  #again(): void {
    this.#leader = null;
    this.#decision = null;
    if (this.#state.is("syncing")) this.#state.to("joining");
  }

  #fail(error: unknown): void {
    this.stop();
    this.#parts.onError(error instanceof Error ? error : new Error(String(error)));
  }

  #about(what: string): string {
    return `${what} in group ${this.#parts.coordinator.groupId}`;
  }

  #inconsistent(what: string, reason: string): KafkaError {
    return new KafkaError(`${this.#about(what)}: ${reason}`, { code: "INCONSISTENT_GROUP_PROTOCOL" });
  }
}
