import { type Backoff, type Clock, exponentialBackoff, type Logger } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import type { HeartbeatResponse } from "@odradek/protocol/messages/heartbeat";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { CoordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import type { OutgoingRequest } from "../outgoing-request.ts";
import type { ClassicRequests } from "./classic-requests.ts";
import { classicVerdict, type Verdict } from "./classic-verdicts.ts";
import type { GroupCoordinator } from "./group-coordinator.ts";
import type { GroupDiagnostics } from "./group-diagnostics.ts";
import type { MemberIdentity } from "./member-identity.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "heartbeatIntervalMs" | "retryBackoffMaxMs" | "retryBackoffMs" | "sessionTimeoutMs"
>;

interface HeartbeatParts {
  readonly options: Options;
  readonly requests: ClassicRequests;
  readonly coordinator: GroupCoordinator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<CoordinatorMetrics, "heartbeatAnswered" | "heartbeatSent">;
  readonly diagnostics: Pick<GroupDiagnostics, "heartbeatTaken">;
  /** Called when the coordinator says that the member, as which the heartbeat was sent, is not what it takes itself for. */
  readonly onRefused: (error: BrokerError, verdict: Verdict, identity: MemberIdentity) => void;
}

/** Says to the coordinator of a classic group that a member lives. Source: Kafka's `Heartbeat` and `HeartbeatThread`. */
export class Heartbeats {
  readonly #parts: HeartbeatParts;
  readonly #backoff: Backoff;
  #underWay: OutgoingRequest | null = null;
  #failures = 0;
  #dueAtMs = 0;
  /** When the coordinator will have forgotten the member, unless it answers before. */
  #sessionEndsAtMs = 0;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#backoff = exponentialBackoff(parts.options.retryBackoffMs, parts.options.retryBackoffMaxMs);
  }

  /** The coordinator has just heard of the member. */
  restart(): void {
    const { options, clock } = this.#parts;
    this.#underWay = null;
    this.#dueAtMs = clock.now() + options.heartbeatIntervalMs;
    this.#heard();
  }

  /** Adds the one that is due. @returns when to look again */
  poll(nowMs: number, identity: MemberIdentity, requests: OutgoingRequest[]): number {
    if (this.#sessionEndsAtMs <= nowMs) this.#onSessionOver();
    if (this.#underWay !== null) return this.#sessionEndsAtMs;
    if (this.#dueAtMs > nowMs) return Math.min(this.#sessionEndsAtMs, this.#dueAtMs);
    const { coordinator, metrics, options } = this.#parts;
    const nodeId = coordinator.ready();
    if (nodeId === null) return Math.min(this.#sessionEndsAtMs, coordinator.retryAtMs);
    this.#dueAtMs = nowMs + options.heartbeatIntervalMs;
    const request = this.#parts.requests.heartbeat(nodeId, identity, {
      onAnswer: (answer) => {
        metrics.heartbeatAnswered(nowMs);
        this.#ended(request, () => this.#onAnswer(nodeId, identity, answer));
      },
      onFailure: (error) => this.#ended(request, () => this.#onFailure(nodeId, error)),
    });
    this.#underWay = request;
    metrics.heartbeatSent(nowMs);
    requests.push(request);
    return this.#sessionEndsAtMs;
  }

  /** What comes for one that was given up is of no interest. */
  #ended(request: OutgoingRequest, take: () => void): void {
    if (this.#underWay !== request) return;
    this.#underWay = null;
    take();
  }

  #onAnswer(nodeId: number, identity: MemberIdentity, { errorCode }: HeartbeatResponse): void {
    const { coordinator, diagnostics, onRefused } = this.#parts;
    if (errorCode === 0) {
      this.#failures = 0;
      coordinator.answered();
      this.#heard();
      diagnostics.heartbeatTaken(identity);
      return;
    }
    const error = new BrokerError(errorCode, `a heartbeat to group ${coordinator.groupId}`);
    const verdict = classicVerdict("Heartbeat", error);
    if (verdict === "retry") this.#retry();
    else if (verdict === "findCoordinator") this.#onFailure(nodeId, error);
    else {
      // Whoever is called to a rebalance is known.
      if (verdict === "rejoin") this.#heard();
      onRefused(error, verdict, identity);
    }
  }

  #onFailure(nodeId: number, error: Error): void {
    this.#parts.coordinator.lost(nodeId, error);
    this.#retry();
  }

  #retry(): void {
    this.#dueAtMs = Math.min(this.#dueAtMs, this.#parts.clock.now() + this.#backoff(this.#failures));
    this.#failures += 1;
  }

  #heard(): void {
    this.#sessionEndsAtMs = this.#parts.clock.now() + this.#parts.options.sessionTimeoutMs;
  }

  /** Nobody answers who takes himself for the coordinator: perhaps it is another. */
  #onSessionOver(): void {
    const { coordinator, logger, options } = this.#parts;
    const { sessionTimeoutMs } = options;
    logger.warn("no heartbeat was answered: looks for the coordinator anew", { sessionTimeoutMs });
    coordinator.suspect();
    this.#underWay = null;
    this.#dueAtMs = this.#parts.clock.now();
    this.#heard();
  }
}
