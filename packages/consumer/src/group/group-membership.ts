import type { Clock, Deadline, Logger } from "@odradek/network";
import type { ClusterView } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { CoordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import type { AutoCommit } from "../offsets/auto-commit.ts";
import type { Committer } from "../offsets/offset-commits.ts";
import type { Due } from "../outgoing-request.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";
import type { GroupCoordinator } from "./group-coordinator.ts";
import type { GroupDiagnostics } from "./group-diagnostics.ts";
import type { MemberIdentity } from "./member-identity.ts";
import type { Subscription } from "./subscription.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  | "clientRack"
  | "groupInstanceId"
  | "groupRemoteAssignor"
  | "heartbeatIntervalMs"
  | "maxPollIntervalMs"
  | "partitionAssignmentStrategy"
  | "requestTimeoutMs"
  | "retryBackoffMaxMs"
  | "retryBackoffMs"
  | "sessionTimeoutMs"
>;

/** What a membership needs of the rest of its consumer. */
export interface MembershipParts {
  readonly options: Options;
  readonly coordinator: GroupCoordinator;
  readonly cluster: ClusterView;
  /** What is wanted. */
  readonly subscription: Subscription;
  /** What is had. */
  readonly assignment: SubscriptionState;
  readonly autoCommit: AutoCommit;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CoordinatorMetrics;
  readonly diagnostics: GroupDiagnostics;
  /** Called when something changed that is worth another look, and when other topics are to be known of. */
  readonly onChange: () => void;
}

/** One consumer's place in a group, whatever protocol the group speaks. It makes requests and sends none. */
export interface GroupMembership extends Committer {
  /** Who it is at the moment. */
  readonly identity: MemberIdentity;
  /** The topics that it has to know of. */
  readonly topics: Iterable<string>;
  /** Whether partitions are about to be given up, or are another's already, so that no more of their records may be handed out. */
  readonly isHoldingBack: boolean;
  /** Whether the next poll will have something to tell or to ask the group before it reads on: a loop should not keep it waiting. */
  readonly isRebalanceDue: boolean;
  /** What went wrong since the last call, and will again: for the user. */
  takeError(): Error | null;
  /** The calls of the listener that are due: for a poll, which runs and awaits them. */
  takeTask(): (() => Promise<void>) | null;
  /** The application polls. */
  pollBegan(): void;
  /** The application has what it polled for, or its listener works. */
  pollEnded(): void;
  /** Has the group rebalanced, from the next poll on, where members can. @param reason for the logs of the broker */
  requestRejoin(reason: string): void;
  /** Begins what is to change hands. Only for an application that is done with all that was handed out, as when it polls. */
  rebalanceIfDue(): void;
  /** @param isDone whether the application waits in a poll that has found nothing yet, and thus is done with all that came before */
  poll(nowMs: number, isDone: boolean): Due;
  /** Tells the listener that everything goes, and gives it up. @throws what the listener throws, at the end */
  giveUp(): Promise<void>;
  /**
   * Is a member no more.
   *
   * @param isTold whether the coordinator is told, so that the others need not wait until the session is over
   * @returns settles when it was told, or could not be before the deadline
   */
  leave(reason: string, isTold: boolean, deadline: Deadline): Promise<void>;
  /** Ends what it still waits for. */
  cancel(): void;
}
