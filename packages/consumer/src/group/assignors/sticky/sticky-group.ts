import type { TopicPartition } from "@odradek/network";
import type { AssignableTopics, MemberAssignment, MemberSubscription } from "../../partition-assignor.ts";
import { byMemberId, compareText } from "../member-order.ts";
import { isRackAware, rackOf } from "../racks.ts";
import { type Claim, formerOwner, ownerOf } from "./claim.ts";

/** What a member says that it holds, and since which generation; -1 where it does not say. */
export interface Holding {
  readonly partitions: readonly TopicPartition[];
  readonly generationId: number;
}

export class StickyMember {
  /** Among the members by id. */
  readonly place: number;
  readonly memberId: string;
  /** `null` also where racks make no difference. */
  readonly rack: string | null;
  /** Those of its topics that exist: the same set for members that named the same topics. */
  readonly topics: ReadonlySet<string>;
  /** How many partitions it has. */
  load = 0;

  constructor(place: number, memberId: string, rack: string | null, topics: ReadonlySet<string>) {
    this.place = place;
    this.memberId = memberId;
    this.rack = rack;
    this.topics = topics;
  }
}

export class StickyPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly racks: readonly string[];
  readonly claims: readonly Claim<StickyMember>[];
  /** Whose it was before, beyond doubt. */
  readonly owner: StickyMember | null;
  /** Whose it was before that. */
  readonly formerOwner: StickyMember | null;
  #reader: StickyMember | null = null;

  constructor({ topic, partition }: TopicPartition, racks: readonly string[], claims: readonly Claim<StickyMember>[]) {
    this.topic = topic;
    this.partition = partition;
    this.racks = racks;
    this.claims = claims;
    this.owner = ownerOf(claims);
    this.formerOwner = formerOwner(claims);
  }

  /** Who is to read it; `null` until that is decided. */
  get reader(): StickyMember | null {
    return this.#reader;
  }

  giveTo(member: StickyMember | null): void {
    if (this.#reader !== null) this.#reader.load--;
    this.#reader = member;
    if (member !== null) member.load++;
  }

  /** Whether the member has a replica nearby, or does not mind. */
  isNear({ rack }: StickyMember): boolean {
    return rack === null || this.racks.includes(rack);
  }

  /** Whether somebody other than its reader holds it, and has to give it up first. */
  get changesHands(): boolean {
    return this.claims.length > 0 && this.owner !== this.#reader;
  }
}

/** The members of a group by id, and the partitions that are theirs to read by topic and number. */
export class StickyGroup {
  readonly members: readonly StickyMember[];
  readonly partitions: readonly StickyPartition[];

  constructor(
    topics: AssignableTopics,
    subscriptions: readonly MemberSubscription[],
    holdingOf: (subscription: MemberSubscription) => Holding,
  ) {
    const sorted = [...subscriptions].sort(byMemberId);
    const lists = new Map(sorted.map(({ topics: names }) => [names.join(), names] as const));
    const known = new Map(
      [...lists].map(([key, names]) => [key, new Set(names.filter((name) => topics.has(name)))] as const),
    );
    const names = [...new Set([...known.values()].flatMap((some) => [...some]))].sort(compareText);
    const assignable = names.flatMap((topic) => topics.get(topic) ?? []);
    const isAware = isRackAware(sorted.map(rackOf), assignable);
    this.members = sorted.map((each, place) => {
      const rack = isAware ? rackOf(each) : null;
      return new StickyMember(place, each.memberId, rack, known.get(each.topics.join()) ?? new Set());
    });

    const claims = new Map(names.map((topic) => [topic, new Map<number, Claim<StickyMember>[]>()] as const));
    for (const { topic, partition } of assignable) claims.get(topic)?.set(partition, []);
    sorted.forEach((subscription, place) => {
      const member = this.members[place];
      if (member === undefined) return;
      const { partitions, generationId } = holdingOf(subscription);
      for (const { topic, partition } of partitions) claims.get(topic)?.get(partition)?.push({ member, generationId });
    });
    this.partitions = assignable.map(
      (partition) =>
        new StickyPartition(
          partition,
          [...new Set(partition.racks)],
          claims.get(partition.topic)?.get(partition.partition) ?? [],
        ),
    );
  }

  /** Whether all members subscribed to the same topics, of those that exist. */
  get isUniform(): boolean {
    const [first, ...others] = new Set(this.members.map(({ topics }) => topics));
    return others.every((topics) => topics.size === first?.size && [...topics].every((topic) => first.has(topic)));
  }

  /** What has been decided, less the partitions that are to be withheld. */
  assignments(isWithheld: (partition: StickyPartition) => boolean = () => false): MemberAssignment[] {
    const read = new Map(this.members.map((member) => [member, [] as TopicPartition[]] as const));
    for (const each of this.partitions) {
      const { topic, partition, reader } = each;
      if (reader !== null && !isWithheld(each)) read.get(reader)?.push({ topic, partition });
    }
    return [...read].map(([{ memberId }, partitions]) => ({ memberId, partitions }));
  }
}
