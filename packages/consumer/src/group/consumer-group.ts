import {
  type Clock,
  ClosedError,
  type ConsumerGroupMetadata,
  Coordinators,
  type Deadline,
  type Logger,
  type NetworkClient,
  type OffsetAndMetadata,
  type TopicPartition,
} from "@odradek/network";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { CoordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import { AutoCommit } from "../offsets/auto-commit.ts";
import type { CommittedOffset } from "../offsets/committed-offset.ts";
import { CommittedOffsets } from "../offsets/committed-offsets.ts";
import { type Committer, OffsetCommits } from "../offsets/offset-commits.ts";
import type { Due } from "../outgoing-request.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import { ClassicMembership } from "./classic-membership.ts";
import { ConsumerMembership } from "./consumer-membership.ts";
import { GroupCoordinator } from "./group-coordinator.ts";
import { GroupDiagnostics } from "./group-diagnostics.ts";
import { CommitFailedError } from "./group-errors.ts";
import type { GroupMembership } from "./group-membership.ts";
import { hasPlace, type MemberIdentity, outsider } from "./member-identity.ts";
import type { Subscription } from "./subscription.ts";

/** What a group needs of the rest of its consumer. */
export interface ConsumerGroupParts {
  readonly groupId: string;
  readonly options: ResolvedConsumerOptions<unknown, unknown>;
  readonly network: NetworkClient;
  readonly subscription: Subscription;
  readonly assignment: SubscriptionState;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when something changed that is worth another look, and when other topics are to be known of. */
  readonly onChange: () => void;
  /** Called with what the group has committed for this consumer. */
  readonly onCommitted: (offsets: readonly OffsetAndMetadata[]) => void;
}

/** All that a consumer has because it belongs to a group: its place there, and the offsets that the group has committed. */
export class ConsumerGroup {
  readonly groupId: string;
  readonly membership: GroupMembership;
  readonly autoCommit: AutoCommit;
  readonly committed: CommittedOffsets;
  readonly #parts: ConsumerGroupParts;
  readonly #coordinator: GroupCoordinator;
  readonly #commits: OffsetCommits;
  /** The last one as which it had a place in the group. */
  #lastPlace: MemberIdentity | null = null;

  constructor(parts: ConsumerGroupParts) {
    const { groupId, options, network, subscription, assignment, clock, logger, onChange, onCommitted } = parts;
    this.groupId = groupId;
    this.#parts = parts;
    const metrics = new CoordinatorMetrics(network.observer.registry, clock, assignment);
    const coordinators = new Coordinators(network, options, clock);
    this.#coordinator = new GroupCoordinator(groupId, options, network, coordinators, clock, onChange);
    const committer: Committer = {
      committer: () => (subscription.isAutomatic ? this.membership.committer() : outsider(null)),
      commitRefused: (error, identity) =>
        subscription.isAutomatic ? this.membership.commitRefused(error, identity) : new CommitFailedError(error),
      commitAccepted: onCommitted,
    };
    this.#commits = new OffsetCommits(options, this.#coordinator, committer, clock, metrics);
    this.committed = new CommittedOffsets(options, this.#coordinator, clock);
    this.autoCommit = new AutoCommit(options, this.#commits, committer, assignment, clock, logger);
    const Membership = options.groupProtocol === "consumer" ? ConsumerMembership : ClassicMembership;
    this.membership = new Membership({
      options,
      coordinator: this.#coordinator,
      cluster: network,
      subscription,
      assignment,
      autoCommit: this.autoCommit,
      clock,
      logger,
      metrics,
      diagnostics: new GroupDiagnostics(groupId, options.clientId, options.diagnostics),
      onChange,
    });
  }

  get metadata(): Required<ConsumerGroupMetadata> {
    this.#rememberPlace();
    const { memberId, generationId, groupInstanceId } = this.#lastPlace ?? this.membership.identity;
    return { groupId: this.groupId, generationId, memberId, groupInstanceId };
  }

  /** What it was says of one that has lost its place that it is nobody's: brokers take offsets of nobody as they come (KIP-447). */
  #rememberPlace(): void {
    const { identity } = this.membership;
    if (hasPlace(identity)) this.#lastPlace = identity;
  }

  /** What is to be sent. @param isDone whether the application waits in a poll that has found nothing yet */
  *due(nowMs: number, isDone: boolean): Generator<Due> {
    // Whatever takes it away comes later than the run in which it is there.
    this.#rememberPlace();
    if (this.#parts.subscription.isAutomatic) this.#parts.subscription.match(this.#parts.network.metadata);
    yield this.membership.poll(nowMs, isDone);
    if (isDone) yield { requests: [], nextMs: this.autoCommit.poll(nowMs) };
    yield this.#commits.poll(nowMs);
    yield this.committed.poll(nowMs);
  }

  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null {
    return this.membership.takeError() ?? this.#coordinator.takeError() ?? this.#topicError();
  }

  /** What the group has committed. @throws TimeoutError, BrokerError */
  lookUp(partitions: readonly TopicPartition[], deadline: Deadline): Promise<readonly CommittedOffset[]> {
    // Who calls anew wants another attempt, where one was refused.
    this.#coordinator.takeError();
    const looking = this.committed.lookUp(partitions, deadline);
    this.#parts.onChange();
    return looking;
  }

  /** @param isRetried whether errors that may pass are waited out */
  commit(offsets: readonly OffsetAndMetadata[], deadline: Deadline, isRetried: boolean): Promise<void> {
    const { onChange } = this.#parts;
    // Who calls anew wants another attempt, where one was refused.
    this.#coordinator.takeError();
    if (offsets.length === 0) return this.#commits.idle();
    const committing = this.#commits.commit(offsets, deadline, isRetried);
    onChange();
    return committing;
  }

  /**
   * Ends what belongs to the membership: the listener is told, then the coordinator.
   *
   * @param onLeft called once nothing of it is left here, whatever the coordinator knows by then
   * @throws what the listener throws, at the end
   */
  async leave(reason: string, isTold: boolean, deadline: Deadline, onLeft = () => {}): Promise<void> {
    try {
      await this.membership.giveUp();
    } finally {
      const leaving = this.membership.leave(reason, isTold, deadline);
      // Who leaves need not hear any more why it could not stay.
      this.membership.takeError();
      onLeft();
      this.#parts.onChange();
      await leaving;
    }
  }

  /** Commits what is to be committed by itself, and waits for what was to be committed anyway. Never throws. */
  async finishCommits(deadline: Deadline): Promise<void> {
    const { onChange, clock } = this.#parts;
    const committing = this.autoCommit.now(deadline);
    onChange();
    await committing;
    const timer = clock.after(deadline.remainingMs, () => this.#commits.cancel(new ClosedError("consumer")));
    await this.#commits.idle();
    timer.cancel();
  }

  /** What keeps a topic that it subscribed to from being read, and asking again will not mend. */
  #topicError(): Error | null {
    const { subscription, network } = this.#parts;
    if (subscription.type !== "AUTO_TOPICS" || network.metadata.snapshot.topicErrors.size === 0) return null;
    for (const topic of subscription.topics) {
      const error = network.metadata.fatalErrorOf(topic);
      if (error !== null) return error;
    }
    return null;
  }

  /** Ends all that still waits. */
  cancel(error: Error): void {
    this.#coordinator.close();
    this.membership.cancel();
    this.#commits.cancel(error);
    this.committed.cancel(error);
  }
}
