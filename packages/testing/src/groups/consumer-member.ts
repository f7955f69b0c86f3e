import type { Timer } from "../clock.ts";
import type { PartitionKey } from "./server-assignors.ts";

/**
 * `stable` has what the target gives it, at the target's epoch. `unrevokedPartitions` still has to give some up.
 * `unreleasedPartitions` waits for some that others still have.
 *
 * @see MemberState (apache/kafka)
 */
type MemberState = "stable" | "unrevokedPartitions" | "unreleasedPartitions";

type Partitions = ReadonlySet<PartitionKey>;

const none: Partitions = new Set();

/** What the group wants a member to have, and from which epoch on. */
export interface Target {
  readonly epoch: number;
  readonly partitions: Partitions;
}

export interface Subscription {
  readonly topicNames: readonly string[];
  /** `null` where it subscribes by name alone. */
  readonly regex: string | null;
}

/** A member of a group of the consumer protocol (KIP-848). */
export class ConsumerMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rackId: string | null = null;
  rebalanceTimeoutMs = -1;
  serverAssignor: string | null = null;
  subscription: Subscription = { topicNames: [], regex: null };
  /** What the group wants it to have. */
  target: Partitions = none;
  /** Rings when it was silent for too long. */
  session: Timer | null = null;
  /** Rings when it takes too long to give up partitions. */
  revocation: Timer | null = null;
  #state: MemberState = "stable";
  #epoch = 0;
  #previousEpoch = -1;
  #assigned: Partitions = none;
  #pendingRevocation: Partitions = none;

  constructor(memberId: string, instanceId: string | null, client: { clientId: string; clientHost: string }) {
    this.memberId = memberId;
    this.instanceId = instanceId;
    this.clientId = client.clientId;
    this.clientHost = client.clientHost;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get previousEpoch(): number {
    return this.#previousEpoch;
  }

  get state(): MemberState {
    return this.#state;
  }

  /** What it was told to own. */
  get assigned(): Partitions {
    return this.#assigned;
  }

  /** Whether it owns the partition, or may still do so. */
  holds(key: PartitionKey): boolean {
    return this.#assigned.has(key) || this.#pendingRevocation.has(key);
  }

  /** A static member that has left and will be back: it keeps what it has. */
  leaveForAWhile(): void {
    this.#epoch = -2;
    this.#pendingRevocation = none;
  }

  /** Takes the place of a static member that has left. */
  inherit(old: ConsumerMember): void {
    this.rackId = old.rackId;
    this.rebalanceTimeoutMs = old.rebalanceTimeoutMs;
    this.serverAssignor = old.serverAssignor;
    this.subscription = old.subscription;
    this.target = old.target;
    this.#assigned = old.#assigned;
    this.#state = "stable";
  }

  /**
   * Goes one step towards the target.
   *
   * @param owned what the member says that it owns; `null` for no change
   * @param isFree whether nobody else holds a partition
   * @see CurrentAssignmentBuilder (apache/kafka)
   */
  reconcile(target: Target, owned: Partitions | null, isFree: (key: PartitionKey) => boolean): void {
    if (this.#state === "stable" && this.#epoch === target.epoch) return;
    if (this.#state === "unrevokedPartitions" && this.#owns(this.#pendingRevocation, owned)) return;
    const kept = new Set([...this.#assigned].filter((key) => target.partitions.has(key)));
    const toRevoke = new Set([...this.#assigned].filter((key) => !target.partitions.has(key)));
    const missing = [...target.partitions].filter((key) => !kept.has(key));
    const toAssign = missing.filter(isFree);
    if (toRevoke.size > 0 && this.#owns(toRevoke, owned)) {
      // It stays in its epoch until it has said that it gave them up.
      this.#state = "unrevokedPartitions";
      this.#assigned = kept;
      this.#pendingRevocation = toRevoke;
      return;
    }
    this.#state = toAssign.length < missing.length ? "unreleasedPartitions" : "stable";
    this.#assigned = new Set([...kept, ...toAssign]);
    this.#pendingRevocation = none;
    this.#advance(target.epoch);
  }

  /** A member that does not say what it owns may own all of it. */
  #owns(keys: Partitions, owned: Partitions | null): boolean {
    return owned === null || [...keys].some((key) => owned.has(key));
  }

  #advance(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#previousEpoch = this.#epoch;
    this.#epoch = epoch;
  }
}
