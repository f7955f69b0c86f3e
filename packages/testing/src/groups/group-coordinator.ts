import type { Clock, Timer } from "../clock.ts";
import type { GroupSettings } from "../cluster-options.ts";
import type { Topics } from "../topics/topics.ts";
import { ClassicGroup } from "./classic-group.ts";
import { CommittedOffsets } from "./committed-offsets.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { GroupError } from "./group-error.ts";

/** A group: who is in it, by which protocol, and how far it has read. */
export interface Group {
  readonly groupId: string;
  readonly offsets: CommittedOffsets;
  membership: ClassicGroup | ConsumerGroup;
}

/**
 * The groups of a cluster. Which broker coordinates one is decided elsewhere: what it knows moves with it.
 *
 * A group changes its protocol when it is empty; members of both at once are refused.
 */
export class GroupCoordinator {
  readonly settings: GroupSettings;
  readonly #clock: Clock;
  readonly #topics: Topics;
  readonly #groups = new Map<string, Group>();
  readonly #watchers = new Set<() => void>();
  #expiration: Timer | null = null;

  constructor(clock: Clock, topics: Topics, settings: GroupSettings) {
    this.#clock = clock;
    this.#topics = topics;
    this.settings = settings;
  }

  /** Begins to look for offsets that are too old. */
  start(): void {
    const { offsetsRetentionCheckIntervalMs } = this.settings;
    this.#expiration = this.#clock.after(offsetsRetentionCheckIntervalMs, () => {
      this.#expireOffsets();
      this.start();
    });
  }

  /** Calls `onCommit` after every commit of an offset, until the returned function is called. */
  watch(onCommit: () => void): () => void {
    this.#watchers.add(onCommit);
    return () => this.#watchers.delete(onCommit);
  }

  all(): Group[] {
    return [...this.#groups.values()];
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  /** The group with members of the classic protocol; `undefined` where there is none, and it may not be created. */
  classic(groupId: string, mayCreate: boolean): ClassicGroup | undefined {
    const group = this.#groups.get(groupId) ?? (mayCreate ? this.getOrCreate(groupId) : undefined);
    if (group === undefined) return undefined;
    if (group.membership instanceof ClassicGroup) return group.membership;
    if (!group.membership.isEmpty) throw new GroupError("INCONSISTENT_GROUP_PROTOCOL");
    if (!mayCreate) return undefined;
    const membership = new ClassicGroup(this.#clock, this.settings);
    group.membership = membership;
    return membership;
  }

  /**
   * The group with members of the consumer protocol.
   *
   * @throws GroupError
   */
  consumer(groupId: string, mayCreate: boolean): ConsumerGroup {
    const group = this.#groups.get(groupId) ?? (mayCreate ? this.getOrCreate(groupId) : undefined);
    if (group?.membership instanceof ConsumerGroup) return group.membership;
    if (group === undefined || !mayCreate || !group.membership.isEmpty) {
      throw new GroupError("GROUP_ID_NOT_FOUND", `Group ${groupId} not found.`);
    }
    const membership = new ConsumerGroup(this.#clock, this.#topics, this.settings);
    group.membership = membership;
    return membership;
  }

  getOrCreate(groupId: string): Group {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const membership = new ClassicGroup(this.#clock, this.settings);
    const offsets = new CommittedOffsets(this.#clock, () => this.#onCommit());
    const group: Group = { groupId, offsets, membership };
    this.#groups.set(groupId, group);
    return group;
  }

  /** @throws GroupError */
  delete(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) throw new GroupError("GROUP_ID_NOT_FOUND");
    if (!group.membership.isEmpty) throw new GroupError("NON_EMPTY_GROUP");
    group.membership.close();
    this.#groups.delete(groupId);
  }

  /** Forgets the offsets of partitions that are no more. */
  onTopicsChanged(): void {
    for (const { offsets } of this.#groups.values()) {
      offsets.keep((topic, partition) => this.#topics.partition(topic, partition) !== undefined);
    }
  }

  close(): void {
    this.#expiration?.cancel();
    for (const { membership } of this.#groups.values()) membership.close();
    this.#groups.clear();
  }

  /** @see GroupMetadataManager.cleanupExpiredOffsets (apache/kafka) */
  #expireOffsets(): void {
    const nowMs = this.#clock.now();
    for (const { groupId, membership, offsets } of this.all()) {
      const baseOf = (topic: string, commitTimestampMs: number) =>
        membership.isSubscribedTo(topic) === false ? membership.expirationBase(commitTimestampMs) : null;
      offsets.expire({ nowMs, retentionMs: this.settings.offsetsRetentionMs, baseOf });
      // Nothing is known of it any more.
      if (offsets.isEmpty && membership.isEmpty) this.delete(groupId);
    }
  }

  #onCommit(): void {
    for (const onCommit of [...this.#watchers]) onCommit();
  }
}
