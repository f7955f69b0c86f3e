import type { TopicPartition } from "@odradek/network";
import type { Api, Fields } from "@odradek/protocol";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { RecordingLogger } from "../../../network/test/recording-logger.ts";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import { GroupDiagnostics } from "../../src/group/group-diagnostics.ts";
import type { GroupMembership, MembershipParts } from "../../src/group/group-membership.ts";
import type { ConsumerRebalanceListener } from "../../src/group/rebalance-listener.ts";
import { Subscription } from "../../src/group/subscription.ts";
import { AutoCommit } from "../../src/offsets/auto-commit.ts";
import { type Committer, OffsetCommits } from "../../src/offsets/offset-commits.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import {
  groupOptions,
  namesOf,
  type ScriptedFinder,
  scriptedCoordinator,
  taken,
  texts,
  turn,
} from "./scripted-group.ts";

/** A member of the group `billing` that subscribed to `orders`, and an application that polls it while a test lets it. */
export class GroupMember<M extends GroupMembership & { readonly state: string }> {
  readonly logger = new RecordingLogger();
  readonly assignment = new SubscriptionState();
  readonly subscription: Subscription;
  readonly commits: OffsetCommits;
  readonly autoCommit: AutoCommit;
  readonly membership: M;
  readonly cluster;
  readonly clock;
  readonly finder;
  readonly coordinator;
  readonly options;
  /** What it measures. */
  readonly values;
  /** What was sent and is not answered. */
  readonly sent: OutgoingRequest[] = [];
  /** What the listener was told, such as `assigned orders-0`. */
  readonly told: string[] = [];
  /** What polls threw. */
  readonly thrown: Error[] = [];
  /** What the listener does besides. */
  onCall: (call: string) => void | Promise<void> = () => {};
  /** Something changed that is worth another look. */
  onChange: () => void = () => {};
  isPolling = true;
  /** When it is to be looked at again. */
  nextMs = Number.POSITIVE_INFINITY;

  constructor(
    Membership: new (parts: MembershipParts) => M,
    options: Partial<ConsumerOptions>,
    finder: ScriptedFinder | undefined,
  ) {
    const { assignment, logger } = this;
    const scripted = scriptedCoordinator(groupOptions({ enableAutoCommit: false, ...options }), finder, assignment);
    const { options: resolved, cluster, clock, coordinator, metrics, values } = scripted;
    this.options = resolved;
    this.cluster = cluster;
    this.clock = clock;
    this.finder = scripted.finder;
    this.coordinator = coordinator;
    this.values = values;
    this.subscription = new Subscription(resolved);
    const committer: Committer = {
      committer: () => this.membership.committer(),
      commitRefused: (error, identity) => this.membership.commitRefused(error, identity),
    };
    this.commits = new OffsetCommits(resolved, coordinator, committer, clock, metrics);
    this.autoCommit = new AutoCommit(resolved, this.commits, committer, assignment, clock, logger);
    this.membership = new Membership({
      options: resolved,
      coordinator,
      cluster,
      subscription: this.subscription,
      assignment,
      autoCommit: this.autoCommit,
      clock,
      logger,
      metrics,
      diagnostics: new GroupDiagnostics(coordinator.groupId, resolved.clientId, resolved.diagnostics),
      onChange: () => this.onChange(),
    });
    this.subscribe(["orders"]);
  }

  readonly listener: ConsumerRebalanceListener = {
    onPartitionsAssigned: (partitions) => this.#tell("assigned", partitions),
    onPartitionsRevoked: (partitions) => this.#tell("revoked", partitions),
    onPartitionsLost: (partitions) => this.#tell("lost", partitions),
  };

  subscribe(topics: readonly string[]): void {
    this.subscription.subscribe(topics, this.listener);
  }

  /** The partitions that it has. */
  get owned(): string[] {
    return texts(this.assignment.partitions()).sort();
  }

  /** The names of what was sent and is not answered. */
  get asked(): string[] {
    return namesOf(this.sent);
  }

  get state(): string {
    return this.membership.state;
  }

  /** Lets happen what is due: requests, and, while the application polls, calls of the listener and errors. */
  async settle(): Promise<void> {
    for (let rounds = 0; rounds < 8; rounds++) {
      this.look();
      await turn();
      if (!this.isPolling) continue;
      const task = this.membership.takeTask();
      if (task !== null) await this.#run(task);
      // So that one error is told once, and nothing goes on until it was.
      const error = task === null ? (this.membership.takeError() ?? this.coordinator.takeError()) : null;
      if (error !== null) {
        this.thrown.push(error);
        // What settles next is another poll.
        this.membership.pollBegan();
        return;
      }
    }
  }

  /** Asks once what is to be sent. */
  look(): void {
    const nowMs = this.clock.now();
    const dues = [this.membership.poll(nowMs, this.isPolling), this.commits.poll(nowMs)];
    this.nextMs = Math.min(...dues.map(({ nextMs }) => nextMs));
    for (const { requests } of dues) this.sent.push(...requests);
  }

  /** Lets time pass, from one moment at which something is due to the next. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await this.settle();
    while (this.nextMs <= untilMs) {
      this.clock.advanceTo(Math.max(this.clock.now() + 1, this.nextMs));
      await this.settle();
    }
    this.clock.advanceTo(Math.max(untilMs, this.clock.now()));
    await this.settle();
  }

  /** The application polls no more: it works on what it has. */
  work(): void {
    this.isPolling = false;
    this.membership.pollEnded();
  }

  /** The application polls again. */
  async comeBack(): Promise<void> {
    this.membership.pollBegan();
    this.isPolling = true;
    await this.settle();
  }

  take<Req extends Fields, Res extends Fields>(api: Api<Req, Res>) {
    return taken(this.sent, api);
  }

  /** Gives its partitions positions, as if it had read that far. */
  readTo(offset: bigint): void {
    for (const state of this.assignment.partitions()) state.seek({ offset, leaderEpoch: 3 });
  }

  takeCommit() {
    return this.take(OffsetCommit);
  }

  async #run(task: () => Promise<void>): Promise<void> {
    this.work();
    try {
      await task();
    } catch (error) {
      this.thrown.push(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.isPolling = true;
      this.membership.pollBegan();
    }
  }

  #tell(what: string, partitions: readonly TopicPartition[]): void | Promise<void> {
    const call = [what, ...texts(partitions)].join(" ");
    this.told.push(call);
    return this.onCall(call);
  }
}
