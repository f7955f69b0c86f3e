import type { AssignablePartition } from "../../partition-assignor.ts";
import { isRackAware } from "../racks.ts";
import { RangeQuotas } from "./range-quotas.ts";

export interface RangeMember {
  readonly memberId: string;
  readonly rack: string | null;
}

/** The partitions of one topic on their way to those who subscribed to it. */
export class TopicRange {
  readonly partitions: readonly AssignablePartition[];
  /** In the order of members. */
  readonly subscribers: readonly RangeMember[];
  readonly isRackAware: boolean;
  readonly #quotas: RangeQuotas;
  /** Who reads the partition at the same place. */
  readonly #readers: (RangeMember | undefined)[];

  constructor(partitions: readonly AssignablePartition[], subscribers: readonly RangeMember[]) {
    this.partitions = partitions;
    this.subscribers = subscribers;
    this.isRackAware = isRackAware(
      subscribers.map(({ rack }) => rack),
      partitions,
    );
    this.#quotas = new RangeQuotas(partitions.length, subscribers.length);
    this.#readers = new Array<RangeMember | undefined>(partitions.length).fill(undefined);
  }

  /** Whether the subscriber at this place may take another partition; once it may not, it never may again. */
  hasRoom(subscriber: number): boolean {
    return this.#quotas.hasRoom(subscriber);
  }

  give(partition: number, subscriber: number): void {
    this.#readers[partition] = this.subscribers[subscriber];
    this.#quotas.take(subscriber);
  }

  /** To each subscriber in turn the first partitions that have a replica in its rack; to one without a rack, simply the first. */
  assignWithinRacks(): void {
    const byRack = new Map<string | null, Iterator<number>>();
    for (const [subscriber, { rack }] of this.subscribers.entries()) {
      let open = byRack.get(rack);
      if (open === undefined) {
        open = this.#openPartitions(({ racks }) => rack === null || racks.includes(rack));
        byRack.set(rack, open);
      }
      this.#fill(subscriber, open);
    }
  }

  /** To each subscriber in turn the first partitions that nobody has. */
  assignRest(): void {
    const open = this.#openPartitions(() => true);
    for (const subscriber of this.subscribers.keys()) this.#fill(subscriber, open);
  }

  /** Each partition with its reader. */
  *assigned(): Generator<readonly [RangeMember, number]> {
    for (const [place, { partition }] of this.partitions.entries()) {
      const reader = this.#readers[place];
      if (reader !== undefined) yield [reader, partition];
    }
  }

  #fill(subscriber: number, open: Iterator<number>): void {
    while (this.hasRoom(subscriber)) {
      const next = open.next();
      if (next.done === true) return;
      this.give(next.value, subscriber);
    }
  }

  /** Goes over partitions once, and passes over those that have found a reader when their turn comes. */
  *#openPartitions(isWanted: (partition: AssignablePartition) => boolean): Generator<number, undefined> {
    for (const [place, partition] of this.partitions.entries()) {
      if (this.#readers[place] === undefined && isWanted(partition)) yield place;
    }
  }
}
