import { groupedBy } from "../grouping.ts";
import { LoadQueue } from "./load-queue.ts";
import type { StickyMember, StickyPartition } from "./sticky-group.ts";

/** Who may read a topic, the least loaded first. */
export class Subscribers {
  readonly members: readonly StickyMember[];
  readonly #all: LoadQueue;
  readonly #byRack = new Map<string | null, LoadQueue>();

  constructor(subscribed: readonly StickyMember[], members: readonly StickyMember[]) {
    this.members = subscribed;
    this.#all = new LoadQueue(subscribed, members);
    const racks = groupedBy(subscribed, ({ rack }) => rack);
    if (racks.size === 1 && racks.has(null)) this.#byRack.set(null, this.#all);
    else for (const [rack, inRack] of racks) this.#byRack.set(rack, new LoadQueue(inRack, members));
  }

  least(): StickyMember | undefined {
    return this.#all.least();
  }

  /** Of those that have the partition nearby. */
  leastNear({ racks }: StickyPartition): StickyMember | undefined {
    let least = this.#byRack.get(null)?.least();
    for (const rack of racks) {
      const other = this.#byRack.get(rack)?.least();
      if (other !== undefined && (least === undefined || isBefore(other, least))) least = other;
    }
    return least;
  }

  lowered(member: StickyMember): void {
    this.#all.lowered(member);
    const nearby = this.#byRack.get(member.rack);
    if (nearby !== this.#all) nearby?.lowered(member);
  }
}

const isBefore = (a: StickyMember, b: StickyMember): boolean =>
  a.load - b.load < 0 || (a.load === b.load && a.place < b.place);

/** By topic. Topics that the same members read have one value: in most groups that is a handful, however many topics there are. */
export function subscribersByTopic(members: readonly StickyMember[]): Map<string, Subscribers> {
  const lists = [...groupedBy(members, ({ topics }) => topics)];
  const listsOf = new Map<string, number[]>();
  for (const [list, [topics]] of lists.entries()) {
    for (const topic of topics) {
      const others = listsOf.get(topic);
      if (others === undefined) listsOf.set(topic, [list]);
      else others.push(list);
    }
  }
  const byTopic = new Map<string, Subscribers>();
  for (const alike of groupedBy(listsOf, ([, some]) => some.join()).values()) {
    const subscribed = alike[0]?.[1].flatMap((list) => lists[list]?.[1] ?? []) ?? [];
    const subscribers = new Subscribers(subscribed, members);
    for (const [topic] of alike) byTopic.set(topic, subscribers);
  }
  return byTopic;
}
